package packet

import "strconv"

// Layer names one protocol layer.
type Layer uint8

// The layers, outermost kinds first.
const (
	NoLayer Layer = iota
	Ethernet
	LLC
	Cooked
	Cooked2
	RawIP
	Loopback
	PPP
	HDLC
	FrameRelay
	Filter // what a packet filter or a capture card wrote before the frame
	WiFi
	Radiotap
	Prism
	VLAN
	MPLS
	PPPoE
	NSH
	VNTag
	CiscoMetadata
	GRE
	ERSPAN
	VXLAN
	VXLANGPE
	Geneve
	GTPU
	CAPWAP
	TZSP
	L2TP
	Teredo
	IPIP
	SixInFour
	FourInSix
	SixInSix
	EtherIP
	TRILL
	HSR
	AYIYA
	LISP
	LWAPP
	PIM
	PseudoWire
	IPv4
	IPv6
	AH
	ESP
	TCP
	UDP
	ICMP
	ICMPv6
	ARP
	numLayers
)

var layerNames = [numLayers]string{
	"none", "ethernet", "llc", "sll", "sll2", "raw", "loopback", "ppp", "hdlc", "frame-relay", "filter", "802.11",
	"radiotap", "prism", "vlan", "mpls", "pppoe", "nsh", "vntag", "cisco-metadata", "gre",
	"erspan", "vxlan", "vxlan-gpe", "geneve", "gtpu", "capwap", "tzsp", "l2tp", "teredo",
	"ipip", "6in4", "4in6", "6in6", "etherip", "trill", "hsr", "ayiya",
	"lisp", "lwapp", "pim", "pw", "ipv4", "ipv6", "ah", "esp",
	"tcp", "udp", "icmp", "icmpv6", "arp",
}

// String returns the name used in Encap and in stop counts.
func (l Layer) String() string {
	if l >= numLayers {
		return "unknown"
	}
	return layerNames[l]
}

// Encap is one layer outside the innermost IP header.
type Encap struct {
	Layer Layer
	ID    uint32 // VLAN id, MPLS label, VNI, TEID, session; 0 where the layer has none
}

// String returns the layer's name, followed by a colon and the number for
// the layers that have one: "vlan:10", "mpls:16", "erspan:1" (session),
// "vxlan:42", "geneve:7", "gtpu:1234".
func (e Encap) String() string {
	switch e.Layer {
	case VLAN, MPLS, ERSPAN, VXLAN, VXLANGPE, Geneve, GTPU:
		return e.Layer.String() + ":" + strconv.FormatUint(uint64(e.ID), 10)
	}
	return e.Layer.String()
}

// Layers returns the layers outside the innermost IP header, outermost
// first, nil for none. It allocates: for reports, not for every frame.
func (p *Packet) Layers() []string {
	var s []string
	for _, e := range p.Encap[:min(int(p.NEncap), maxEncap)] {
		s = append(s, e.String())
	}
	return s
}
