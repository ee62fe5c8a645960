package packets

import (
	"bytes"
	"fmt"
	"testing"

	"picket/sensor/packet"
)

func remember(m *Memory, f Frame) { m.Add(&f.Record, f.Data) }

func TestMemoryGivesOutWhatIsOwned(t *testing.T) {
	m := NewMemory(1<<20, 1e9)
	for i := range 4 {
		remember(m, frameOf(int64(i), 7, true, packet.ProtoTCP, 443, uint32(i), fmt.Sprint("payload ", i)))
		remember(m, frameOf(int64(i), 8, true, packet.ProtoTCP, 443, uint32(i), "another's"))
	}
	remember(m, frameOf(100, 9, true, packet.ProtoUDP, 53, 0, "question"))
	if got := m.TakeFlow(7, ""); len(got) != 4 {
		t.Fatalf("%d frames of nobody, want the 4 that nobody owns", len(got))
	}
	m = NewMemory(1<<20, 1e9)
	for i := range 4 {
		remember(m, frameOf(int64(i), 7, true, packet.ProtoTCP, 443, uint32(i), fmt.Sprint("payload ", i)))
		remember(m, frameOf(int64(i), 8, true, packet.ProtoTCP, 443, uint32(i), "another's"))
	}
	remember(m, frameOf(100, 9, true, packet.ProtoUDP, 53, 0, "question"))
	m.Own(7, "d-1")
	m.OwnQuestion(100, "d-1")
	if got := m.TakeFlow(8, "d-1"); len(got) != 0 {
		t.Errorf("%d frames of a conversation that is not the device's", len(got))
	}
	got := m.TakeFlow(7, "d-1")
	if len(got) != 4 || !bytes.HasSuffix(got[3].Data, []byte("payload 3")) || !bytes.HasSuffix(got[0].Data, []byte("payload 0")) {
		t.Errorf("%d frames of the conversation, or not in order", len(got))
	}
	if again := m.TakeFlow(7, "d-1"); len(again) != 0 {
		t.Errorf("%d frames were given out twice", len(again))
	}
	rest := m.Take("d-1", func(*Record, []byte) bool { return true })
	if len(rest) != 1 || !rest[0].DNS {
		t.Errorf("%d frames left of the device, want its question", len(rest))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory(128<<10, 1e9)
	const n = 20_000
	for i := range n {
		remember(m, frameOf(int64(i), uint64(i), true, packet.ProtoTCP, 443, 1, string(bytes.Repeat([]byte{'p'}, i%900))))
	}
	if m.Len() > len(m.entries) || m.Evicted() != n-uint64(m.Len()) {
		t.Errorf("%d frames held, %d evicted of %d", m.Len(), m.Evicted(), n)
	}
	m.Own(n-1, "d-1")
	if got := m.TakeFlow(n-1, "d-1"); len(got) != 1 {
		t.Errorf("the latest frame is not there: %d", len(got))
	}
	if got := m.TakeFlow(0, ""); len(got) != 0 {
		t.Errorf("the first frame is still there")
	}
}

// TestMemoryForgets: what goes is overwritten.
func TestMemoryForgets(t *testing.T) {
	m := NewMemory(128<<10, 1000)
	remember(m, frameOf(0, 1, true, packet.ProtoTCP, 80, 1, "GET /?imei=864628020123454"))
	remember(m, frameOf(900, 2, true, packet.ProtoTCP, 80, 1, "later"))
	m.Expire(1500)
	if m.Len() != 1 || bytes.Contains(m.bytes, []byte("864628020123454")) {
		t.Errorf("%d frames held; the bytes of the first may still be there", m.Len())
	}
	m.Expire(5000)
	if m.Len() != 0 || len(bytes.Trim(m.bytes, "\x00")) != 0 {
		t.Error("an empty memory still holds bytes")
	}
}

func TestExchangeNeverWaits(t *testing.T) {
	x := NewExchange(Handshakes, 0, 2)
	f := frameOf(1, 1, true, packet.ProtoTCP, 443, 1, "hello")
	a, b := x.Spare(), x.Spare()
	if a == nil || b == nil || x.Spare() != nil {
		t.Fatal("want two batches and no third")
	}
	for a.Add(&f.Record, f.Data) {
	}
	x.Give(a)
	x.Give(b)
	n := 0
	x.Take(func(r *Record, data []byte) {
		if n++; !bytes.Equal(data, f.Data) || r.Flow != 1 {
			t.Fatal("another frame came out")
		}
	})
	if n == 0 || n > batchRecords {
		t.Errorf("%d frames", n)
	}
	if c := x.Spare(); c == nil || c.Len() != 0 || len(bytes.Trim(c.bytes[:], "\x00")) != 0 {
		t.Error("a batch does not come back empty")
	}
}
