package sensor

import (
	"net/netip"

	"picket/sensor/capture"
	"picket/sensor/observation"
	"picket/sensor/packet"
)

// Survey looks at a span on the day of its installation: what the frames are
// like, and what is seen of the protocols that identity rests on. The zero
// value is ready. Frame and See may be called by different goroutines, one
// each; the fields are read when both have ended.
type Survey struct {
	Home func(netip.Addr) bool // home_networks; nil: nothing is home

	Frames, Bytes uint64
	First, Last   int64        // packet time of the first and the latest frame
	Cut           uint64       // frames shorter than on the wire: the snap length
	Super         uint64       // several segments merged by an offload
	Largest       int          // bytes on the wire
	Fragments     uint64       // IP fragments
	VLANs         [4096]uint64 // frames by innermost 802.1Q id; 0: untagged
	Layers        [256]uint64  // frames by outer layer (packet.Layer): tunnels
	Stops         [packet.Reasons]uint64
	IPv4, IPv6    uint64
	Talk          uint64 // frames of TCP or UDP from one address to another

	pairs   map[[22]byte]struct{} // (MAC, address) pairs of senders at home
	owners  map[packet.MAC]int    // addresses of each MAC
	ttls    map[packet.Addr]uint8 // SYNs of an address at home: classes of initial TTL
	Behind  uint64                // SYNs from home that passed a router before they came here
	Direct  uint64                // SYNs from home with an initial TTL
	CGNAT   uint64                // frames from 100.64.0.0/10
	NAT64   uint64                // frames to or from 64:ff9b::/96
	kinds   [observation.FlowReport + 1]uint64
	askers  map[netip.Addr]struct{} // clients at home that ask DNS
	talkers map[netip.Addr]struct{} // clients at home that open TLS or QUIC
	RADIUS  uint64
	Router  uint64 // router advertisements
	Leases  uint64 // DHCP answers with an address
	ECH     uint64 // hellos that hide the name
	p       packet.Packet
}

// maxSurveyed bounds each of the survey's sets: enough to tell, on a campus.
const maxSurveyed = 1 << 16

var (
	surveyCGNAT = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	surveyNAT64 = netip.MustParsePrefix("64:ff9b::/96")  // RFC 6052, section 2.1
)

// Frame looks at one frame.
func (s *Survey) Frame(f *capture.Frame) {
	if s.Frames == 0 {
		s.First = f.At
		s.pairs, s.owners = map[[22]byte]struct{}{}, map[packet.MAC]int{}
		s.ttls = map[packet.Addr]uint8{}
	}
	s.Frames++
	s.Bytes += uint64(f.Wire)
	s.Last = max(s.Last, f.At)
	s.Largest = max(s.Largest, f.Wire)
	if f.Wire > len(f.Data) {
		s.Cut++
	}
	vlan := uint16(0)
	if f.TPID != 0 {
		vlan = f.TCI & 0xfff
	}
	p := &s.p
	s.Stops[p.DecodeTagged(uint16(f.Link), f.Data, f.At, f.Wire, vlan)]++
	s.VLANs[p.VLAN()&0xfff]++
	if p.Super {
		s.Super++
	}
	if p.IsFragment() {
		s.Fragments++
	}
	for _, e := range p.Encap[:min(int(p.NEncap), len(p.Encap))] {
		s.Layers[e.Layer]++
	}
	if p.Version != 0 {
		s.addresses(p)
	}
}

// addresses looks at who sends the packet, and how far it came.
func (s *Survey) addresses(p *packet.Packet) {
	if p.Version == 4 {
		s.IPv4++
	} else {
		s.IPv6++
	}
	src, dst := p.Src.Netip(), p.Dst.Netip()
	if (p.Proto == packet.ProtoTCP || p.Proto == packet.ProtoUDP) && p.LinkDst[0]&1 == 0 && !dst.IsMulticast() {
		s.Talk++
	}
	if surveyCGNAT.Contains(src) {
		s.CGNAT++
	}
	if surveyNAT64.Contains(src) || surveyNAT64.Contains(dst) {
		s.NAT64++
	}
	if s.Home == nil || !s.Home(src) || s.Home(dst) {
		return
	}
	var pair [22]byte
	copy(pair[:6], p.LinkSrc[:])
	copy(pair[6:], p.Src[:])
	if _, known := s.pairs[pair]; !known && len(s.pairs) < maxSurveyed && p.LinkSrc != (packet.MAC{}) {
		s.pairs[pair] = struct{}{}
		s.owners[p.LinkSrc]++
	}
	if p.Stop == packet.Decoded && p.Proto == packet.ProtoTCP && p.Flags&(packet.SYN|packet.ACK) == packet.SYN {
		s.distance(p)
	}
}

// Initial TTLs of the systems in use: Linux, Android, iOS 64; Windows 128;
// some network gear 255.
var initialTTLs = [...]uint8{64, 128, 255}

// distance tells from the TTL of a SYN whether a router lies between its
// sender and the span, and whether an address sends for several systems.
func (s *Survey) distance(p *packet.Packet) {
	for i, initial := range initialTTLs {
		if p.TTL > initial {
			continue
		}
		if p.TTL == initial {
			s.Direct++
		} else {
			s.Behind++
		}
		if seen, known := s.ttls[p.Src]; known || len(s.ttls) < maxSurveyed {
			bit := uint8(1) << (2 * i)
			if p.TTL != initial {
				bit <<= 1 // one more hop than the first class: another machine behind it
			}
			s.ttls[p.Src] = seen | bit
		}
		return
	}
}

// See looks at one observation.
func (s *Survey) See(o *observation.Observation) {
	if int(o.Kind) < len(s.kinds) {
		s.kinds[o.Kind]++
	}
	if s.askers == nil {
		s.askers, s.talkers = map[netip.Addr]struct{}{}, map[netip.Addr]struct{}{}
	}
	switch {
	case o.DNS != nil && o.Kind == observation.DNS && o.ClientHome:
		note(s.askers, o.Client.Addr())
	case o.Hello != nil:
		if o.Hello.ECH == "real" {
			s.ECH++
		}
		if o.ClientHome {
			note(s.talkers, o.Client.Addr())
		}
	case o.DHCP != nil && o.DHCP.FromServer && o.DHCP.Given.IsValid():
		s.Leases++
	case o.Neighbour != nil && o.Neighbour.Router:
		s.Router++
	case o.Binding != nil && o.Binding.Source == "radius":
		s.RADIUS++
	}
}

func note(set map[netip.Addr]struct{}, a netip.Addr) {
	if len(set) < maxSurveyed {
		set[a] = struct{}{}
	}
}

// Seen returns how many messages of kind were read.
func (s *Survey) Seen(kind observation.Kind) uint64 { return s.kinds[kind] }

// Askers and Talkers return how many clients at home ask DNS, and how many
// open TLS or QUIC connections.
func (s *Survey) Askers() int { return len(s.askers) }

// Talkers is described at Askers.
func (s *Survey) Talkers() int { return len(s.talkers) }

// Senders returns how many hardware addresses send from home, how many
// addresses they send from, and the most that one of them does.
func (s *Survey) Senders() (macs, addrs, most int) {
	for _, n := range s.owners {
		addrs += n
		most = max(most, n)
	}
	return len(s.owners), addrs, most
}

// Translators returns how many addresses at home send SYNs of several
// systems: machines behind a translator, or phones that share a connection.
func (s *Survey) Translators() (n int) {
	for _, classes := range s.ttls {
		if classes&(classes-1) != 0 {
			n++
		}
	}
	return n
}
