// Package packet decodes the headers of one captured frame, link layer to
// transport, through every encapsulation that a span port delivers. It keeps
// no state between frames, allocates nothing and imports no room of picket.
package packet

// maxVLANs bounds the 802.1Q/802.1ad tags read on one Ethernet level.
const maxVLANs = 4

// maxEncap bounds the layers outside the innermost IP header: every step
// inwards is pushed, so a frame can neither loop nor nest without end.
const maxEncap = 16

// TCP flags (RFC 9293, section 3.1), as in Packet.Flags.
const (
	FIN uint8 = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// IP protocol numbers (IANA) that have fields of their own in Packet.
const (
	ProtoICMP   uint8 = 1
	ProtoTCP    uint8 = 6
	ProtoUDP    uint8 = 17
	ProtoICMPv6 uint8 = 58
)

// EtherTypeARP is Packet.EtherType of an ARP message.
const EtherTypeARP uint16 = 0x0806

// Packet is what the headers of one frame say. The caller owns it and reuses
// it for every frame; Decode overwrites all of it except Realm. Its slices
// refer to the frame and are valid as long as the frame is. The zero value
// is ready for Decode. It is not safe for concurrent use.
//
// Fields of a layer that the frame did not reach are zero, except the
// entries of VLANs and Encap beyond NVLAN and NEncap, which are left over.
type Packet struct {
	At    int64  // capture time, nanoseconds since 1970 UTC
	Frame []byte // as captured
	Wire  int    // length on the wire, at least len(Frame)

	Stop  Reason // why decoding went no further; Decoded when it reached a transport header, ICMP or ARP
	Layer Layer  // the layer where it stopped: the innermost that was recognised

	Version   uint8  // of the innermost IP header: 4 or 6; 0 when none was reached
	TTL       uint8  // or hop limit
	Proto     uint8  // IP protocol number of Payload, behind extension headers
	Flags     uint8  // TCP flags
	EtherType uint16 // of the innermost link header; EtherTypeARP: Payload is an ARP message
	Realm     uint16 // the caller's; Decode leaves it alone

	Src, Dst         Addr // of the innermost IP header, valid when Version is not 0
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Window           uint16
	Checksum         uint16 // of TCP or UDP, as sent: equal in two copies of one frame

	// FragOffset counts bytes. Of a first fragment (FragMore, offset 0) the
	// transport header is read, but no tunnel is entered. See Fragments.
	FragID     uint32 // IPv4 identification (also of whole datagrams), or that of the fragment header
	FragOffset uint16
	FragMore   bool

	Super bool // several segments merged by GRO/LRO/TSO: longer than any wire carries, or without a length
	Short bool // the IP header claims more than the wire carried

	// Payload is what was captured of the transport payload (of the body
	// behind the IP header for protocols other than TCP and UDP), cut to the
	// length that the headers claim. PayloadLen is that claimed length, so
	// frames cut by the snap length count in full.
	Payload    []byte
	PayloadLen int
	Options    []byte // TCP options of a segment with SYN

	LinkSrc, LinkDst MAC // of the innermost link header, zero when it has none
	BSSID            MAC // access point of an 802.11 frame, zero for none

	VNI    uint32 // of the innermost VXLAN, Geneve, NVGRE; 0 for none
	NVLAN  uint8
	NEncap uint8
	depth  uint8            // IP headers passed
	cut    bool             // an outer header says that the inner frame was cut short (ERSPAN T bit)
	VLANs  [maxVLANs]uint16 // ids of the innermost Ethernet level, outermost first
	Encap  [maxEncap]Encap  // layers outside the innermost IP header, outermost first

	datagram []byte // a fragment's whole IP packet, header first, as captured
	header   int    // a fragment: length of the part of datagram that is not fragmented
	fragLen  int    // a fragment: length on the wire of what it carries of the datagram
	nextAt   int    // IPv6 fragment: where in datagram the next-header byte stands that named the fragment header
}

// VLAN returns the innermost 802.1Q id, 0 for none.
func (p *Packet) VLAN() uint16 {
	if p.NVLAN == 0 || p.NVLAN > maxVLANs {
		return 0
	}
	return p.VLANs[p.NVLAN-1]
}

// IsFragment reports that the frame carries part of an IP datagram.
func (p *Packet) IsFragment() bool { return p.FragMore || p.FragOffset != 0 }

// Decode reads frame, captured at at (nanoseconds since 1970 UTC) on a link
// of type link (LINKTYPE_ value of pcap), wire bytes long before the snap
// length cut it. It returns Stop.
func (p *Packet) Decode(link uint16, frame []byte, at int64, wire int) Reason {
	return p.DecodeTagged(link, frame, at, wire, 0)
}

// DecodeTagged is Decode for a frame whose outermost 802.1Q tag the kernel
// took off and delivered apart: vlan is its id, 0 for none.
func (p *Packet) DecodeTagged(link uint16, frame []byte, at int64, wire int, vlan uint16) Reason {
	p.reset(frame, at, wire)
	if vlan != 0 {
		p.VLANs[0], p.NVLAN = vlan&0xfff, 1
		p.Encap[0], p.NEncap = Encap{VLAN, uint32(vlan & 0xfff)}, 1
	}
	p.Stop = p.link(link, frame, p.Wire)
	return p.Stop
}

// DecodeDatagram goes on with a reassembled IP datagram of the frame that p
// was last decoded from: link, VLANs, Encap and time stay, all from the IP
// header inwards is read anew. wire is the datagram's full length.
func (p *Packet) DecodeDatagram(datagram []byte, wire int) Reason {
	p.resetNetwork()
	p.Stop = p.ip(datagram, max(wire, len(datagram)))
	return p.Stop
}
