package geo

import "net/netip"

// besideCache is room enough for what is looked up once.
const besideCache = 1 << 10

// Beside returns a Geo over the databases and rules that g has now, with a
// cache, counts and learnt prefixes of its own: what is asked of it, g never
// hears of. It does not follow a reload of g.
func (g *Geo) Beside() *Geo {
	b := &Geo{config: g.current(), log: g.log, adopted: make(chan struct{}, 1)}
	nat64 := append([]netip.Prefix{}, *g.nat64.Load()...)
	b.nat64.Store(&nat64)
	s := *g.snap.Load()
	s.cache = newCache(besideCache)
	b.snap.Store(&s)
	return b
}
