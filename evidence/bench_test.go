package evidence

import (
	"testing"
	"time"
)

// BenchmarkLedger adds a flow to the ledger in memory: what the sensor pays
// for each report of a conversation.
func BenchmarkLedger(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir(), Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r := Residence{Maker: "xiaomi", Class: "handset", Owner: "Xiaomi", Plane: "os", Location: "CN", Registration: "CN", OperatorHome: "CN", OwnerHome: "CN", Operator: "Kingsoft", Epoch: "e1"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Count(r, Flow{At: noon, Device: uint32(i % 50), Sent: 1000, Flows: 1})
	}
}

// BenchmarkAnnounced saves an episode that somebody is told of, to the disk.
func BenchmarkAnnounced(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir(), Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := 0; b.Loop(); i++ {
		e := episode(time.Unix(int64(i), 0).UTC().Format("e-20060102150405"), "d-00000000aaaa")
		if err := s.SaveEpisode(e); err != nil {
			b.Fatal(err)
		}
	}
}
