package device

import (
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// Observe takes one observation in: who holds which address, and what that
// says of the device at our end, which it returns. Our end is the client if
// it is at home, else the server. Nil: nobody's, or too many realms.
func (t *Table) Observe(o *observation.Observation) *Device {
	at := nanos(o.At)
	if at > t.now && o.Kind != observation.Binding {
		t.now = at
	}
	realm, ok := t.realm(o.Realm)
	if !ok {
		return nil
	}
	switch o.Kind {
	case observation.DHCP:
		if o.DHCP != nil {
			t.dhcp(realm, o)
		}
		return nil
	case observation.ARP, observation.ND:
		if o.Neighbour != nil {
			t.neighbour(realm, o)
		}
		return nil
	case observation.Binding:
		if o.Binding != nil {
			t.stated(realm, o)
		}
		return nil
	case observation.FlowReport:
		return t.flow(realm, o, at)
	}
	return t.message(realm, o, at)
}

// message reads what a device said in a conversation.
func (t *Table) message(realm uint16, o *observation.Observation, at int64) *Device {
	local := o.Kind == observation.MDNS || o.Kind == observation.SSDP || o.Kind == observation.LLMNR
	if !o.ClientHome && !(local && t.cfg.Home(o.Client.Addr())) {
		return nil
	}
	d, own := t.owner(realm, packet.AddrFrom(o.Client.Addr()), o.MAC, at, at)
	if d == nil {
		return nil
	}
	t.located(d, o)
	t.conversation(d, o, own)
	if o.Kind == observation.DNS && o.DNS.Response && o.Answered {
		t.learnNames(d, o)
	}
	return d
}

// flow finds whose a conversation is.
func (t *Table) flow(realm uint16, o *observation.Observation, at int64) *Device {
	end, mac := o.Client, o.MAC
	if !o.ClientHome {
		end, mac = o.Server, o.ServerMAC
	}
	bytes := o.Flow.Sent + o.Flow.Received
	if !o.ClientHome && !o.ServerHome {
		return nil
	}
	t.stats.Bytes += bytes
	d, own := t.owner(realm, packet.AddrFrom(end.Addr()), mac, at, flowBegin(o, at))
	if d == nil {
		t.stats.NoDevice += bytes
		return nil
	}
	if o.ClientHome && !o.ServerHome && o.ServerMAC != o.MAC {
		t.carriesRemote(realm, o.ServerMAC, packet.AddrFrom(o.Server.Addr()), at)
	} else if !o.ClientHome && o.MAC != o.ServerMAC {
		t.carriesRemote(realm, o.MAC, packet.AddrFrom(o.Client.Addr()), at)
	}
	if d.is(dead) {
		t.stats.NoDevice += bytes
		return nil
	}
	t.located(d, o)
	if own && o.ClientHome && !o.Flow.Attempt && !o.Flow.OneWay {
		t.confirmed(d, o, at)
	}
	return d
}

func flowBegin(o *observation.Observation, at int64) int64 {
	if o.Flow.First.IsZero() {
		return at
	}
	return nanos(o.Flow.First)
}

// confirmed counts the name of a conversation whose first message was not
// answered yet when it was seen, as a QUIC Initial never is.
func (t *Table) confirmed(d *Device, o *observation.Observation, at int64) {
	t.spoken(d, o)
	if o.Flow.WebVisit {
		d.visit.start = max(d.visit.start, flowBegin(o, at))
	}
	s := sighting{name: o.Flow.Name, at: o.Flow.First}
	switch o.Flow.Visibility {
	case observation.BySNI:
		s.family, s.field = "sni", "server_name"
	case observation.ByQUIC:
		s.family, s.field = "quic", "server_name"
	case observation.ByHTTP:
		s.family, s.field = "http", "host"
	default:
		return
	}
	if s.name == "" || d.recent.has(fold(s.name), at) {
		return
	}
	if s.at.IsZero() {
		s.at = o.At
	}
	t.name(d, s)
}

// located keeps the access point and the VLAN that frames showed.
func (t *Table) located(d *Device, o *observation.Observation) {
	switch {
	case o.BSSID != zeroMAC:
		if d.bssid == o.BSSID && d.place != nil && nanos(o.At)-d.place.at < int64(time.Minute) {
			return
		}
		d.bssid = o.BSSID
		t.place(d, observation.Place{AccessPoint: macText(o.BSSID), VLAN: o.VLAN, Source: "capwap", At: o.At})
	case o.VLAN != 0 && d.place == nil:
		t.place(d, observation.Place{VLAN: o.VLAN, Source: bySight, At: o.At})
	}
}

// recent holds the names that flows showed lately, so that every report of a
// flow does not weigh its name again.
type recent struct {
	names [2]doubt
	next  uint8
}

// has reports whether a name was counted within ten minutes, and counts it.
func (r *recent) has(name uint32, at int64) bool {
	sec := uint32(at / int64(time.Second))
	for i := range r.names {
		if r.names[i].name == name {
			if sec-r.names[i].at < 600 {
				return true
			}
			r.names[i].at = sec
			return false
		}
	}
	r.names[r.next] = doubt{name, sec}
	r.next = (r.next + 1) % uint8(len(r.names))
	return false
}
