package handset

import (
	"math"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestReplayGivesTheSameVerdict: for every case, from evidence in the words
// of the signatures alone.
func TestReplayGivesTheSameVerdict(t *testing.T) {
	s := shipped(t)
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		for _, c := range readCases(t, file) {
			var d Dossier
			for _, e := range c.evidence() {
				d.Add(s, e)
				sameVerdict(t, s, c.ID, &d, Network{SharedAddress: c.Network.Shared})
				n++
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d verdicts were compared", n)
	}
	t.Logf("%d verdicts", n)
}

func sameVerdict(t *testing.T, s *Set, id string, d *Dossier, n Network) {
	t.Helper()
	want := d.Verdict(s, d.Last(), n)
	var again Dossier
	for _, e := range d.Replay(s) {
		again.Add(s, e)
	}
	got := again.Verdict(s, again.Last(), n)
	if math.Abs(got.Posterior-want.Posterior) > 1e-9 {
		t.Errorf("%s: posterior %v, want %v", id, got.Posterior, want.Posterior)
	}
	got.Posterior = want.Posterior
	for _, v := range []*Verdict{&got, &want} {
		for i := range v.Also {
			v.Also[i].Posterior = math.Round(v.Also[i].Posterior * 1e9)
		}
		for i := range v.Reasons {
			v.Reasons[i].Weight = math.Round(v.Reasons[i].Weight * 1e9)
		}
		for i := range v.Against {
			v.Against[i].Weight = math.Round(v.Against[i].Weight * 1e9)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got  %+v\n want %+v", id, got, want)
	}
}

// TestReplayOverDays: several days, a visit, and a new holder of the address.
func TestReplayOverDays(t *testing.T) {
	s := shipped(t)
	var d Dossier
	start := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for n, e := range []Evidence{
		{Family: "mac", Field: "address", Value: "a4:50:46:01:02:03"},
		{Family: "sni", Field: "server_name", Value: "find.api.micloud.xiaomi.net"},
		{Family: "sni", Field: "server_name", Value: "find.api.micloud.xiaomi.net"},
		{Family: "sni", Field: "server_name", Value: "update.intl.miui.com", Visit: true},
		{Family: "dhcp", Field: "hostname", Value: "Redmi-Note-9-Pro"},
		{Family: "ua", Field: "user_agent", Value: "Dalvik/2.1.0 (Linux; U; Android 13; M2101K6G Build/TKQ1)"},
		{Family: "mac", Field: "address", Value: "f0:99:bf:01:02:03"},
		{Family: "sni", Field: "server_name", Value: "find.api.micloud.xiaomi.net"},
		{Family: "sni", Field: "server_name", Value: "nobody.example"},
	} {
		e.At = start.Add(time.Duration(n) * 30 * time.Hour)
		d.Add(s, e)
		sameVerdict(t, s, e.Value, &d, Network{})
	}
}
