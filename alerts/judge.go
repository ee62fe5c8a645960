package alerts

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

// JudgeConfig is what a Judge is made of.
type JudgeConfig struct {
	Rules    []*Rule
	Geo      Placer
	Store    Store        // nil: nothing outlives the process
	Announce Announcer    // nil: nobody is told
	Metrics  *Metrics     // nil: not counted
	Logger   *slog.Logger // nil: no log
	Limits   Limits
	FlowOf   FlowOf    // for a fleet; nil: conversations are not told apart
	Sensor   string    // name in the fleet, with FlowOf: thresholds hold for what all sensors see together; empty: for this one alone
	Now      time.Time // start of packet time, for what the store has; zero: everything it has
}

// Judge is the sensor's Sink: it asks every policy about every transfer and
// keeps the episodes. All its methods are safe for concurrent use; time is
// packet time.
type Judge struct {
	mu      sync.Mutex
	rules   []*Rule
	geo     Placer
	store   Store
	tell    Announcer
	metrics *Metrics
	log     *slog.Logger
	limits  Limits
	places  places
	warm    uint64 // what Ahead added up
	early   earlies

	databases databases
	flowOf    FlowOf
	sums      *sums // nil: thresholds are this sensor's own

	dossiers dossiers
	held     int // accounts without an open episode
	open     map[*account]*dossier
	sentBy   map[labelPair]prometheus.Counter
	now      time.Time
	changeAt time.Time // when the next exemption ends; zero for never
	sweepAt  time.Time
}

// NewJudge makes a Judge with the episodes that the store has.
func NewJudge(c JudgeConfig) (*Judge, error) {
	j := &Judge{
		geo: c.Geo, store: c.Store, tell: c.Announce, metrics: c.Metrics, log: c.Logger,
		limits: c.Limits.filled(), places: newPlaces(), rules: c.Rules, now: c.Now, flowOf: c.FlowOf,
		dossiers: newDossiers(), open: map[*account]*dossier{}, sentBy: map[labelPair]prometheus.Counter{},
	}
	if j.log == nil {
		j.log = slog.New(slog.DiscardHandler)
	}
	if c.Sensor != "" && c.FlowOf != nil {
		j.sums = newSums(c.Sensor)
	}
	j.schedule(c.Now)
	return j, j.restore(c.Now)
}

// Transfer judges what one device did in one conversation.
func (j *Judge) Transfer(t sensor.Transfer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(t.Last)
	d := j.dossier(t.Device)
	p := j.place(keyOf(&t), t.CNAMEs)
	j.countBytes(&t, p)
	if !d.concerned {
		return
	}
	isHidden := hiddenFrom(&t)
	var before *early
	if t.Name != "" {
		before = j.early.take(&t)
	}
	counted := uint64(0)
	for i, r := range j.rules {
		if d.standing(i) == Permitted {
			continue
		}
		if r.severity[seen] != Off && d.standing(i) == Prohibited {
			j.present(d, i, t.First, t.Last)
		}
		if j.apply(d, i, r, before.whole(i, &t), p, isHidden) && i < maxEarlyRules {
			counted |= 1 << i
		}
	}
	if t.Name == "" && j.early.note(&t, counted) {
		j.metrics.evict(evictedEarly)
	}
}

// Where says under whose law the server of t is. The Transfer that follows
// need not look again.
func (j *Judge) Where(t *sensor.Transfer) *geo.Jurisdiction {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.place(keyOf(t), t.CNAMEs).Jurisdiction
}

// apply lets rule i of d have its say about a transfer. It reports whether it
// counts against the device, or is held until the verdict.
func (j *Judge) apply(d *dossier, i int, r *Rule, t *sensor.Transfer, p *place, isHidden bool) bool {
	who := j.whose(d, i, r, t, p)
	ok, _ := r.restricted(t, len(p.hits[i]) > 0, p.Owner.Name, or(who, t.Device.Verdict.Maker))
	hides := r.severity[hidden] != Off && d.standing(i) == Prohibited && t.Sent > 0
	if !ok {
		if hides && j.watches(r, t) {
			a := j.account(d, r, who, t.Last)
			a.hide(t, isHidden)
			j.settle(d, i, a)
		}
		return false
	}
	a := j.account(d, r, who, t.Last)
	if a.add(t, p, p.hits[i]) {
		j.metrics.evict(evictedServer)
	}
	for _, s := range p.Sources {
		a.dbs = addWord(a.dbs, j.databases.word(s), maxReasons)
	}
	j.tellFlow(a, t)
	a.weigh(t)
	if hides {
		a.hide(t, isHidden)
	}
	if d.standing(i) == Undecided {
		a.held += t.Sent
	}
	j.settle(d, i, a)
	return true
}

// whose says which maker's account a transfer belongs to, for rules about
// the maker's own servers: the device's, and while that is not known the
// server's. For other rules there is one account.
func (j *Judge) whose(d *dossier, i int, r *Rule, t *sensor.Transfer, p *place) string {
	switch {
	case !r.sameMaker:
		return ""
	case d.standing(i) == Prohibited:
		return t.Device.Verdict.Maker
	case t.NameMaker != "":
		return t.NameMaker
	}
	if owner := strings.ToLower(p.Owner.Name); r.makers[owner] {
		return owner
	}
	return ""
}

// watches reports whether rule r looks at this conversation at all, wherever
// it goes.
func (j *Judge) watches(r *Rule, t *sensor.Transfer) bool {
	if !r.hours.contains(t.Last) || !r.inZone(t.VLAN, t.Client.Addr(), t.Device) {
		return false
	}
	_, exempt := r.except.transfer(t.Client.Addr(), t.Server.Addr(), t.Name, t.Last)
	return !exempt
}

func hiddenFrom(t *sensor.Transfer) bool {
	switch t.Visibility {
	case observation.HiddenTunnel, observation.HiddenECH, observation.HiddenDoH, observation.Unnamed:
		return true
	}
	return t.Tunnel != ""
}

// present notes that a prohibited device is there.
func (j *Judge) present(d *dossier, i int, first, last time.Time) {
	a := j.account(d, j.rules[i], "", last)
	a.reach(seen, first)
	a.span(first, last)
	j.settle(d, i, a)
}

// Question notes that a device asked for a restricted name: it tried.
func (j *Judge) Question(q sensor.Question) {
	t := sensor.Transfer{Device: q.Device, Name: q.Name, Plane: q.Plane, NameMaker: q.NameMaker, First: q.At, Last: q.At, Attempt: true}
	if !q.Device.Addressed() {
		return // nothing to hold an exemption of a network against
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(q.At)
	d := j.dossier(q.Device)
	if !j.countsQuestions(d) {
		return
	}
	p := j.place(placeKey{name: q.Name, question: true}, nil)
	if !p.any {
		return
	}
	for i, r := range j.rules {
		if d.standing(i) == Prohibited && r.severity[tried] != Off && j.asks(q.Device, r, &t) {
			j.apply(d, i, r, &t, p, false)
		}
	}
}

// countsQuestions reports that some rule counts what d asks for: only then is
// the name worth placing.
func (j *Judge) countsQuestions(d *dossier) bool {
	for i, r := range j.rules {
		if d.standing(i) == Prohibited && r.severity[tried] != Off {
			return true
		}
	}
	return false
}

// asks puts an address of the device that is not exempt into t, if all its
// addresses are watched.
func (j *Judge) asks(v *device.View, r *Rule, t *sensor.Transfer) bool {
	t.VLAN = v.VLAN
	for _, a := range v.Addrs() {
		t.Client = addrPort(a)
		if !j.watches(r, t) {
			return false
		}
	}
	return true
}

// Identifier notes an identifier sent in clear to a restricted place.
func (j *Judge) Identifier(f sensor.Identifier) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(f.At)
	d := j.dossier(f.Device)
	if !d.concerned {
		return
	}
	t := sensor.Transfer{
		Device: f.Device, Server: f.Server, Name: f.Name, Plane: f.Plane, NameMaker: f.NameMaker, First: f.At, Last: f.At, VLAN: f.Device.VLAN,
	}
	if n := len(f.Device.Addrs()); n > 0 {
		t.Client = addrPort(f.Device.Addrs()[0])
	}
	p := j.place(keyOf(&t), nil)
	for i, r := range j.rules {
		if d.standing(i) == Permitted {
			continue
		}
		who := j.whose(d, i, r, &t, p)
		if ok, _ := r.restricted(&t, len(p.hits[i]) > 0, p.Owner.Name, or(who, f.Device.Verdict.Maker)); !ok {
			continue
		}
		a := j.account(d, r, who, f.At)
		a.ids = addWord(a.ids, f.Found.Kind, maxReasons)
		a.saw(&t, p, p.hits[i]) // its bytes are counted a little later
		a.reach(identifier, f.At)
		a.span(f.At, f.At)
		a.dirty = true
		j.settle(d, i, a)
	}
}

// Verdict takes over what is known of a device, and settles its accounts.
func (j *Judge) Verdict(c sensor.VerdictChange) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(c.At)
	if c.Gone {
		j.gone(c)
		return
	}
	d := j.dossier(c.Device)
	for i, r := range j.rules {
		if d.standing(i) == Prohibited && r.severity[seen] != Off {
			j.present(d, i, c.At, c.At)
		}
	}
}

// countBytes counts a handset's bytes by location and by visibility.
func (j *Judge) countBytes(t *sensor.Transfer, p *place) {
	v := t.Device.Verdict
	if j.metrics == nil || t.Sent == 0 || v.Class != "handset" {
		return
	}
	maker := v.Maker
	if v.Confidence == handset.None {
		maker = ""
	}
	key := labelPair{maker, string(p.location)}
	c := j.sentBy[key]
	if c == nil {
		c = j.metrics.Sent(maker, p.location)
		if len(j.sentBy) < maxSentBy {
			j.sentBy[key] = c
		}
	}
	c.Add(float64(t.Sent))
	if vis := j.metrics.visibility[t.Visibility]; vis != nil {
		vis.Add(float64(t.Sent))
	}
}

// maxSentBy bounds the resolved counters: makers and countries are closed
// lists, so that it is not reached by an honest sensor.
const maxSentBy = 1 << 15

// Open returns the open episodes.
func (j *Judge) Open() []evidence.Episode {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]evidence.Episode, 0, len(j.open))
	for a, d := range j.open {
		j.describe(d, a)
		out = append(out, *a.episode)
	}
	sortEpisodes(out)
	return out
}
