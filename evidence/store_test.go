package evidence

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 12, 12, 0, 0, 0, time.UTC)

// open opens a store in dir at noon, and closes it with the test.
func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func episode(id, device string) Episode {
	return Episode{
		ID: id, Policy: "maker-x", Severity: "page", Condition: Sent, Device: device, Maker: "xiaomi", Class: "handset", Confidence: "certain",
		Countries: []string{"CN"}, Basis: []string{"location"}, Sent: 4096, Handshake: 512,
		First: noon, Last: noon.Add(time.Minute), Opened: noon.Add(time.Second), Announced: true, AlertedAs: "page", Firing: true,
		Names: []string{"a.example"}, Reasons: []string{"its vendor class is MSFT"}, Against: []string{},
		Servers:  []Server{{Addr: netip.MustParseAddrPort("203.0.113.7:443"), Name: "a.example", Location: "CN", Sent: 4096, First: noon, Last: noon, Hits: []string{"location"}}},
		Sentence: "a device of xiaomi sent 4.0 KiB", Caveats: []string{}, Identifiers: []string{}, Databases: []string{"DB-IP"},
	}
}

func TestEpisodeComesBackAsItWas(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	want := episode("e-0000000000000001", "d-000000000001")
	if err := s.SaveEpisode(want); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, dir).Episodes(noon.Add(time.Hour))
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
}

func TestEpisodesSince(t *testing.T) {
	s := open(t, t.TempDir())
	for i, closed := range []time.Time{{}, noon.Add(-time.Hour), noon.Add(-48 * time.Hour)} {
		e := episode(fmt.Sprintf("e-%016d", i), "d-000000000001")
		e.Opened, e.Closed = noon.Add(-72*time.Hour), closed
		_ = s.SaveEpisode(e)
	}
	for _, c := range []struct {
		since time.Time
		want  int
	}{{time.Time{}, 3}, {noon.Add(-24 * time.Hour), 2}, {noon, 1}} {
		if got, err := s.Episodes(c.since); err != nil || len(got) != c.want {
			t.Errorf("since %v: %d episodes (%v), want %d", c.since, len(got), err, c.want)
		}
	}
}

func TestOutbox(t *testing.T) {
	s := open(t, t.TempDir())
	for _, k := range []string{"c", "a", "b", "d"} {
		_ = s.PutBlob(k, []byte(k))
	}
	_ = s.DeleteBlob("b")
	_ = s.DeleteBlob("never")
	var got []string
	err := s.Blobs("a", 1, func(k string, body []byte) error { got = append(got, k+string(body)); return nil })
	if err != nil || strings.Join(got, " ") != "cc" {
		t.Errorf("after a, one: %v %v", got, err)
	}
}

// TestWaitingIsSeen: what waits in memory is read as if it were written.
func TestWaitingIsSeen(t *testing.T) {
	s := open(t, t.TempDir())
	s.running.Store(true) // somebody else writes, but never does
	s.c.Patience = time.Nanosecond
	_ = s.SaveEpisode(episode("e-0000000000000001", "d-000000000001"))
	_ = s.PutBlob("k", []byte("v"))
	s.running.Store(false)
	if e, ok, err := s.Episode("e-0000000000000001"); !ok || err != nil || e.Sent != 4096 {
		t.Errorf("episode: %v %v", ok, err)
	}
	n := 0
	_ = s.Blobs("", 10, func(string, []byte) error { n++; return nil })
	if n != 1 || s.Stats().Late != 1 {
		t.Errorf("%d blobs, %d late; want 1, 1", n, s.Stats().Late)
	}
}

func TestDamagedFileIsLeftAsItIs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	junk := []byte(strings.Repeat("this is no database. ", 500))
	if err := os.WriteFile(path, junk, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want ErrDamaged with the path", err)
	}
	if now, _ := os.ReadFile(path); string(now) != string(junk) {
		t.Error("the damaged file was written to")
	}
}

func TestNewerFileIsLeftAsItIs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	before, _ := os.ReadFile(filepath.Join(dir, FileName))
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("error %v, want ErrNewer", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, FileName)); string(after) != string(before) {
		t.Error("the file of a later version was changed")
	}
}

func TestForeignFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.db.Exec("PRAGMA application_id = 7"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
}

// TestMigration: steps run once each, all or none.
func TestMigration(t *testing.T) {
	s := open(t, t.TempDir())
	steps := append(migrations[:], "CREATE TABLE later (x INTEGER) STRICT")
	if err := migrate(s.db, append(steps, "CREATE TABLE broken (x NOTYPE) STRICT")); err == nil {
		t.Fatal("a broken step went through")
	}
	var n int
	_ = s.db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'later'").Scan(&n)
	if n != 0 {
		t.Error("half a migration was kept")
	}
	for range 2 {
		if err := migrate(s.db, steps); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&n); err != nil || n != len(steps) {
		t.Errorf("version %d (%v), want %d", n, err, len(steps))
	}
}

// TestFullDisk: what the disk does not take waits in memory, is counted, can
// be read, and is written once there is room.
func TestFullDisk(t *testing.T) {
	s := open(t, t.TempDir())
	_ = s.SaveEpisode(episode("e-0000000000000000", "d-000000000001"))
	if _, err := s.db.Exec("PRAGMA max_page_count = 1"); err != nil { // what it has is its bound now
		t.Fatal(err)
	}
	for i := range 400 {
		if err := s.SaveEpisode(episode(fmt.Sprintf("e-%016d", i), "d-000000000001")); err != nil {
			t.Fatalf("SaveEpisode: %v", err)
		}
		s.Count(Residence{Maker: "xiaomi", Location: "CN"}, Flow{At: noon, Device: uint32(i), Sent: 10, Flows: 1})
	}
	st := s.Stats()
	if st.Trouble == "" || st.Failures == 0 || st.Waiting == 0 {
		t.Fatalf("%+v: want trouble", st)
	}
	if got, err := s.Episodes(time.Time{}); err != nil || len(got) != 400 {
		t.Errorf("while full: %d episodes (%v), want 400", len(got), err)
	}
	if _, err := s.db.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	var n int
	_ = s.db.QueryRow("SELECT count(*) FROM episode").Scan(&n)
	cells, err := s.Residency(ResidencyQuery{Period: Period{noon, noon}, Basis: "location"})
	if n != 400 || err != nil || len(cells) != 1 || cells[0].Sent != 4000 || s.Stats().Trouble != "" {
		t.Errorf("%d episodes, %v (%v), trouble %q", n, cells, err, s.Stats().Trouble)
	}
	if r, err := s.Verify(); err != nil || len(r.Faults) > 0 {
		t.Errorf("chain: %v %v", r.Faults, err)
	}
}

// TestReadOnlyFile: the same for a store that cannot be written from the start.
func TestReadOnlyFile(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.db.Exec("PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	_ = s.SaveEpisode(episode("e-0000000000000001", "d-000000000001"))
	if s.Stats().Trouble == "" {
		t.Fatal("nobody noticed")
	}
	if _, err := s.db.Exec("PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil || s.Stats().Trouble != "" {
		t.Errorf("%v %q", err, s.Stats().Trouble)
	}
}

// TestMemoryIsBounded: with the disk away for good, nothing grows without end
// and no announced episode that is open is given up.
func TestMemoryIsBounded(t *testing.T) {
	b := newBatch()
	for i := range 300 {
		e := episode(fmt.Sprintf("e-%016d", i), "d-000000000001")
		if i >= 50 {
			e.Closed, e.Announced = noon.Add(time.Duration(i)*time.Second), i%2 == 0
		}
		b.episodes[e.ID] = e
		b.devices[e.ID] = Device{}
		b.verdicts = append(b.verdicts, Verdict{})
		b.sum(Residence{Maker: "xiaomi", Owner: e.ID}).add(&flowSum{sent: 1})
	}
	b.bound(100)
	if len(b.episodes) != 100 || len(b.devices) != 100 || len(b.verdicts) != 100 || len(b.ledger) != 1 || b.dropped != 600 {
		t.Errorf("%d %d %d %d, %d dropped", len(b.episodes), len(b.devices), len(b.verdicts), len(b.ledger), b.dropped)
	}
	for i := range 50 {
		if _, there := b.episodes[fmt.Sprintf("e-%016d", i)]; !there {
			t.Fatalf("open episode %d was given up", i)
		}
	}
	if v := b.ledger[Residence{Maker: "xiaomi", Owner: Others, Operator: Others}]; v == nil || v.sent != 300 {
		t.Errorf("bytes were lost: %+v", v)
	}
}

func TestRunWritesAndEnds(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for !s.running.Load() {
		time.Sleep(time.Millisecond)
	}
	s.c.Patience = time.Minute
	_ = s.SaveEpisode(episode("e-0000000000000001", "d-000000000001"))
	var n int
	if err := s.reader().QueryRow("SELECT count(*) FROM episode").Scan(&n); err != nil || n != 1 {
		t.Errorf("an announced episode is not on the disk when SaveEpisode returns: %d %v", n, err)
	}
	_ = s.PutBlob("k", []byte("v"))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.reader().QueryRow("SELECT count(*) FROM outbox").Scan(&n); err != nil || n != 1 {
		t.Errorf("the last batch is missing: %d %v", n, err)
	}
}
