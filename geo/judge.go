package geo

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Geo judges servers. Judging takes no lock; the databases are replaced
// behind it without pause. It is safe for concurrent use.
type Geo struct {
	config Config
	log    *slog.Logger
	snap   atomic.Pointer[snapshot]
	nat64  atomic.Pointer[[]netip.Prefix]

	adopted       chan struct{} // tells Run; one is enough
	mu            sync.Mutex    // of those who replace the above
	spare         sync.Pool     // of *claims
	misses        atomic.Uint64
	evicted       atomic.Uint64 // of caches that are gone
	learntRefused atomic.Uint64
	reloads       atomic.Uint64
	reloadsFailed atomic.Uint64
}

// snapshot is one state of databases and rules. It is immutable but for its
// cache.
type snapshot struct {
	rules     *ruleIndex
	databases []database
	sources   *sources
	cache     *cache
}

// New opens the databases of c and starts nothing; see Run.
func New(c Config) (*Geo, error) {
	g := &Geo{config: c, log: c.Logger, adopted: make(chan struct{}, 1)}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if err := checkNAT64(c.NAT64); err != nil {
		return nil, err
	}
	configured := append([]netip.Prefix{}, c.NAT64...)
	g.nat64.Store(&configured)
	s, err := load(&c)
	if err != nil {
		return nil, err
	}
	g.snap.Store(s)
	return g, nil
}

// load opens everything c names.
func load(c *Config) (*snapshot, error) {
	rules, err := indexRules(c)
	if err != nil {
		return nil, err
	}
	s := &snapshot{rules: rules, cache: newCache(c.Cache)}
	for _, path := range c.Databases {
		d, err := open(path, c.Verify, rules)
		if err != nil {
			return nil, err
		}
		s.databases = append(s.databases, d...)
	}
	base, err := openBase(c.Base)
	if err != nil {
		return nil, err
	}
	s.databases = append(s.databases, base...)
	if len(s.databases) > maxSources {
		return nil, fmt.Errorf("geo: %d databases, at most %d can be loaded", len(s.databases), maxSources)
	}
	var all []Source
	for _, d := range s.databases {
		all = append(all, d.source())
	}
	s.sources = newSources(all)
	return s, nil
}

// Judge says under whose law the server of q is. A server judged before
// costs no allocation. The strings of q are not kept.
func (g *Geo) Judge(q Query) Jurisdiction { return *g.Of(q) }

// Of is Judge without a copy of the answer: others hold it too, so it must
// not be changed.
func (g *Geo) Of(q Query) *Jurisdiction {
	s := g.snap.Load()
	h := s.cache.hash(&q)
	if e := s.cache.get(&q, h); e != nil {
		return &e.j
	}
	return g.judgeAnew(s, q, h)
}

// judgeAnew asks the databases and the rules; it is apart so that q stays on
// the stack of Of. What it answers with is what is kept, and all that is
// allocated: what the databases say is gathered in claims that are used again,
// since they are called through an interface and the claims would not stay on
// a stack.
func (g *Geo) judgeAnew(s *snapshot, q Query, h uint64) *Jurisdiction {
	c, ok := g.spare.Get().(*claims)
	if !ok {
		c = &claims{}
	}
	e := &judged{q: q}
	s.judge(&e.j, &e.q, c, *g.nat64.Load())
	g.misses.Add(1)
	if q.cacheable() {
		e.q.own(s.rules.named(q.Name).raw) // a copy of the name that many entries share
		s.cache.put(e, h)
	} else {
		e.q = Query{}
	}
	*c = claims{}
	g.spare.Put(c)
	return &e.j
}

func (s *snapshot) judge(j *Jurisdiction, q *Query, c *claims, nat64 []netip.Prefix) {
	outer := plain(q.Addr)
	addr, translated := inner(outer, nat64)
	special := addr.IsValid() && Placeless(addr)
	if addr.IsValid() && !special {
		s.gather(addr, c)
	}
	decide(j, q, c, s.rules, special)
	j.Addr = addr
	if translated {
		j.Outer = outer
	}
}

// Stats counts what Judge did.
type Stats struct {
	Judged        uint64 // not found among those kept
	Cached        int    // kept now
	Evicted       uint64 // thrown out for another
	NAT64Learnt   int
	NAT64Refused  uint64 // learnt prefixes beyond the bound
	Reloads       uint64
	ReloadsFailed uint64
}

// Stats returns the counters.
func (g *Geo) Stats() Stats {
	c := g.snap.Load().cache
	g.mu.Lock()
	configured := len(g.config.NAT64)
	g.mu.Unlock()
	return Stats{
		Judged: g.misses.Load(), Cached: c.len(), Evicted: g.evicted.Load() + c.evicted.Load(),
		NAT64Learnt: max(0, len(*g.nat64.Load())-configured), NAT64Refused: g.learntRefused.Load(),
		Reloads: g.reloads.Load(), ReloadsFailed: g.reloadsFailed.Load(),
	}
}
