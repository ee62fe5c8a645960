package sensor

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"picket/sensor/observation"
)

// Strays finds out which networks look like home though home_networks does
// not name them: those that open conversations with many others. The zero
// value is ready. It is not safe for concurrent use.
type Strays struct {
	clients map[netip.Prefix]uint64 // bytes of conversations opened from there
	full    uint64                  // bytes of clients beyond the bound
}

const (
	maxStrays     = 4096 // prefixes counted
	strayBits4    = 24   // how finely clients are grouped: a subnet
	strayBits6    = 64
	strayJoin4    = 16   // subnets of one /16 (RFC 1918 style plans) are joined
	strayJoin6    = 48   // a site, by RFC 6177
	strayAdvice   = 0.01 // share of bytes without home that is worth a word
	strayShare    = 0.05 // a prefix is named when it has this share of them
	strayPrefixes = 8
)

// See counts the flow in o when neither of its ends is at home.
func (s *Strays) See(o *observation.Observation) {
	if o.Kind != observation.FlowReport || o.ClientHome || o.ServerHome {
		return
	}
	a := o.Client.Addr()
	if !a.IsValid() || a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return
	}
	p, _ := a.Prefix(subnetBits(a))
	if s.clients == nil {
		s.clients = make(map[netip.Prefix]uint64)
	}
	n := o.Flow.Sent + o.Flow.Received
	if _, known := s.clients[p]; !known && len(s.clients) >= maxStrays {
		s.full += n
		return
	}
	s.clients[p] += n
}

func subnetBits(a netip.Addr) int {
	if a.Is4() {
		return strayBits4
	}
	return strayBits6
}

// Prefixes returns the networks that look like home, most bytes first.
func (s *Strays) Prefixes() []netip.Prefix {
	joined := map[netip.Prefix]uint64{}
	members := map[netip.Prefix][]netip.Prefix{}
	var all uint64
	for p, n := range s.clients {
		bits := strayJoin4
		if p.Addr().Is6() {
			bits = strayJoin6
		}
		site, _ := p.Addr().Prefix(bits)
		joined[site] += n
		members[site] = append(members[site], p)
		all += n
	}
	sites := slices.SortedFunc(maps.Keys(joined), func(a, b netip.Prefix) int {
		return cmp.Or(cmp.Compare(joined[b], joined[a]), a.Addr().Compare(b.Addr()))
	})
	var out []netip.Prefix
	for _, site := range sites {
		if float64(joined[site]) < strayShare*float64(all) || len(out) == strayPrefixes {
			break
		}
		if len(members[site]) == 1 { // one subnet of it: say no more than was seen
			site = members[site][0]
		}
		out = append(out, site)
	}
	return out
}

// Advice is what to tell the operator when more than one percent of the
// bytes have no end at home; empty when all is well.
func (s *Strays) Advice(withoutHome, total uint64) string {
	if total == 0 || float64(withoutHome) <= strayAdvice*float64(total) {
		return ""
	}
	prefixes := s.Prefixes()
	if len(prefixes) == 0 {
		return ""
	}
	var words []string
	for _, p := range prefixes {
		words = append(words, p.String())
	}
	return fmt.Sprintf("%.1f %% of the bytes have no end in home_networks. These look like home:\n  home_networks: [%s]",
		100*float64(withoutHome)/float64(total), strings.Join(words, ", "))
}
