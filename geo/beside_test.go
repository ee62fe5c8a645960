package geo

import (
	"net/netip"
	"testing"
)

// TestBeside: a Geo beside another answers the same and leaves no trace there.
func TestBeside(t *testing.T) {
	g, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Addr: netip.MustParseAddr("114.114.114.114")}
	before := g.Stats()
	if got := g.Beside().Judge(q).Location; got != "CN" {
		t.Errorf("location %q, want CN", got)
	}
	if after := g.Stats(); after != before {
		t.Errorf("counts %+v, before %+v", after, before)
	}
}
