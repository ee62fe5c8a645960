package handset

import (
	"math/rand/v2"
	"testing"
)

// The table says what a map of all prefixes says.
func TestHardwarePrefixes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var table ouiTable
	if table.find(0x001122334455) != 0 {
		t.Error("an empty table finds something")
	}
	plain := map[[2]uint64]uint16{}
	var macs []uint64
	for i := range 20_000 {
		mac, digits := r.Uint64N(1<<48), ouiDigits[r.IntN(3)]
		if i%3 == 0 && i > 0 { // a longer or shorter one of the same block
			mac = macs[r.IntN(len(macs))]
		}
		prefix, sig := mac>>(48-4*digits), uint16(r.IntN(60_000))
		table.put(prefix, digits, sig)
		plain[[2]uint64{prefix, uint64(digits)}] = sig
		macs = append(macs, mac, mac^1<<20, mac^1<<8)
	}
	if table.held != len(plain) || 2*len(table.slots) < 3*table.held {
		t.Errorf("%d held in %d slots, want %d", table.held, len(table.slots), len(plain))
	}
	for _, mac := range macs {
		want := uint16(0)
		for _, n := range ouiDigits {
			if sig, ok := plain[[2]uint64{mac >> (48 - 4*n), uint64(n)}]; ok {
				want = sig + 1
				break
			}
		}
		if got := table.find(mac); got != want {
			t.Fatalf("%012x: %d, want %d", mac, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { table.find(macs[0]) }); n != 0 {
		t.Errorf("%v allocations to find one", n)
	}
}

func TestHardwareTableAsWritten(t *testing.T) {
	s := newSet()
	s.byMaker["acme"], s.makers = 0, []maker{{name: "acme", title: "Acme"}}
	if err := s.loadOUI(file{"oui.tsv", []byte("# comment\r\n\n acme\thandset  04CF8C 70b3d5A\r\nacme iot 0012345ff # not 001122\n")}); err != nil {
		t.Fatal(err)
	}
	for mac, want := range map[uint64]string{
		0x04CF8C000001: "oui.acme.handset", 0x70B3D5A00001: "oui.acme.handset", 0x0012345ff001: "oui.acme.iot",
		0x001234500001: "", 0x70B3D5B00001: "", 0x001122000001: "",
	} {
		got := ""
		if n := s.hardware(mac); n != 0 {
			got = s.sigs[n-1].id
		}
		if got != want {
			t.Errorf("%012x: %q, want %q", mac, got, want)
		}
	}
	for _, bad := range []string{"acme handset", "acme", "acme handset 12345", "acme handset 0123456789abcdef", "acme no-such-hint 001122", "nobody handset 001122"} {
		if s.loadOUI(file{"oui.tsv", []byte(bad)}) == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
