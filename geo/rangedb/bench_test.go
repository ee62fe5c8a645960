package rangedb

import (
	"net/netip"
	"os"
	"testing"
)

// BenchmarkLookup asks for country, registration and network of addresses all
// over IPv4, and of a few that the caches of the processor hold.
func BenchmarkLookup(b *testing.B) {
	data, err := os.ReadFile("../data/picket-geo.bin")
	if err != nil {
		b.Fatal(err)
	}
	d, err := Open(data)
	if err != nil {
		b.Fatal(err)
	}
	for name, mask := range map[string]uint32{"all": 1<<32 - 1, "few": 255} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := uint32(0); b.Loop(); i++ {
				n := (i & mask) * 2654435761
				d.Lookup(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
			}
		})
	}
}
