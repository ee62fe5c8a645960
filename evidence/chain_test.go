package evidence

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// story fills a store with one of everything about two devices.
func story(t *testing.T, s *Store) {
	t.Helper()
	for i, dev := range []string{"d-00000000aaaa", "d-00000000bbbb"} {
		e := episode(fmt.Sprintf("e-%016d", i), dev)
		_ = s.SaveEpisode(e)
		e.Sent, e.Last = 9000, noon.Add(time.Hour)
		_ = s.SaveEpisode(e)
		e.Closed, e.CloseReason = noon.Add(3*time.Hour), "quiet"
		_ = s.SaveEpisode(e)
		s.SaveDevice(Device{ID: dev, Concern: Prohibited, Maker: "xiaomi", Confidence: "certain", First: noon, Last: noon,
			MACs: []string{fmt.Sprintf("02:00:00:00:00:%02d", i)}, Addrs: []string{fmt.Sprintf("10.0.0.%d", i)}})
		s.AddVerdict(Verdict{At: noon, Device: dev, Maker: "xiaomi", Confidence: "certain", Why: "evidence"})
		_ = s.PutBlob("PicketEpisode/p/"+dev, []byte(`{"Labels":{"device":"`+dev+`"}}`))
	}
	s.SaveRecords([]Record{{"d-00000000aaaa", noon, []byte(`{"mac":"02:00:00:00:00:00"}`)}, {"d-00000000bbbb", noon, []byte(`{}`)}})
	s.Note(noon, KindConfig, "", map[string]string{"signatures": "abcd"})
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rule("d-00000000aaaa", Ruling{Verdict: Confirmed, By: "officer", Reason: "looked at it", At: noon}); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, s *Store, anchors ...Head) Report {
	t.Helper()
	r, err := s.Verify(anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChainVerifies(t *testing.T) {
	s := open(t, t.TempDir())
	story(t, s)
	r := verify(t, s)
	if len(r.Faults) > 0 || r.Entries != 8 || r.Rows != 5 {
		t.Errorf("%+v, want 8 entries vouching for 5 rows", r)
	}
	if verify(t, s, r.Head).Faults != nil {
		t.Error("its own head does not anchor it")
	}
	again, err := ParseHead(r.Head.String())
	if err != nil || again != r.Head {
		t.Errorf("ParseHead(%s): %v %v", r.Head, again, err)
	}
}

// TestTampering: whatever is done to the file is found, and named.
func TestTampering(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"row edited", "UPDATE episode SET body = json_set(body, '$.Sent', 1)", "differs from what the chain vouches for"},
		{"row removed", "DELETE FROM episode WHERE device = 'd-00000000aaaa'", "it was removed"},
		{"verdict edited", "UPDATE verdict SET body = json_set(body, '$.maker', 'apple')", "differs from"},
		{"ruling edited", "UPDATE ruling SET body = json_set(body, '$.verdict', 'wrong')", "differs from"},
		{"row put in", "INSERT INTO verdict (device, at, body) VALUES ('d-00000000cccc', 1, '{}')", "no entry of the chain vouches"},
		{"text edited", "UPDATE chain SET body = json_set(body, '$.sha256', 'x') WHERE seq = 3", "text is not what was committed"},
		{"commitment edited", "UPDATE chain SET commitment = zeroblob(32) WHERE seq = 3", "its hash does not follow"},
		{"time edited", "UPDATE chain SET at = at + 1 WHERE seq = 3", "its hash does not follow"},
		{"entry removed", "DELETE FROM chain WHERE seq = 3", "entries were removed"},
		{"first removed", "DELETE FROM chain WHERE seq = 1", "entries were removed"},
		{"cut off", "DELETE FROM chain WHERE seq > 6", "it was truncated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			story(t, s)
			head := verify(t, s).Head
			if _, err := s.db.Exec(c.sql); err != nil {
				t.Fatal(err)
			}
			if r := verify(t, s, head); !strings.Contains(strings.Join(r.Faults, "\n"), c.want) {
				t.Errorf("faults %q, want one that says %q", r.Faults, c.want)
			}
		})
	}
}

// TestRewrittenChain: a chain computed anew from the start verifies by
// itself; an anchor kept elsewhere gives it away.
func TestRewrittenChain(t *testing.T) {
	s := open(t, t.TempDir())
	story(t, s)
	head := verify(t, s).Head
	for _, table := range []string{"chain", "episode", "verdict", "ruling"} {
		if _, err := s.db.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
	story(t, s)
	if r := verify(t, s); len(r.Faults) > 0 {
		t.Fatalf("the new chain: %v", r.Faults)
	}
	if r := verify(t, s, head); len(r.Faults) != 1 || !strings.Contains(r.Faults[0], "rewritten") {
		t.Errorf("faults %q, want rewritten", r.Faults)
	}
}

func TestForget(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	story(t, s)
	head := verify(t, s).Head
	f, err := s.Forget("d-00000000aaaa")
	if err != nil || f.Rows != 8 || f.Tombstones != 4 {
		t.Errorf("%+v %v, want 8 rows and 4 tombstones", f, err)
	}
	r := verify(t, s, head)
	if len(r.Faults) > 0 || r.Tombstones != 4 {
		t.Errorf("after forgetting: %+v", r)
	}
	if _, err := s.Forget("d-00000000aaaa"); err == nil {
		t.Error("forgotten twice")
	}
	// What a running sensor still has of before is not written again.
	_ = s.SaveEpisode(episode("e-0000000000000000", "d-00000000aaaa"))
	s.SaveDevice(Device{ID: "d-00000000aaaa", Concern: Prohibited, Last: noon.Add(-time.Second)})
	file, err := s.File("d-00000000aaaa")
	if err != nil || file.Known || len(file.Episodes)+len(file.Held)+len(file.Verdicts)+len(file.Rulings) > 0 || file.Record {
		t.Errorf("still there: %+v %v", file, err)
	}
	s.Close()
	for _, leak := range []string{"d-00000000aaaa", "02:00:00:00:00:00"} {
		if found := grep(t, dir, leak); found != "" {
			t.Errorf("%s holds %q", found, leak)
		}
	}
	if grep(t, dir, "d-00000000bbbb") == "" {
		t.Error("the other device went too")
	}
}

func TestRetention(t *testing.T) {
	s := open(t, t.TempDir())
	story(t, s)
	s.Count(Residence{Maker: "xiaomi", Location: "CN"}, Flow{At: noon, Sent: 1})
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after                              time.Duration
		episodes, devices, verdicts, cells int
	}{
		{29 * days, 2, 2, 2, 1}, {31 * days, 2, 0, 2, 1}, {91 * days, 2, 0, 0, 1}, {366 * days, 0, 0, 0, 1}, {4 * 365 * days, 0, 0, 0, 0},
	} {
		if err := s.Expire(noon.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		var got [3]int
		for i, table := range []string{"episode", "device", "verdict"} {
			_ = s.db.QueryRow("SELECT count(*) FROM " + table).Scan(&got[i])
		}
		cells, _ := s.Residency(ResidencyQuery{Period: Period{noon, noon}, Basis: "location"})
		if got != [3]int{c.episodes, c.devices, c.verdicts} || len(cells) != c.cells {
			t.Errorf("after %v: %v and %d cells, want %+v", c.after, got, len(cells), c)
		}
		if r := verify(t, s); len(r.Faults) > 0 {
			t.Errorf("after %v the chain does not verify: %v", c.after, r.Faults)
		}
	}
}

func TestRuling(t *testing.T) {
	s := open(t, t.TempDir())
	var told []Ruling
	s.c.OnRuling = func(r Ruling) { told = append(told, r) }
	_ = s.SaveEpisode(episode("e-0000000000000001", "d-00000000aaaa"))
	for _, bad := range []Ruling{{Verdict: "maybe", By: "a", Reason: "b"}, {Verdict: Wrong, Reason: "b"}, {Verdict: Wrong, By: "a"}} {
		if _, err := s.Rule("e-0000000000000001", bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	if _, err := s.Rule("d-nobody", Ruling{Verdict: Wrong, By: "a", Reason: "b"}); err == nil {
		t.Error("a ruling about nobody was taken")
	}
	r, err := s.Rule("e-0000000000000001", Ruling{Verdict: NotHandset, By: "officer", Reason: "a television", At: noon.Add(time.Hour)})
	if err != nil || r.Device != "d-00000000aaaa" || r.Maker != "xiaomi" {
		t.Fatalf("%+v %v", r, err)
	}
	// The sensor, which has not heard yet, writes its open episode again.
	late := episode("e-0000000000000001", "d-00000000aaaa")
	late.Sent, late.Last = 8192, noon.Add(2*time.Hour)
	_ = s.SaveEpisode(late)
	_ = s.Flush()
	e, _, _ := s.Episode("e-0000000000000001")
	if e.Closed.IsZero() || e.CloseReason != "ruled not-handset by officer" || e.Firing {
		t.Errorf("episode %+v, want closed by the ruling", e)
	}
	s.pollRulings()
	s.pollRulings()
	if len(told) != 1 || told[0].ID != r.ID {
		t.Errorf("told of %v, want it once", told)
	}
	if counts, err := s.RulingCounts(); err != nil || counts[NotHandset] != 1 || counts[Confirmed] != 0 {
		t.Errorf("%v %v", counts, err)
	}
	if f, _ := s.File("d-00000000aaaa"); len(f.Rulings) != 1 {
		t.Error("the device does not show its ruling")
	}
	if rep := verify(t, s); len(rep.Faults) > 0 {
		t.Errorf("chain: %v", rep.Faults)
	}
}

func TestBackupAndRestore(t *testing.T) {
	s := open(t, t.TempDir())
	story(t, s)
	file := t.TempDir() + "/copy.db"
	if err := s.Backup(file); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(file); err == nil {
		t.Error("a backup was overwritten")
	}
	_ = s.SaveEpisode(episode("e-0000000000000009", "d-00000000cccc")) // it goes on
	dir := t.TempDir()
	r, err := Restore(dir, file)
	if err != nil || r.Entries != 9 { // story, and that a backup was made
		t.Fatalf("%+v %v", r, err)
	}
	if _, err := Restore(dir, file); err == nil {
		t.Error("a store was overwritten")
	}
	again := open(t, dir)
	if list, err := again.Episodes(time.Time{}); err != nil || len(list) != 2 {
		t.Errorf("%d episodes, %v", len(list), err)
	}
	_ = again.SaveEpisode(episode("e-0000000000000010", "d-00000000cccc"))
	if rep := verify(t, again, r.Head); len(rep.Faults) > 0 || rep.Entries != 10 {
		t.Errorf("the chain does not go on: %+v", rep)
	}
}
