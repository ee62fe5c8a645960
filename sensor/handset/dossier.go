package handset

import (
	"cmp"
	"math"
	"time"
)

// Dossier is the evidence state of one device: which signatures fired, when
// first and last, and how often. The zero value is ready to use. It is not
// safe for concurrent use.
//
// Names and addresses are not in it: a name is kept as the signature that
// it matched (and a 16-bit hash of the service, for rules that stand for
// many services), a hardware address as a 32-bit hash, a host name or
// User-Agent as the model that it names.
//
// The order in which evidence is added does not matter.
type Dossier struct {
	set     *Set
	rare    *rare // what most do not have; nil for those
	items   []item
	last    int64     // Unix time of the last evidence, matched or not
	seen    uint32    // pieces of evidence, matched or not
	holders uint32    // hardware addresses and DHCP host names that it spoke by
	first   [2]holder // of those; the others are rare
}

// rare is what most dossiers do not have.
type rare struct {
	models []modelSeen
	rest   *rest // what hardly any has; nil for those
}

type rest struct {
	who     []holder
	stored  string // as read from a store, until a set is known; empty for nothing
	evicted uint32 // items that gave way to better ones
}

// noRest is what nobody may write to.
var noRest rest

// few returns what hardly any dossier has, to be read.
func (d *Dossier) few() *rest {
	if d.rare == nil || d.rare.rest == nil {
		return &noRest
	}
	return d.rare.rest
}

// more returns what hardly any dossier has, to be written.
func (d *Dossier) more() *rest {
	if d.rare == nil {
		d.rare = new(rare)
	}
	if d.rare.rest == nil {
		d.rare.rest = new(rest)
	}
	return d.rare.rest
}

// Evicted is how many items gave way to better ones.
func (d *Dossier) Evicted() uint32 { return d.few().evicted }

// item is one signature that fired.
type item struct {
	sig   uint16
	sub   uint16
	count uint16 // saturates
	visit bool   // seen within seconds of a web visit: counts as web plane
	days  uint32 // bit n: seen n days before the day of last
	span  uint32 // seconds from the first sight to the last; saturates
	last  int64  // Unix time
}

const day = 24 * 60 * 60

// Add takes one piece of evidence and reports whether it may change the
// verdict. What no signature knows is not kept.
//
// A hardware address that differs from those before begins a new binding:
// evidence from before it no longer counts. Whoever joins two addresses to
// one device on other grounds does not add the second.
func (d *Dossier) Add(s *Set, e Evidence) (changed bool) {
	d.adopt(s)
	at := e.At.Unix()
	if d.seen == 0 || at > d.last {
		d.last = at
	}
	d.seen++
	switch {
	case e.Family == "mac":
		if mac, ok := parseMAC(e.Value); ok {
			changed = d.spoke(mac, 0, at)
		}
	case e.Family == "dhcp" && e.Field == "hostname" && e.Value != "":
		changed = d.spoke(hashName(e.Value), 1, at)
	}
	var room [maxHits]hit
	for _, h := range s.recognise(room[:0], &e) {
		visit := e.Visit && s.sigs[h.sig].family == Names
		if d.addItem(h, visit, at) {
			changed = true
		}
		if h.model != "" {
			d.addModel(h, at)
		}
	}
	return changed
}

// addItem counts a signature. New ones, and those last seen on another day,
// may change a verdict.
func (d *Dossier) addItem(h hit, visit bool, at int64) bool {
	for i := range d.items {
		t := &d.items[i]
		if t.sig == h.sig && t.sub == h.sub && t.visit == visit {
			old := t.days
			t.see(at)
			return t.days != old
		}
	}
	t := item{sig: h.sig, sub: h.sub, visit: visit, last: at, count: 1, days: 1}
	if most := d.set.rules.Items; len(d.items) >= most {
		d.more().evicted++
		worst := d.worst()
		if d.compare(&t, &d.items[worst]) <= 0 {
			return false
		}
		d.items[worst] = t
		return true
	}
	if len(d.items) == cap(d.items) { // by two: doubling would waste half of most dossiers
		d.items = append(make([]item, 0, len(d.items)+2), d.items...)
	}
	d.items = append(d.items, t)
	return true
}

// see counts one more sight of an item.
func (t *item) see(at int64) {
	if t.count < 1<<16-1 {
		t.count++
	}
	days := floorDay(at) - floorDay(t.last)
	switch {
	case days > 31:
		t.days = 1
	case days > 0:
		t.days = t.days<<days | 1
	case days > -32:
		t.days |= 1 << -days
	}
	first := min(t.last-int64(t.span), at)
	t.last = max(t.last, at)
	t.span = uint32(min(t.last-first, math.MaxUint32))
}

func floorDay(at int64) int64 {
	n := at / day
	if at%day < 0 {
		n--
	}
	return n
}

// worst is the item that says least.
func (d *Dossier) worst() int {
	w := 0
	for i := range d.items {
		if d.compare(&d.items[i], &d.items[w]) < 0 {
			w = i
		}
	}
	return w
}

// compare orders items by what they are worth keeping: identity before
// names, strong before weak, then recent before old.
func (d *Dossier) compare(a, b *item) int {
	x, y := &d.set.sigs[a.sig], &d.set.sigs[b.sig]
	return cmp.Or(
		cmp.Compare(worth(x, a), worth(y, b)),
		cmp.Compare(a.last, b.last),
		cmp.Compare(a.sig, b.sig),
		cmp.Compare(a.sub, b.sub),
	)
}

func worth(g *signature, t *item) int {
	w := int(g.plane)*8 + int(g.strength)
	if g.family != Names {
		w += 32
	}
	if t.visit {
		w = 1
	}
	return w
}

// adopt moves the dossier to another set of signatures, by their ids. What
// the new set does not know is dropped.
func (d *Dossier) adopt(s *Set) {
	if d.set == s {
		return
	}
	if b := d.few().stored; b != "" {
		if err := d.restore(s, []byte(b)); err != nil {
			*d = Dossier{} // it was read without error before: cannot happen
		}
	}
	old := d.set
	d.set = s
	if old == nil || old == s {
		return
	}
	move := func(sig uint16) (uint16, bool) {
		i, ok := s.byID[old.sigs[sig].id]
		return uint16(i), ok
	}
	items := d.items[:0]
	for _, t := range d.items {
		if sig, ok := move(t.sig); ok {
			t.sig = sig
			items = append(items, t)
		}
	}
	d.items = items
	if d.rare == nil {
		return
	}
	models := d.rare.models[:0]
	for _, m := range d.rare.models {
		if sig, ok := move(m.sig); ok {
			m.sig = sig
			models = append(models, m)
		}
	}
	d.rare.models = models
}

// Enough reports whether enough was seen to say anything; until then a
// device is learning.
func (d *Dossier) Enough() bool {
	if d.set == nil {
		return false
	}
	need := d.set.rules.Enough
	for i := range d.items {
		if g := &d.set.sigs[d.items[i].sig]; g.family != Names && g.strength >= Mostly {
			need = d.set.rules.Enough / 2 // it has told who it is: half will do
			break
		}
	}
	return int(d.seen) >= need
}

// Last is the time of the last evidence; zero when there is none.
func (d *Dossier) Last() time.Time {
	if d.seen == 0 {
		return time.Time{}
	}
	return time.Unix(d.last, 0).UTC()
}
