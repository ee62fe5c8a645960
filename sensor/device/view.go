package device

import (
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// lastSeenStep is how far View.Last may lag behind: a View is made anew for a
// change, and not for every packet.
const lastSeenStep = int64(time.Minute)

// Change says that what is known of a device changed.
type Change struct {
	At     time.Time
	Device *View
	Before handset.Verdict
	Gone   bool
	Into   ID
	Why    string
}

// View returns what is known of d now, with its verdict up to date; of the
// device it was joined into, if it was. It costs nothing while nothing changes.
func (t *Table) View(d *Device) *View {
	d = d.root()
	if d.is(dead) {
		return nil
	}
	switch {
	case d.is(dirty) || d.view == nil:
		t.judgeNow(d, "")
	case d.is(stale) || d.last-d.view.Last.UnixNano() > lastSeenStep:
		verdict := d.view.Verdict
		d.view = t.build(d, &verdict)
		d.flags &^= stale
	}
	return d.view
}

// judgeNow makes the verdict anew and announces what changed of it.
func (t *Table) judgeNow(d *Device, why string) {
	d.flags &^= dirty
	d.judged = t.now
	before := handset.Verdict{Class: "unknown", Handset: "unknown"}
	if d.view != nil {
		before = d.view.Verdict
	} else {
		before.Maker, before.Class, before.Model, before.Handset = t.makerName(d.summary.maker), classes[d.summary.class], "", answerWords[d.summary.handset]
		before.Confidence, before.Shared = handset.Confidence(d.summary.confidence), d.summary.shared
	}
	d.view = t.build(d, nil)
	d.flags &^= stale
	s := t.summarize(&d.view.Verdict)
	if s == d.summary && why == "" {
		return
	}
	if why == "" {
		why = "evidence"
	}
	d.summary = s
	t.rerank(d)
	t.changes = append(t.changes, Change{At: timeOf(t.now), Device: d.view, Before: before, Why: why})
}

// announce tells of a change that is not one of evidence.
func (t *Table) announce(d *Device, at int64, why string) {
	if d.is(dead) || d.into != nil {
		return
	}
	if d.view == nil && d.dossier == nil && !d.is(router) {
		return // nobody was told of it yet
	}
	t.judgeNow(d, why)
}

// The words of a verdict, so that a summary need not hold them.
var (
	classes     = [...]string{"unknown", "handset", "tablet", "laptop", "tv", "wearable", "iot", "router", "server"}
	answerWords = [...]string{"unknown", "yes", "no"}
)

func (t *Table) summarize(v *handset.Verdict) summary {
	s := summary{maker: t.makerIndex(v.Maker), confidence: uint8(v.Confidence), shared: v.Shared}
	if v.Model != "" {
		s.model = fold(v.Model)
	}
	s.class = uint8(max(0, slices.Index(classes[:], v.Class)))
	s.handset = uint8(max(0, slices.Index(answerWords[:], v.Handset)))
	return s
}

func (t *Table) makerName(n uint8) string {
	if n == 0 {
		return ""
	}
	return t.makers[n-1]
}

// roomy is a View with room for what most need: one piece of memory instead
// of three.
type roomy struct {
	View
	macs  [1]packet.MAC
	addrs [1]netip.Addr
}

// build makes a new View, with a new verdict unless one is given.
func (t *Table) build(d *Device, verdict *handset.Verdict) *View {
	r := new(roomy)
	v := &r.View
	*v = View{
		ID: d.id(), Seq: d.seq, Realm: t.realmOf[d.realm], RandomMAC: d.is(isRandom), Hostname: t.hostname(d.hostname),
		First: timeOf(d.first), Last: timeOf(d.last),
		Router: d.is(router), Leased: d.is(leased), Shared: t.isShared(d),
		MACs: r.macs[:0:1], Addrs: r.addrs[:0:1],
	}
	if n := len(d.bindings); n > 1 {
		v.Addrs = make([]netip.Addr, 0, n)
	}
	t.addresses(v, d)
	if d.place != nil {
		v.Place, v.VLAN = *d.place, d.place.VLAN
	}
	if d.join != nil {
		if c := d.join.current; c != nil {
			v.RandomMAC = c.is(isRandom)
		}
		for _, m := range d.join.members {
			v.Leased = v.Leased || m.is(leased)
			t.addresses(v, m)
			if m.place != nil && m.place.At.After(v.Place.At) {
				v.Place, v.VLAN = *m.place, m.place.VLAN
			}
		}
	}
	sort.Slice(v.Addrs, func(i, j int) bool { return v.Addrs[i].Less(v.Addrs[j]) })
	if verdict != nil {
		v.Verdict = *verdict
	} else {
		v.Verdict = t.verdict(d, v)
	}
	v.Learning = !v.Router && (d.dossier == nil || !d.dossier.Enough())
	if t.cfg.Watched != nil && t.cfg.Watched(v) {
		v.Watched = true
		d.flags |= watched
	} else {
		d.flags &^= watched
	}
	return v
}

func (t *Table) addresses(v *View, d *Device) {
	if d.mac != zeroMAC {
		v.MACs = append(v.MACs, d.mac)
	}
	for _, b := range d.bindings {
		v.Addrs = append(v.Addrs, b.addr.Netip())
	}
}

func (t *Table) isShared(d *Device) bool { return d.sharedUntil > seconds(t.now) }

func (t *Table) verdict(d *Device, v *View) handset.Verdict {
	if d.is(router) {
		return handset.Verdict{Class: "router", Handset: "no"}
	}
	if d.dossier == nil {
		return handset.Verdict{Class: "unknown", Handset: "unknown", Shared: v.Shared}
	}
	out := d.dossier.Verdict(t.at(d), Network{Shared: v.Shared, Leased: v.Leased})
	out.Shared = out.Shared || v.Shared
	return out
}

func (t *Table) at(d *Device) time.Time {
	if t.now > d.last {
		return timeOf(t.now)
	}
	return timeOf(d.last)
}

// Changes returns what changed since the call before, oldest first. The slice
// is good until the next call that changes the table.
func (t *Table) Changes() []Change {
	c := t.changes
	t.changes = t.changes[:0]
	return c
}

// Where says in words where a device is.
func (v *View) Where() string { return where(v.Place) }

func where(p observation.Place) string {
	words := ""
	add := func(label, s string) {
		if s == "" {
			return
		}
		if words != "" {
			words += ", "
		}
		words += label + s
	}
	add("access point ", p.AccessPoint)
	add("SSID ", p.SSID)
	add("switch ", p.Switch)
	add("port ", p.Port)
	if p.VLAN != 0 {
		add("VLAN ", strconv.Itoa(int(p.VLAN)))
	}
	if words == "" {
		return "place unknown: no source"
	}
	return words + " (" + p.Source + ", " + p.At.UTC().Format("2006-01-02 15:04:05Z") + ")"
}
