package sensor

import (
	"net/netip"

	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// transfer tells what a device did in one conversation. Our end is the
// client; where only the server is ours, the ends and the directions are
// turned round, so that Sent is what left the home networks. How much of a
// server's bytes was its half of the handshake is not known: Handshake is
// then 0, and all of it counts.
func (i *Identify) transfer(d *device.Device, o *observation.Observation) {
	v := i.view(d)
	if v == nil {
		return
	}
	f := &o.Flow
	t := Transfer{
		Device: v, Client: o.Client, Server: o.Server, Proto: f.Proto, Flow: f.ID,
		Name: f.Name, CNAMEs: f.CNAMEs, Visibility: f.Visibility, Tunnel: f.Tunnel,
		Sent: f.Sent, Handshake: f.Handshake, Received: f.Received, Packets: f.Packets,
		First: f.First, Last: f.Last, Attempt: f.Attempt, OneWay: f.OneWay, Final: f.Final, VLAN: o.VLAN,
	}
	if !o.ClientHome {
		t.Client, t.Server = o.Server, o.Client
		t.Sent, t.Received, t.Handshake = f.Received, f.Sent, f.ReceivedHandshake
	} else if f.Name == "" {
		i.resolve(&t, d, o)
	} else if len(f.CNAMEs) == 0 {
		// The chain may name the region where the server stands.
		if name, cnames := i.table.NameOf(d, packet.AddrFrom(o.Server.Addr()), f.First); name == f.Name {
			t.CNAMEs = cnames
		}
	}
	if t.Name != "" {
		m := i.table.Match(t.Name)
		t.Plane, t.NameMaker = plane(m), m.Maker
	}
	i.sink.Transfer(t)
}

// resolve names a conversation by an answer that the device was given before
// it began, over whichever of its addresses: IPv4 answers come over IPv6, and
// to another worker. That a message was hidden or cut off stays said.
func (i *Identify) resolve(t *Transfer, d *device.Device, o *observation.Observation) {
	switch o.Flow.Visibility {
	case observation.HiddenTunnel, observation.HiddenDoH:
		return
	}
	name, cnames := i.table.NameOf(d, packet.AddrFrom(o.Server.Addr()), o.Flow.First)
	if name == "" {
		return
	}
	t.Name, t.CNAMEs = name, cnames
	switch t.Visibility {
	case observation.Unnamed, observation.MissedStart, observation.Truncated, "":
		t.Visibility = observation.ByDNS
	}
}

func plane(m device.NameMatch) handset.Plane {
	if !m.Known {
		return handset.Web
	}
	return m.Plane
}

// question tells of a DNS question. One that is answered is told twice: when
// it was asked, and with Answered set when the answer came.
func (i *Identify) question(d *device.Device, o *observation.Observation) {
	v := i.view(d)
	if v == nil || o.DNS.QName == "" {
		return
	}
	m := i.table.Match(o.DNS.QName)
	i.sink.Question(Question{
		At: o.At, Device: v, Name: o.DNS.QName, Answered: o.DNS.Response && o.Answered, Plane: plane(m), NameMaker: m.Maker,
	})
}

func (i *Identify) identifier(d *device.Device, o *observation.Observation) {
	if v := i.view(d); v != nil && o.Identifier != nil {
		m := i.table.Match(o.Identifier.Host)
		i.sink.Identifier(Identifier{
			At: o.At, Device: v, Server: o.Server, Name: o.Identifier.Host, Found: *o.Identifier, Plane: plane(m), NameMaker: m.Maker,
		})
	}
}

// public reports whether an address can be reached over the internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !cgnat.Contains(a)
}

// cgnat is 100.64.0.0/10 (RFC 6598): not the internet.
var cgnat = netip.MustParsePrefix("100.64.0.0/10")
