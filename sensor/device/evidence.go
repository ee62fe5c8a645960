package device

import (
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// aloneFor is how long a MAC that no ARP, ND or DHCP proves to be on this
// link must have spoken for one address only, before its manufacturer counts.
const aloneFor = int64(5 * time.Minute)

// maxLocalNames bounds what is read from one mDNS message.
const maxLocalNames = 8

// evidence gives one fact to the device, and to the one it was joined into.
func (t *Table) evidence(d *Device, e handset.Evidence) {
	if d.is(router | dead) {
		return
	}
	t.weigh(d, e)
	if into := d.into(); into != nil && e.Family != "mac" { // the join is the reason, and another MAC would begin a new dossier
		t.weigh(into, e)
	}
}

func (t *Table) weigh(d *Device, e handset.Evidence) {
	if d.dossier == nil {
		d.dossier = t.judge.New()
	}
	learning := !d.dossier.Enough()
	if d.dossier.Add(e) {
		t.markDirty(d)
	}
	if learning && d.dossier.Enough() { // no other verdict, but the View says so
		d.flags |= stale
	}
}

func (t *Table) markDirty(d *Device) {
	if d.is(dirty|dead) || d.into() != nil {
		return
	}
	d.flags |= dirty
	t.dirty = append(t.dirty, d)
}

// addHardware makes the MAC itself evidence, once, as of when the device was
// first seen: all its evidence came from that MAC.
func (t *Table) addHardware(d *Device) {
	if d.is(hardware|router) || d.mac == zeroMAC {
		return
	}
	d.flags |= hardware
	t.evidence(d, handset.Evidence{At: timeOf(d.first), Family: "mac", Field: "address", Value: macText(d.mac)})
}

// keepHardware notes that the MAC is still the device's, lest it decays.
func (t *Table) keepHardware(d *Device) {
	if d.is(hardware) && d.mac != zeroMAC {
		t.evidence(d, handset.Evidence{At: timeOf(d.last), Family: "mac", Field: "address", Value: macText(d.mac)})
	}
}

// alone counts the manufacturer of a MAC that spoke for one address alone for
// long enough.
func (t *Table) alone(d *Device) {
	if !d.is(hardware|proven|suspect|router) && d.mac != zeroMAC && d.last-d.first >= aloneFor && d.bindings != 0 {
		t.addHardware(d)
	}
}

// conversation reads evidence that a client sent in a conversation. Own says
// that its frames carried its own MAC, answered that the other side took part.
func (t *Table) conversation(d *Device, o *observation.Observation, own bool) {
	if !own || d.is(router) {
		return
	}
	switch o.Kind {
	case observation.MDNS:
		t.local(d, o)
		return
	case observation.SSDP:
		if o.HTTP.Server != "" {
			t.evidence(d, handset.Evidence{At: o.At, Family: "ssdp", Field: "server", Value: o.HTTP.Server})
		}
		return
	}
	if !o.Answered {
		return
	}
	t.spoken(d, o)
	switch o.Kind {
	case observation.DNS:
		if o.DNS.Response {
			t.name(d, sighting{family: "dns", field: "qname", name: o.DNS.QName, at: o.At})
		}
	case observation.TLS, observation.QUIC, observation.DTLS:
		t.hello(d, o)
	case observation.HTTP:
		t.http(d, o)
	case observation.Push:
		if o.Push.Model != "" {
			t.evidence(d, handset.Evidence{At: o.At, Family: "push", Field: "model", Value: o.Push.Model})
		}
	}
}

// spoken notes that d took part in an answered conversation.
func (t *Table) spoken(d *Device, o *observation.Observation) {
	if !d.is(spoke) {
		d.flags |= spoke
		t.rerank(d)
	}
	if r := d.into(); r != nil && !r.is(spoke) {
		r.flags |= spoke
		t.rerank(r)
	}
	if len(t.pending.by) > 0 {
		t.taken(d, packet.AddrFrom(o.Client.Addr()), nanos(o.At))
	}
	t.alone(d)
}

func (t *Table) hello(d *Device, o *observation.Observation) {
	h := o.Hello
	s := sighting{family: "sni", field: "server_name", name: h.SNI, at: o.At, browser: browserJA4(h.JA4)}
	if o.Kind == observation.QUIC {
		s.family = "quic"
	}
	if h.SNI != "" && h.SNIReason == "" && h.ECH != "real" { // the outer name of ECH is nobody's choice
		t.name(d, s)
	}
	if h.JA4 != "" {
		t.evidence(d, handset.Evidence{At: o.At, Family: "tls", Field: "ja4", Value: h.JA4})
	}
}

func (t *Table) http(d *Device, o *observation.Observation) {
	h := o.HTTP
	if h.Host != "" {
		t.name(d, sighting{family: "http", field: "host", name: h.Host, at: o.At, browser: browserAgent(h.UserAgent)})
	}
	if h.UserAgent != "" {
		t.evidence(d, handset.Evidence{At: o.At, Family: "ua", Field: "user_agent", Value: h.UserAgent})
		t.agent(d, h.UserAgent, nanos(o.At))
	}
}

// local reads what a device announces of itself. Nobody answers it, and it
// counts in its own family alone; questions say what it looks for, not what
// it is.
func (t *Table) local(d *Device, o *observation.Observation) {
	m := o.DNS
	if !m.Response {
		return
	}
	for i, a := range m.Answers {
		if i == maxLocalNames {
			return
		}
		name := a.Name
		if a.Type == 12 && a.Data != "" { // PTR: the instance is in the data
			name = a.Data
		}
		t.evidence(d, handset.Evidence{At: o.At, Family: "mdns", Field: "name", Value: name})
	}
}

// sighting is a name that a device asked for or connected to.
type sighting struct {
	family, field, name string
	at                  time.Time
	browser             bool // the message itself is a browser's
}

// name counts a name, as web plane if a page may have asked for it.
func (t *Table) name(d *Device, s sighting) {
	if s.name == "" {
		return
	}
	m := t.judge.Name(s.name)
	if into := d.into(); into != nil { // a visit is the device's, whatever its MAC
		into.sight(s, m)
	}
	web := d.sight(s, m)
	t.evidence(d, handset.Evidence{At: s.at, Family: s.family, Field: s.field, Value: s.name, Visit: web})
	if m.Known && m.Plane == handset.OS && !web {
		t.noteMaker(d.root(), m.Maker, s.name, nanos(s.at))
	}
}

var zeroMAC packet.MAC

const hexDigits = "0123456789abcdef"

func macText(m packet.MAC) string {
	b := make([]byte, 0, 17)
	for i, c := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return string(b)
}
