package sensor

import (
	"encoding/hex"
	"net/netip"
	"time"

	"picket/sensor/flow"
	"picket/sensor/observation"
	"picket/sensor/packet"
	"picket/sensor/wire"
)

// dhcpDatagram reads one DHCP message.
func (w *Worker) dhcpDatagram(f *flow.Flow, p *packet.Packet, version int) bool {
	m := &w.dhcp
	parse := m.Parse4
	if version == 6 {
		parse = m.Parse6
	}
	if err := parse(p.Payload); err != nil && (err != wire.ErrTruncated || len(m.Options) == 0 || version == 6 && len(m.ClientID) == 0) {
		return false // of a message that was cut, the options before the cut are right
	}
	o := w.bare(observation.DHCP, p)
	if m.FromServer { // client → server
		o.Client, o.Server = o.Server, o.Client
		o.ClientHome, o.ServerHome = o.ServerHome, o.ClientHome
		o.MAC, o.ServerMAC = o.ServerMAC, o.MAC
	}
	o.Answered = m.FromServer
	d := &observation.DHCPMessage{
		Version: m.Version, Type: m.TypeName(), FromServer: m.FromServer, MAC: packet.MAC(m.MAC),
		Hostname: string(m.Hostname), HasHostname: m.HasHostname, FQDN: string(m.FQDN),
		VendorClass: string(m.VendorClass), HasVendorClass: m.HasVendorClass,
		ClientID: hex.EncodeToString(m.ClientID), Requested: m.Requested, Given: m.Given,
		Lease: time.Duration(m.Lease) * time.Second, Relay: m.Relay, XID: m.XID,
	}
	for _, option := range m.ParamList {
		d.ParamList = append(d.ParamList, int(option))
	}
	if len(m.CircuitID) > 0 {
		d.CircuitID = wire.Printable(m.CircuitID)
	}
	if len(m.RemoteID) > 0 {
		d.RemoteID = wire.Printable(m.RemoteID)
	}
	o.DHCP = d
	w.tell(&o)
	return true
}

// accounting reads RADIUS accounting: the network's own word on who has an
// address. User names are dropped in the parser.
func (w *Worker) accounting(f *flow.Flow, p *packet.Packet) bool {
	m := &w.radius
	if m.Parse(p.Payload) != nil {
		return false
	}
	if !m.HasMAC || (!m.Addr.IsValid() && !m.Addr6.IsValid()) {
		return true
	}
	place := observation.Place{SSID: string(m.SSID), Source: "radius", At: at(p.At)}
	if m.HasBSSID {
		place.AccessPoint = macString(m.BSSID)
	}
	if place.Switch = wire.Printable(m.NAS); place.Switch == "" && m.NASAddr.IsValid() {
		place.Switch = m.NASAddr.String()
	}
	place.Port = wire.Printable(m.PortID)
	for _, addr := range []netip.Addr{m.Addr, m.Addr6} {
		if !addr.IsValid() {
			continue
		}
		o := w.bare(observation.Binding, p)
		o.Binding = &observation.BindingSeen{
			Source: "radius", Addr: addr, MAC: packet.MAC(m.MAC), From: at(p.At),
			Place: place, Stop: m.Status == wire.AcctStop,
		}
		w.tell(&o)
	}
	return true
}

// arp observes who says to have an IPv4 address.
func (w *Worker) arp(p *packet.Packet) {
	if w.near.ParseARP(p.Payload) == nil {
		w.neighbour(observation.ARP, p)
	}
}

// nd observes who says to have an IPv6 address.
func (w *Worker) nd(p *packet.Packet) {
	if w.near.ParseND(p.Payload, p.Src.Netip(), p.TTL) == nil {
		w.neighbour(observation.ND, p)
	}
}

func (w *Worker) neighbour(k observation.Kind, p *packet.Packet) {
	m := &w.near
	o := w.bare(k, p)
	if k == observation.ARP {
		o.Client, o.Server = netip.AddrPortFrom(m.Addr, 0), netip.AddrPortFrom(m.Target, 0)
		o.ClientHome, o.ServerHome = w.home(p.Realm, packet.AddrFrom(m.Addr)), w.home(p.Realm, packet.AddrFrom(m.Target))
	}
	n := &observation.Neighbour{Addr: m.Addr, Op: m.Op.String(), Router: m.Router}
	if m.HasMAC {
		n.MAC = packet.MAC(m.MAC)
	}
	if len(m.Prefixes) > 0 {
		n.Prefix = m.Prefixes[0]
	}
	o.Neighbour = n
	w.tell(&o)
}

// ssdp observes what a device says of itself on the local network.
func (w *Worker) ssdp(f *flow.Flow, d flow.Dir, p *packet.Packet) bool {
	m := &w.http
	if m.ParseSSDP(p.Payload) != nil {
		return false
	}
	o := w.bare(observation.SSDP, p)
	st := m.ST
	if len(st) == 0 {
		st = m.NT
	}
	o.HTTP = &observation.HTTPRequest{
		Method: w.names.string(m.Method), Host: w.names.string(m.Host),
		UserAgent: w.names.string(m.UserAgent), Server: w.names.string(m.Server), ST: w.names.string(st),
	}
	w.tell(&o)
	return true
}

func addrPort(a packet.Addr, port uint16) netip.AddrPort {
	if a == (packet.Addr{}) {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Netip(), port)
}

func macString(m [6]byte) string {
	b := make([]byte, 0, 17)
	for i, x := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = hex.AppendEncode(b, []byte{x})
	}
	return string(b)
}
