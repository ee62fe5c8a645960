package device

import (
	"fmt"
	"strings"
	"time"
)

// Several makers whose system names one address asks for over the same time
// are several devices. One name may be a copied probe host, so each needs two.
const (
	makersWithin  = 15 * time.Minute
	sharedFor     = time.Hour // since it was last so
	resolverMaker = 5         // makers at one address: a resolver or a NAT
	maxMakersSeen = 6
	maxMakerNames = 250 // interned; signature sets know some fifty
	hintEvery     = time.Hour
	maxHints      = 64
)

// makerSeen is one maker whose system a device seems to run.
type makerSeen struct {
	name        uint32 // hash of one of its names
	first, last uint32 // seconds
	maker       uint8  // index into Table.makers, plus one
	names       uint8  // distinct ones, to 2
}

// neutral are the owners of system names that say nothing against another
// maker: every Android phone asks some, and the rest are parts and protocols.
const neutral = " android google qualcomm mediatek linux mozilla network odm espressif camera printer "

// brands that ship one system: their names are no conflict.
var groups = map[string]string{
	"oppo": "oppo", "realme": "oppo", "oneplus": "oppo", "oppo-group": "oppo",
	"huawei": "huawei", "honor": "huawei", "huawei-or-honor": "huawei",
	"motorola": "lenovo", "lenovo": "lenovo", "zte": "zte", "nubia": "zte",
}

// noteMaker takes a system name of a maker seen apart from web visits.
func (t *Table) noteMaker(d *Device, maker, name string, at int64) {
	if maker == "" || strings.Contains(neutral, " "+maker+" ") {
		return
	}
	if g := groups[maker]; g != "" {
		maker = g
	}
	t.noteSystem(d, maker, fold(name), at)
}

// agent takes the system that a User-Agent names. Browsers can ask for the
// desktop site, so only the two phone systems count.
func (t *Table) agent(d *Device, ua string, at int64) {
	switch {
	case strings.Contains(ua, "iPhone;"):
		t.noteSystem(d.root(), "apple", fold(ua), at)
	case strings.Contains(ua, "Android"):
		t.noteSystem(d.root(), "an android phone", fold(ua), at)
	}
}

func (t *Table) noteSystem(d *Device, maker string, name uint32, at int64) {
	m := t.makerIndex(maker)
	if m == 0 || d.is(router) {
		return
	}
	now := uint32(at / int64(time.Second))
	slot := d.makerSlot(m)
	if slot.maker != m || now-slot.last > uint32(makersWithin/time.Second) && now > slot.last {
		*slot = makerSeen{name: name, first: now, maker: m, names: 1}
	} else if slot.name != name {
		slot.names = 2
	}
	slot.last = now
	t.mixed(d, at)
}

// makerSlot returns where this maker is noted, or the slot to use for it.
func (d *Device) makerSlot(m uint8) *makerSeen {
	oldest := 0
	list := d.few().makers
	for i := range list {
		if list[i].maker == m {
			return &list[i]
		}
		if list[i].last < list[oldest].last {
			oldest = i
		}
	}
	if len(list) < maxMakersSeen {
		list = append(list, makerSeen{})
		d.more().makers = list
		oldest = len(list) - 1
	}
	return &list[oldest]
}

func (t *Table) makerIndex(maker string) uint8 {
	if maker == "" {
		return 0
	}
	for i, m := range t.makers {
		if m == maker {
			return uint8(i + 1)
		}
	}
	if len(t.makers) >= maxMakerNames {
		t.stats.Evicted["maker"]++
		return 0
	}
	t.makers = append(t.makers, strings.Clone(maker))
	return uint8(len(t.makers))
}

// mixed decides whether several devices stand behind d.
func (t *Table) mixed(d *Device, at int64) {
	now := uint32(at / int64(time.Second))
	var seen []string
	var span [maxMakersSeen]makerSeen
	for _, s := range d.few().makers {
		if s.maker != 0 && s.names >= 2 && now-s.last <= uint32(makersWithin/time.Second) {
			span[len(seen)] = s
			seen = append(seen, t.makers[s.maker-1])
		}
	}
	if len(seen) < 2 || !conflicting(seen) || !takeTurns(span[:len(seen)]) {
		return
	}
	was := d.few().sharedUntil > now
	d.more().sharedUntil = now + uint32(sharedFor/time.Second)
	if !was {
		t.markDirty(d)
	}
	if len(seen) >= resolverMaker {
		t.hintResolver(d, seen, at)
	}
}

// conflicting reports that the systems cannot be one device's: an Android
// User-Agent fits every maker but Apple.
func conflicting(seen []string) bool {
	apple, android, makers := false, false, 0
	for _, m := range seen {
		switch m {
		case "apple":
			apple = true
			makers++
		case "an android phone":
			android = true
		default:
			makers++
		}
	}
	return makers >= 2 || apple && android
}

// takeTurns reports that one was seen again after another began: a phone that
// was given the address of one that left does not look like that.
func takeTurns(seen []makerSeen) bool {
	for i, a := range seen {
		for _, b := range seen[i+1:] {
			if a.last >= b.first && b.last >= a.first {
				return true
			}
		}
	}
	return false
}

// hintResolver tells the operator that the tap seems to stand beyond a
// resolver or a NAT.
func (t *Table) hintResolver(d *Device, makers []string, at int64) {
	if d.bindings == 0 {
		return
	}
	k := t.keyOf(t.byAddr.at(d.bindings))
	if last, ok := t.hinted[k]; ok && at-last < int64(hintEvery) || len(t.hinted) >= maxHints {
		return
	}
	t.hinted[k] = at
	t.hints = append(t.hints, Hint{
		At: timeOf(at), Kind: "resolver-or-nat", Realm: t.realmOf[d.realm], Addr: k.addr.Netip(),
		Text: fmt.Sprintf("system names of %d makers (%s) come from one address: it is a resolver or a NAT, and the tap stands beyond it; devices cannot be told apart there", len(makers), strings.Join(makers, ", ")),
	})
}

// goesBack marks a device shared that begins a conversation from an IPv4
// address although a later one of its own is in use: a repeater that answers
// ARP for the hosts behind it looks like that, a host with a new lease does not.
func (t *Table) goesBack(b *binding, begin, at int64) {
	owner := t.of(b)
	for x := range t.held(owner) {
		if x == b || !is4(x.addr) || linkLocal(x.addr) || x.since <= b.since || begin <= x.since || x.silence(at) > sameTime {
			continue
		}
		d := owner.root()
		until := seconds(at + int64(sharedFor))
		if now := d.few().sharedUntil; now <= seconds(at) {
			t.markDirty(d)
			d.more().sharedUntil = until
		} else if until > now+60 {
			d.more().sharedUntil = until
		}
		return
	}
}

// Hints returns what was found out about the position of the tap since the
// call before.
func (t *Table) Hints() []Hint {
	h := t.hints
	t.hints = nil
	return h
}
