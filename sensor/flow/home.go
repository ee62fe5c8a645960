package flow

import (
	"bytes"
	"net/netip"
	"slices"

	"picket/sensor/packet"
)

// AllRealms, as a realm of NewHome, means every realm.
const AllRealms = -1

// Home is the set of networks that are ours. It is read-only once made; the
// zero value is the empty set.
type Home struct {
	all    ranges
	realms map[uint16]ranges
}

// ranges are ascending and do not touch.
type ranges []span128

type span128 struct{ first, last packet.Addr }

// NewHome returns the set of prefixes, ours in every realm.
func NewHome(prefixes []netip.Prefix) *Home {
	return NewHomes(map[int][]netip.Prefix{AllRealms: prefixes})
}

// NewHomes returns the set with the prefixes of each realm; those under
// AllRealms are ours in every realm.
func NewHomes(byRealm map[int][]netip.Prefix) *Home {
	h := &Home{realms: map[uint16]ranges{}}
	for realm, prefixes := range byRealm {
		if realm == AllRealms {
			h.all = rangesOf(prefixes)
		} else {
			h.realms[uint16(realm)] = rangesOf(prefixes)
		}
	}
	return h
}

// Contains reports that a, seen in realm, is ours.
func (h *Home) Contains(realm uint16, a packet.Addr) bool {
	if h.all.contain(&a) {
		return true
	}
	return len(h.realms) != 0 && h.realms[realm].contain(&a)
}

// contain is a binary search by hand: one through a function value would put
// the address on the heap, for every new flow.
func (r ranges) contain(a *packet.Addr) bool {
	lo, hi := 0, len(r)
	for lo < hi {
		if mid := (lo + hi) / 2; bytes.Compare(r[mid].first[:], a[:]) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo > 0 && bytes.Compare(a[:], r[lo-1].last[:]) <= 0
}

// rangesOf sorts prefixes and joins those that overlap.
func rangesOf(prefixes []netip.Prefix) ranges {
	var r ranges
	for _, p := range prefixes {
		if !p.IsValid() {
			continue
		}
		first := packet.AddrFrom(p.Masked().Addr())
		last, n := first, p.Bits()
		if p.Addr().Is4() {
			n += 96
		}
		for bit := n; bit < 128; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		r = append(r, span128{first, last})
	}
	slices.SortFunc(r, func(a, b span128) int { return bytes.Compare(a.first[:], b.first[:]) })
	var joined ranges
	for _, s := range r {
		if n := len(joined); n > 0 && bytes.Compare(s.first[:], joined[n-1].last[:]) <= 0 {
			if bytes.Compare(s.last[:], joined[n-1].last[:]) > 0 {
				joined[n-1].last = s.last
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}
