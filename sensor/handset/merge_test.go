package handset

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// Two sensors that saw parts of one device's evidence come to the verdict of
// one that saw it all, in whatever order and however often they merge.
func TestMergeIsTheUnion(t *testing.T) {
	s := shipped(t)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	all := []Evidence{
		{At: at, Family: "mac", Field: "address", Value: "28:6c:07:01:02:03"},
		{At: at, Family: "dhcp", Field: "hostname", Value: "RedmiNote9Pro-Redmi"},
		{At: at.Add(time.Minute), Family: "sni", Field: "server_name", Value: "update.intl.miui.com"},
		{At: at.Add(26 * time.Hour), Family: "sni", Field: "server_name", Value: "find.api.micloud.xiaomi.net"},
	}
	dossier := func(list ...Evidence) *Dossier {
		d := &Dossier{}
		for _, e := range list {
			d.Add(s, e)
		}
		return d
	}
	now := at.Add(27 * time.Hour)
	want := dossier(all...).Verdict(s, now, Network{})
	a, b := dossier(all[:2]...), dossier(all[2:]...)
	for name, order := range map[string][]*Dossier{"a b": {a, b}, "b a": {b, a}, "a b a b": {a, b, a, b}} {
		d := &Dossier{}
		for _, o := range order {
			d.Merge(s, o)
		}
		got := d.Verdict(s, now, Network{})
		if got.Maker != want.Maker || got.Confidence != want.Confidence || got.Posterior != want.Posterior {
			t.Errorf("%s: %s %s %v, want %s %s %v", name, got.Maker, got.Confidence, got.Posterior, want.Maker, want.Confidence, want.Posterior)
		}
		before, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if before = slices.Clone(before); d.Merge(s, a) {
			t.Errorf("%s: merging what is there changes something", name)
		}
		if after, _ := d.MarshalBinary(); !bytes.Equal(before, after) {
			t.Errorf("%s: merging again left other bytes", name)
		}
	}
}
