package geo

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

var (
	nat64WellKnown = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052, section 2.1
	sixToFour      = netip.MustParsePrefix("2002::/16")    // RFC 3056, section 2
	teredo         = netip.MustParsePrefix("2001::/32")    // RFC 4380, section 4
)

// maxLearnt bounds the NAT64 prefixes that answers for ipv4only.arpa teach.
const maxLearnt = 16

// inner returns the IPv4 address inside a, if a is a translated or tunnelled
// one, and a itself otherwise.
func inner(a netip.Addr, nat64 []netip.Prefix) (addr netip.Addr, translated bool) {
	if !a.Is6() || a.Is4In6() {
		return a.Unmap(), false
	}
	b := a.As16()
	switch {
	case nat64WellKnown.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(a): // the client's address, every bit turned round
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	for _, p := range nat64 {
		if p.Contains(a) {
			return embedded4(b, p.Bits()), true
		}
	}
	return a, false
}

// embedded4 takes the IPv4 address out of b, which begins with a prefix of
// bits; octet 8 is passed over (RFC 6052, section 2.2).
func embedded4(b [16]byte, bits int) netip.Addr {
	var v [4]byte
	at := bits / 8
	for i := range v {
		if at == 8 {
			at++
		}
		v[i] = b[at]
		at++
	}
	return netip.AddrFrom4(v)
}

// checkNAT64 refuses prefixes of a length that RFC 6052 does not have.
func checkNAT64(prefixes []netip.Prefix) error {
	for _, p := range prefixes {
		if !p.Addr().Is6() || !slices.Contains(nat64Lengths[:], p.Bits()) {
			return fmt.Errorf("geo: NAT64 prefix %s: want an IPv6 prefix of length 32, 40, 48, 56, 64 or 96 (RFC 6052)", p)
		}
	}
	return nil
}

var nat64Lengths = [...]int{96, 64, 56, 48, 40, 32}

// LearnNAT64 takes an AAAA answer for ipv4only.arpa. The prefix in which one
// of that name's two IPv4 addresses stands is a NAT64 prefix (RFC 7050,
// section 3); addresses below it are judged by the IPv4 address inside. It
// reports whether the prefix is new. Call it for answers of the site's own
// resolvers only: who can forge the answer could have IPv6 servers misjudged.
// A prefix of a network that the curated rules know is not believed: nobody
// can hide a cloud behind a forged answer; geo.nat64 is for such sites. At
// most 16 prefixes are learnt. Those refused are counted (Stats).
func (g *Geo) LearnNAT64(answer netip.Addr) (netip.Prefix, bool) {
	if !answer.Is6() || answer.Is4In6() {
		return netip.Prefix{}, false
	}
	b := answer.As16()
	for _, bits := range nat64Lengths {
		v := embedded4(b, bits).As4()
		if n := binary.BigEndian.Uint32(v[:]); n != 0xC00000AA && n != 0xC00000AB { // 192.0.0.170, 171
			continue
		}
		p, err := answer.Prefix(bits)
		if err != nil || nat64WellKnown.Contains(answer) {
			return p, false
		}
		return p, g.learn(p)
	}
	return netip.Prefix{}, false
}

// knows reports whether a is of a network that some rule or list names.
func (s *snapshot) knows(a netip.Addr) bool {
	if Placeless(a) {
		return false
	}
	var c claims
	s.gather(a, &c)
	return s.rules.operators[c.asn] != nil || c.site != nil || c.published.country != "" || c.everywhere
}

func (g *Geo) learn(p netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := *g.nat64.Load()
	if slices.Contains(old, p) {
		return false
	}
	if len(old) >= maxLearnt+len(g.config.NAT64) || g.snap.Load().knows(p.Addr()) {
		g.learntRefused.Add(1)
		return false
	}
	next := append(slices.Clone(old), p)
	g.nat64.Store(&next)
	g.snap.Load().cache.clear() // answers from before are out of date
	return true
}
