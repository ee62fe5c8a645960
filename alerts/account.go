package alerts

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/handset"
)

// account is what one device did under one rule since its first byte. It
// exists before there is an episode, while the verdict or the threshold is
// still out, so that the episode starts at the first byte.
type account struct {
	rule     *Rule
	maker    string    // whose servers it counts, for rules about the maker's own; else empty
	servers  []contact // most have one or two
	others   *server   // those beyond maxServers; nil for none
	window   window
	sent     uint64 // of all servers, handshakes included
	hands    uint64 // handshakes
	reached  [len(conditionOrder)]bool
	reachAt  time.Time // when the latest condition was reached: its first byte
	first    time.Time
	last     time.Time
	ids      []string // kinds of identifiers sent in clear
	caveats  []string
	hour     time.Time // start of the hour of the next two
	hourSent uint64
	hourHid  uint64
	held     uint64 // of sent: before the verdict
	dbs      []string
	flows    flowBook
	portions portions
	sumOf    []string // sensors that passed the threshold together; none: this one alone, or not
	dirty    bool
	saved    time.Time
	trusted  bool              // restored: the verdict of the store holds until another one contradicts it
	episode  *evidence.Episode // open, or closed less than 24 hours ago; nil for none
}

type serverKey struct {
	addr   netip.AddrPort
	name   string
	cname  string
	tunnel bool
}

// contact is a server that is told apart from the others.
type contact struct {
	serverKey
	server
}

// server is one end that data went to.
type server struct {
	geo         *geo.Jurisdiction // never changes; shared with the place; nil for those summed
	hits        []geo.Basis
	plane       handset.Plane
	maker       string
	sent        uint64
	hands       uint64
	flows       uint64
	flow        uint64 // id of the latest
	first, last time.Time
}

const (
	// maxServers bounds the servers of one account; the rest is summed.
	maxServers = 64
	// maxHeldServers is the same while there is no episode: most devices
	// never have one.
	maxHeldServers = 16
	// maxNames bounds the names of an episode.
	maxNames = 32
	// maxReasons bounds the reasons of an episode, for and against.
	maxReasons = 16
	// keep is how long what was held waits for its verdict, and how long a
	// closed episode can be continued.
	keep = 24 * time.Hour
	// maxContinued ends the continuing: a device that comes back every day
	// is told of anew once a week.
	maxContinued = 7 * 24 * time.Hour
)

// OneWay is the caveat of an episode of which one direction was seen alone.
const OneWay = "only one direction is visible: whether the server answered cannot be told"

// open reports whether an episode is open.
func (a *account) open() bool { return a.episode != nil && a.episode.Closed.IsZero() }

// add counts a transfer to a restricted place. It reports whether a server
// had to be summed with others.
func (a *account) add(t *sensor.Transfer, p *place, hits []geo.Basis) (overflow bool) {
	s, overflow := a.server(serverKey{t.Server, t.Name, lastOf(t.CNAMEs), t.Tunnel != ""}, t.First)
	s.geo, s.hits, s.plane, s.maker = p.Jurisdiction, hits, t.Plane, t.NameMaker
	s.sent += t.Sent
	s.hands += t.Handshake
	s.last = later(s.last, t.Last)
	if s.flows == 0 || s.flow != t.Flow { // interleaved flows may be counted again: it is a hint
		s.flow = t.Flow
		s.flows++
	}
	a.sent += t.Sent
	a.hands += t.Handshake
	a.span(t.First, t.Last)
	if t.OneWay {
		a.caveats = addWord(a.caveats, OneWay, maxReasons)
	}
	if t.Device.Shared || t.Device.Verdict.Shared {
		a.caveats = addWord(a.caveats, "several devices share this address", maxReasons)
	}
	if slices.Equal(hits, []geo.Basis{geo.LocationSuspected}) {
		a.caveats = addWord(a.caveats, "the location is known at low confidence only", maxReasons)
	}
	a.dirty = true
	return overflow
}

// saw notes a server of which nothing is counted yet.
func (a *account) saw(t *sensor.Transfer, p *place, hits []geo.Basis) {
	s, overflow := a.server(serverKey{t.Server, t.Name, lastOf(t.CNAMEs), t.Tunnel != ""}, t.First)
	if !overflow && s.flows == 0 {
		s.geo, s.hits, s.plane, s.maker = p.Jurisdiction, hits, t.Plane, t.NameMaker
		s.last = later(s.last, t.Last)
	}
}

func lastOf(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return l[len(l)-1]
}

// server returns the server of a key, made if need be; what it returns is good
// until the next call.
func (a *account) server(k serverKey, first time.Time) (s *server, overflow bool) {
	if s := a.known(k); s != nil {
		return s, false
	}
	limit := maxHeldServers
	if a.open() {
		limit = maxServers
	}
	if len(a.servers) >= limit {
		if a.others == nil {
			a.others = new(server)
		}
		a.others.first = or(a.others.first, first)
		return a.others, true
	}
	if n := len(a.servers); n == cap(a.servers) && n < 4 { // by one: doubling would waste what most never use
		a.servers = append(make([]contact, 0, n+1), a.servers...)
	}
	a.servers = append(a.servers, contact{k, server{first: first}})
	return &a.servers[len(a.servers)-1].server, false
}

func (a *account) known(k serverKey) *server {
	for i := range a.servers {
		if c := &a.servers[i]; c.serverKey == k {
			return &c.server
		}
	}
	return nil
}

// span grows the time of the account.
func (a *account) span(first, last time.Time) {
	if a.first.IsZero() || first.Before(a.first) {
		a.first = first
	}
	a.last = later(a.last, last)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// reset forgets everything: what follows is another story.
func (a *account) reset() { *a = account{rule: a.rule, maker: a.maker} }

// weigh decides which conditions a transfer meets. The threshold looks at
// payload, unless the policy counts all.
func (a *account) weigh(t *sensor.Transfer) {
	if t.Attempt {
		a.reach(tried, t.First)
		return
	}
	before := a.window.sum
	sum := a.window.add(t.Last, a.counted(t), time.Duration(a.rule.Policy.Threshold.Within))
	switch {
	case sum >= uint64(a.rule.Policy.Threshold.Sent):
		a.sumOf = nil
		from := t.Last
		if before == 0 {
			from = t.First
		}
		a.reach(sent, from)
	case t.Sent+t.Received > 0 || t.Packets > 0:
		a.reach(connected, t.First)
	}
}

// counted is what of a transfer counts towards the threshold.
func (a *account) counted(t *sensor.Transfer) uint64 {
	if a.rule.Policy.Threshold.Count == all {
		return t.Sent
	}
	return t.Sent - min(t.Sent, t.Handshake)
}

func (a *account) reach(condition int, from time.Time) {
	if !a.reached[condition] {
		a.reached[condition], a.reachAt = true, from
	}
}

// severity is the highest of the conditions reached, at confidence c.
func (a *account) severity(c handset.Confidence) (Severity, int) {
	best, of := Off, seen
	for i := range conditionOrder {
		if !a.reached[i] {
			continue
		}
		if s := a.rule.severityOf(i, c); s.rank() >= best.rank() && s != Off {
			best, of = s, i
		}
	}
	return best, of
}

// hide counts what a prohibited device sent to anywhere at all, and how much
// of it went where nobody can say.
func (a *account) hide(t *sensor.Transfer, isHidden bool) {
	if t.Last.Sub(a.hour) >= time.Hour {
		a.hour, a.hourSent, a.hourHid = t.Last, 0, 0
	}
	a.hourSent += t.Sent
	if isHidden {
		a.hourHid += t.Sent
	}
	h := &a.rule.Policy.Hidden
	if a.hourHid >= uint64(h.Sent) && float64(a.hourHid) >= h.Share*float64(a.hourSent) {
		a.reach(hidden, t.Last)
		a.span(t.First, t.Last)
		a.dirty = true
	}
}

// absorb adds what another account of the same rule holds.
func (a *account) absorb(b *account) {
	for i := range b.servers {
		c := &b.servers[i]
		mine, _ := a.server(c.serverKey, c.first)
		mine.merge(&c.server)
	}
	if b.others != nil {
		if a.others == nil {
			a.others = new(server)
		}
		a.others.merge(b.others)
	}
	a.flows.absorb(&b.flows)
	a.portions.absorb(&b.portions)
	if len(a.sumOf) == 0 && !a.reached[sent] {
		a.sumOf = b.sumOf
	}
	a.sent, a.hands, a.held = a.sent+b.sent, a.hands+b.hands, a.held+b.held
	for i := range a.reached {
		a.reached[i] = a.reached[i] || b.reached[i]
	}
	for _, w := range b.ids {
		a.ids = addWord(a.ids, w, maxReasons)
	}
	for _, w := range b.caveats {
		a.caveats = addWord(a.caveats, w, maxReasons)
	}
	a.window.points = append(a.window.points, b.window.points...)
	slices.SortFunc(a.window.points, func(x, y point) int { return x.at.Compare(y.at) })
	a.window.points = a.window.points[max(0, len(a.window.points)-maxPoints):]
	a.window.sum = 0
	for _, p := range a.window.points {
		a.window.sum += p.n
	}
	if !b.first.IsZero() {
		a.span(b.first, b.last)
	}
	a.reachAt = cmp.Or(a.reachAt, b.reachAt)
	a.dirty = true
}

func (s *server) merge(o *server) {
	if o.first.IsZero() {
		return
	}
	if s.first.IsZero() || o.first.Before(s.first) {
		s.first = o.first
	}
	s.geo, s.hits, s.plane, s.maker = o.geo, o.hits, o.plane, o.maker
	s.sent, s.hands, s.flows = s.sent+o.sent, s.hands+o.hands, s.flows+o.flows
	s.last = later(s.last, o.last)
}

// addWord adds w to a list of at most n different words.
func addWord(list []string, w string, n int) []string {
	if w == "" || len(list) >= n || slices.Contains(list, w) {
		return list
	}
	return append(list, w)
}
