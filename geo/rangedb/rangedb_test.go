package rangedb

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func small(t testing.TB) []byte {
	t.Helper()
	w := Builder{
		Origins: []Origin{{Name: "test", Built: time.Unix(1700000000, 0).UTC(), Gives: "country"}},
		Names:   map[uint32]string{15169: "Google LLC", 4294967294: "Last"},
	}
	for _, r := range [][3]string{
		{"0.0.0.0", "0.0.0.255", "AA"}, {"1.0.0.0", "1.0.0.255", "AU"}, {"1.0.1.0", "1.0.3.255", "AU"}, {"1.0.4.7", "1.0.4.9", "CN"},
		{"255.255.255.0", "255.255.255.255", "ZZ"}, {"2001:200::", "2001:200:ffff:ffff:ffff:ffff:ffff:ffff", "JP"},
		{"2001:500:1::5", "2001:500:1::9", "US"}, {"ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "EU"},
	} {
		w.AddCountry(Range{addr(r[0]), addr(r[1]), r[2]})
	}
	w.AddRegistration(Range{addr("1.0.0.0"), addr("1.0.0.255"), "NZ"})
	w.AddNetwork(addr("1.0.0.0"), addr("1.0.0.127"), 15169)
	w.AddNetwork(addr("1.0.0.128"), addr("1.0.0.255"), 4294967294)
	b, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLookup(t *testing.T) {
	b := small(t)
	if err := Verify(b); err != nil {
		t.Fatal(err)
	}
	d, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]Record{
		"0.0.0.0":         {Country: "AA"},
		"0.0.1.0":         {},
		"0.255.255.255":   {},
		"1.0.0.0":         {"AU", "NZ", 15169, "Google LLC"},
		"1.0.0.127":       {"AU", "NZ", 15169, "Google LLC"},
		"1.0.0.128":       {"AU", "NZ", 4294967294, "Last"},
		"1.0.3.255":       {Country: "AU"},
		"1.0.4.6":         {},
		"1.0.4.7":         {Country: "CN"},
		"1.0.4.9":         {Country: "CN"},
		"1.0.4.10":        {},
		"255.255.255.255": {Country: "ZZ"},
		"::ffff:1.0.0.1":  {"AU", "NZ", 15169, "Google LLC"},
		"2001:200::1":     {Country: "JP"},
		"2001:201::":      {},
		"2001:500:1::4":   {},
		"2001:500:1::5":   {Country: "US"},
		"2001:500:1::9":   {Country: "US"},
		"2001:500:1::a":   {},
		"ffff:ffff::1":    {Country: "EU"},
		"::":              {},
	} {
		if got := d.Lookup(addr(in)); got != want {
			t.Errorf("%s: %+v, want %+v", in, got, want)
		}
	}
	if got := d.Lookup(netip.Addr{}); got != (Record{}) {
		t.Errorf("no address: %+v", got)
	}
	if n := testing.AllocsPerRun(100, func() { d.Lookup(addr("1.0.0.1")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAgainstList compares with a plain list of many random ranges.
func TestAgainstList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var w Builder
	w.Names = map[uint32]string{}
	type row struct {
		first, last uint32
		asn         uint32
	}
	var rows []row
	at := uint32(0)
	for at < 1<<30 {
		first := at + uint32(r.IntN(3))*uint32(r.IntN(70000))
		last := first + uint32(r.IntN(1<<uint(1+r.IntN(18))))
		rows = append(rows, row{first, last, uint32(1 + r.IntN(5000))})
		at = last + 1
	}
	four := func(n uint32) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	shuffled := slices.Clone(rows)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, x := range shuffled {
		w.AddNetwork(four(x.first), four(x.last), x.asn)
		w.Names[x.asn] = strconv.Itoa(int(x.asn))
	}
	b, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	check := func(n uint32) {
		i, ok := slices.BinarySearchFunc(rows, n, func(x row, n uint32) int {
			switch {
			case x.last < n:
				return -1
			case x.first > n:
				return 1
			}
			return 0
		})
		want := uint32(0)
		if ok {
			want = rows[i].asn
		}
		got, name := d.Network(four(n))
		if got != want || ok && name != strconv.Itoa(int(want)) {
			t.Fatalf("%s: AS%d %q, want AS%d", four(n), got, name, want)
		}
	}
	for _, x := range rows {
		check(x.first)
		check(x.last)
		check(x.last + 1)
		if x.first > 0 {
			check(x.first - 1)
		}
	}
}

func TestSameRowsSameBytes(t *testing.T) {
	if !slices.Equal(small(t), small(t)) {
		t.Error("two builds differ")
	}
}

func TestOverlaps(t *testing.T) {
	var w Builder
	w.AddCountry(Range{addr("1.0.0.0"), addr("1.0.0.255"), "AA"})
	w.AddCountry(Range{addr("1.0.0.128"), addr("1.0.1.255"), "BB"})
	b, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	d, _ := Open(b)
	if d.Country(addr("1.0.0.127")) != "AA" || d.Country(addr("1.0.0.128")) != "BB" {
		t.Error("the later start has not the last word")
	}
	w.AddCountry(Range{addr("1.0.1.5"), addr("1.0.1.6"), "CC"})
	if _, err := w.Bytes(); err == nil {
		t.Error("a range inside another was taken")
	}
}

func TestEveryProperPrefixFails(t *testing.T) {
	b := small(t)
	for n := range b {
		if _, err := Open(b[:n]); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrCorrupt) {
			t.Errorf("first %d of %d bytes: %v", n, len(b), err)
		}
		if Verify(b[:n]) == nil {
			t.Errorf("first %d bytes verify", n)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(small(f), uint32(0x01000001))
	f.Fuzz(func(t *testing.T, b []byte, n uint32) {
		d, err := Open(b)
		if err != nil {
			return
		}
		a := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		r := d.Lookup(a)
		_ = r.Country + r.Registration + r.Name // read every byte of the views
		d.Lookup(netip.AddrFrom16([16]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
	})
}
