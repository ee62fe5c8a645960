package main

import (
	"fmt"
	"net/netip"

	"picket/geo/rangedb"
)

// samples are addresses whose network has been the same for a decade or
// more. The upstream packages carry a notice about errors: a build that gets
// one of these wrong is not written.
var samples = []struct {
	addr         string
	asn          uint32
	registration string
}{
	{"8.8.8.8", 15169, "US"},
	{"2001:4860:4860::8888", 15169, "US"},
	{"1.1.1.1", 13335, "AU"},
	{"9.9.9.9", 19281, "US"},
	{"17.0.0.1", 714, "US"},
	{"77.88.8.8", 13238, "RU"},
	{"193.0.6.139", 3333, "NL"},
	{"202.12.27.33", 7500, "JP"},
	{"2001:dc3::35", 7500, "JP"},
	{"180.76.76.76", 55967, "CN"},
	{"223.5.5.5", 45102, "CN"},
}

func sample(b []byte) error {
	if err := rangedb.Verify(b); err != nil {
		return err
	}
	d, err := rangedb.Open(b)
	if err != nil {
		return err
	}
	wrong := 0
	for _, s := range samples {
		r := d.Lookup(netip.MustParseAddr(s.addr))
		if r.ASN != s.asn || r.Registration != s.registration {
			wrong++
			fmt.Printf("sample %s: AS%d %q registered %s, want AS%d %s\n", s.addr, r.ASN, r.Name, r.Registration, s.asn, s.registration)
		}
	}
	for _, special := range []string{"10.0.0.1", "192.168.1.1", "127.0.0.1", "224.0.0.1", "192.0.2.1", "fe80::1", "fd00::1"} {
		if r := d.Lookup(netip.MustParseAddr(special)); r != (rangedb.Record{}) {
			fmt.Printf("note: the sources claim %s: %+v\n", special, r)
		}
	}
	if wrong > 1 { // networks do move now and then; several at once is a broken build
		return fmt.Errorf("%d of %d samples are wrong", wrong, len(samples))
	}
	return nil
}
