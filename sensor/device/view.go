package device

import (
	"bytes"
	"slices"
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
	case d.is(stale) || d.last-d.view.last > lastSeenStep:
		d.view = t.build(d, d.view.Verdict)
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
		before = *d.view.Verdict
	} else {
		before.Maker, before.Class, before.Model, before.Handset = t.makerName(d.summary.maker), classes[d.summary.class], "", answerWords[d.summary.handset]
		before.Confidence, before.Shared = handset.Confidence(d.summary.confidence), d.summary.shared
	}
	d.view = t.build(d, nil)
	d.flags &^= stale
	s := t.summarize(d.view.Verdict)
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
	if d.is(dead) || d.into() != nil {
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

// build makes a new View, with a new verdict unless one is given.
func (t *Table) build(d *Device, verdict *handset.Verdict) *View {
	old := d.view
	v := &View{
		Seq: d.seq, Realm: t.realmOf[d.realm], RandomMAC: d.is(isRandom), mac: d.mac, place: d.place,
		first: d.first, last: d.last, Router: d.is(router), Leased: d.is(leased), Shared: t.isShared(d),
	}
	if d.hostname != 0 {
		v.more = t.hostnames[d.hostname-1]
	}
	if j := d.join(); j != nil {
		t.joined(v, d, j)
	}
	if v.place != nil {
		v.VLAN = v.place.vlan
	}
	t.setAddrs(v, d, old)
	if v.Verdict = verdict; verdict == nil {
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

// joined adds what the devices that were joined into d have of their own.
func (t *Table) joined(v *View, d *Device, j *join) {
	if c := j.current; c != nil {
		v.RandomMAC = c.is(isRandom)
	}
	macs := make([]packet.MAC, 0, 1+len(j.members))
	if d.mac != zeroMAC {
		macs = append(macs, d.mac)
	}
	for _, m := range j.members {
		v.Leased = v.Leased || m.is(leased)
		if m.mac != zeroMAC {
			macs = append(macs, m.mac)
		}
		if m.place.time() > v.place.time() {
			v.place = m.place
		}
	}
	v.setMACs(macs)
}

// usualAddrs is how many addresses are sorted without asking for memory.
const usualAddrs = 16

// setAddrs sets the id, and packs the addresses of d: in one piece of memory,
// that of the View before if they are the same.
func (t *Table) setAddrs(v *View, d *Device, old *View) {
	var room [usualAddrs]packet.Addr
	list := t.addrsOf(room[:0], d)
	if j := d.join(); j != nil {
		for _, m := range j.members {
			list = t.addrsOf(list, m)
		}
	}
	slices.SortFunc(list, compareAddr)
	var packed [idLen + 16*usualAddrs]byte
	b := appendID(packed[:0], d.num)
	for i := range list {
		b = append(b, list[i][:]...)
	}
	if old != nil && old.addrs == string(b[idLen:]) {
		v.ID, v.addrs = old.ID, old.addrs
		return
	}
	both := string(b)
	v.ID, v.addrs = ID(both[:idLen]), both[idLen:]
}

func (t *Table) addrsOf(list []packet.Addr, d *Device) []packet.Addr {
	for b := range t.held(d) {
		list = append(list, b.addr)
	}
	return list
}

// compareAddr orders as netip.Addr.Compare does: IPv4 before IPv6.
func compareAddr(a, b packet.Addr) int {
	if four := is4(a); four != is4(b) {
		if four {
			return -1
		}
		return 1
	}
	return bytes.Compare(a[:], b[:])
}

func (t *Table) isShared(d *Device) bool { return d.few().sharedUntil > seconds(t.now) }

// Verdicts without evidence.
var (
	routerVerdict = handset.Verdict{Class: "router", Handset: "no"}
	noVerdict     = handset.Verdict{Class: "unknown", Handset: "unknown"}
	sharedVerdict = handset.Verdict{Class: "unknown", Handset: "unknown", Shared: true}
)

func (t *Table) verdict(d *Device, v *View) *handset.Verdict {
	switch {
	case d.is(router):
		return &routerVerdict
	case d.dossier == nil && v.Shared:
		return &sharedVerdict
	case d.dossier == nil:
		return &noVerdict
	}
	out := d.dossier.Verdict(t.at(d), Network{Shared: v.Shared, Leased: v.Leased})
	if v.Shared && !out.Shared {
		said := *out
		said.Shared = true
		return &said
	}
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
func (v *View) Where() string { return where(v.Place()) }

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
