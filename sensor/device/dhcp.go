package device

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// answerWithin is how long what a DHCP client said waits for the server's
// word. RFC 2131, section 4.1, has a client give up after about a minute.
const answerWithin = int64(time.Minute)

// takenWithin is how long it waits for the client to use the address that it
// asked for, where the span does not show the server.
const takenWithin = int64(10 * time.Minute)

// said is what a DHCP client said of itself.
type said struct {
	at        int64
	requested packet.Addr
	msg       *observation.DHCPMessage
}

// pendingDHCP holds what clients said until a server acknowledges it. Oldest
// first to go: a flood of requests costs a flood its own answers.
type pendingDHCP struct {
	by   map[macKey]said
	ring []macKey
	next int
	max  int
}

func newPendingDHCP(limit int) pendingDHCP {
	return pendingDHCP{by: map[macKey]said{}, max: limit}
}

// put reports whether another had to go.
func (p *pendingDHCP) put(k macKey, s said) (evicted bool) {
	if _, ok := p.by[k]; !ok {
		if len(p.ring) < p.max {
			p.ring = append(p.ring, k)
		} else {
			_, evicted = p.by[p.ring[p.next]]
			delete(p.by, p.ring[p.next])
			p.ring[p.next] = k
			p.next = (p.next + 1) % p.max
		}
	}
	p.by[k] = s
	return evicted
}

// dhcp reads a message of version 4 or 6.
func (t *Table) dhcp(realm uint16, o *observation.Observation) {
	m := o.DHCP
	if !hostMAC(m.MAC) {
		t.dhcpWithoutMAC(realm, o)
		return
	}
	k := macKey{m.MAC, realm}
	if !m.FromServer {
		t.dhcpClient(k, o)
		return
	}
	if m.Type != "ack" && m.Type != "reply" {
		return
	}
	at := nanos(o.At)
	s, ok := t.pending.by[k]
	if !ok && !m.Given.IsValid() {
		return // an answer to something else
	}
	d := t.deviceOf(realm, m.MAC, at)
	if d.is(router) {
		return
	}
	if m.Given.IsValid() {
		t.lease(d, m, at)
	}
	d.flags |= leased
	t.dhcpPlace(d, o)
	if ok && at-s.at < answerWithin && answers(m, s.msg) {
		delete(t.pending.by, k)
		t.believe(d, s.msg, at)
	}
	t.rerank(d)
}

// answers reports whether an answer is to this request, where both are numbered.
func answers(answer, request *observation.DHCPMessage) bool {
	return answer.Version == request.Version && (answer.XID == request.XID || answer.XID == 0 || request.XID == 0)
}

func (t *Table) lease(d *Device, m *observation.DHCPMessage, at int64) {
	until := int64(0)
	if m.Lease > 0 {
		until = at + int64(m.Lease)
	}
	t.hold(d, claim{packet.AddrFrom(m.Given), at, until, byDHCP})
	if !d.is(leased) {
		d.flags |= stale
	}
}

// dhcpClient remembers what a client says; nothing of it counts yet.
func (t *Table) dhcpClient(k macKey, o *observation.Observation) {
	m, at := o.DHCP, nanos(o.At)
	if d := t.withMAC(k); d != nil {
		t.dhcpPlace(d, o)
	}
	switch m.Type {
	case "release", "decline":
		b := t.byAddr.get(addrKey{packet.AddrFrom(o.Client.Addr()), k.realm})
		if b != nil && t.of(b).mac == m.MAC {
			b.until = seconds(at)
		}
		return
	}
	requested := packet.AddrFrom(m.Requested)
	if requested == (packet.Addr{}) {
		requested = packet.AddrFrom(o.Client.Addr())
	}
	if t.pending.put(k, said{at, requested, m}) {
		t.stats.Evicted["dhcp"]++
	}
}

// taken believes what a client said when it was seen to use, in an answered
// conversation, the address that it asked for: on a one-way span the server's
// acknowledgement is not visible.
func (t *Table) taken(d *Device, addr packet.Addr, at int64) {
	k := macKey{d.mac, d.realm}
	s, ok := t.pending.by[k]
	if !ok || d.mac == (packet.MAC{}) || s.requested != addr || at-s.at > takenWithin || at < s.at {
		return
	}
	delete(t.pending.by, k)
	t.hold(d, claim{addr, at, 0, byDHCP})
	d.flags |= leased | stale
	t.believe(d, s.msg, at)
}

// believe counts what a client said of itself.
func (t *Table) believe(d *Device, m *observation.DHCPMessage, at int64) {
	e := handset.Evidence{At: timeOf(at), Family: "dhcp"}
	if m.HasVendorClass {
		t.evidence(d, with(e, "vendor_class", m.VendorClass))
	}
	if len(m.ParamList) > 0 {
		t.evidence(d, with(e, "param_list", paramList(m.ParamList)))
	}
	host := m.Hostname
	if host == "" && m.FQDN != "" {
		host, _, _ = strings.Cut(m.FQDN, ".")
	}
	if m.HasHostname || host != "" {
		t.evidence(d, with(e, "hostname", host))
	}
	if n := t.hostnameIndex(shownName(host)); n != 0 && n != d.hostname {
		d.hostname, d.root().hostname = n, n
		d.flags |= stale
		d.root().flags |= stale
	}
	t.recognise(d, m, host, at)
}

func with(e handset.Evidence, field, value string) handset.Evidence {
	e.Field, e.Value = field, value
	return e
}

func paramList(codes []int) string {
	var b []byte
	for i, c := range codes {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(c), 10)
	}
	return string(b)
}

// dhcpPlace reads option 82 (RFC 3046): circuit id and remote id, which by
// custom name the port and the switch, and the relay where they do not.
func (t *Table) dhcpPlace(d *Device, o *observation.Observation) {
	m := o.DHCP
	if m.CircuitID == "" && m.RemoteID == "" {
		return
	}
	t.place(d, observation.Place{Switch: printable(m.RemoteID), Port: printable(m.CircuitID), VLAN: o.VLAN, Source: "option82", At: o.At})
}

// printable keeps text as it is and writes other bytes in hexadecimal.
func printable(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return hex.EncodeToString([]byte(s))
		}
	}
	return s
}

// dhcpWithoutMAC reads DHCPv6 with a DUID that holds no hardware address
// (RFC 8415, sections 11.3 and 11.5): the DUID is the identity.
func (t *Table) dhcpWithoutMAC(realm uint16, o *observation.Observation) {
	m := o.DHCP
	if !m.FromServer || m.Type != "reply" || m.ClientID == "" || !m.Given.IsValid() {
		return
	}
	at := nanos(o.At)
	mark := t.mark(realm, identClient, normalClientID(m.ClientID))
	d := t.slab.get(t.byMark[mark])
	if d == nil {
		if b := t.byAddr.get(addrKey{packet.AddrFrom(m.Given), realm}); b != nil && t.of(b).mac != zeroMAC && t.of(b).client == 0 {
			d = t.of(b)
		} else {
			d = t.add(realm, packet.MAC{}, append([]byte{identClient}, m.ClientID...), at)
		}
		d.client = mark
		t.byMark[mark] = d.ref()
	}
	d.flags |= leased
	t.lease(d, m, at)
	t.rerank(d)
}
