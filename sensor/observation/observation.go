// Package observation holds what crosses from the packet path to the slow
// side: plain values that own their bytes and refer to no captured frame.
//
// An Observation is made by a worker of package sensor, crosses one bounded
// channel, is printed as an event or flow line (package main), and read by
// package device.
package observation

import (
	"net/netip"
	"time"

	"picket/sensor/packet"
)

// Kind says which message an Observation carries.
type Kind uint8

// The kinds, named as in the event lines (Kind.String).
const (
	None       Kind = iota
	TLS             // Hello
	QUIC            // Hello
	DTLS            // Hello
	DNS             // DNS
	MDNS            // DNS
	LLMNR           // DNS
	DHCP            // DHCP, version 4 or 6
	HTTP            // HTTP
	SSDP            // HTTP (host and user agent or server string)
	ARP             // Neighbour
	ND              // Neighbour
	Push            // Push
	Identifier      // Identifier
	Tunnel          // Tunnel
	Binding         // Binding: RADIUS accounting, a lease file, a controller
	FlowReport      // Flow
)

var kindNames = [...]string{"", "tls", "quic", "dtls", "dns", "mdns", "llmnr", "dhcp", "http", "ssdp", "arp", "nd", "push", "identifier", "tunnel", "binding", "flow"}

// String returns the type of the event line.
func (k Kind) String() string { return kindNames[k] }

// Observation is one fact seen on the wire. The pointer that Kind names is
// set, and no other; all of them are read-only once the value was sent.
type Observation struct {
	Kind  Kind
	At    time.Time // packet time, UTC
	Realm string    // where the addresses mean something
	Encap []string  // layers outside the innermost IP header, outermost first: "vlan:10", "vxlan:42", "gre"

	Client, Server netip.AddrPort // innermost; client opened the conversation
	ClientHome     bool           // Client is inside home_networks
	ServerHome     bool           // Server is inside home_networks
	MAC            packet.MAC     // link-layer source of the frames Client sent; zero when none was seen
	ServerMAC      packet.MAC     // the same of Server
	VLAN           uint16         // innermost 802.1Q id, 0 for none
	BSSID          packet.MAC     // access point (802.11 inside CAPWAP or radiotap), zero for none

	// Answered reports that the other side took part: the TCP handshake
	// completed, a QUIC server replied, a resolver or DHCP server answered.
	// What nobody answered proves nothing about a device.
	Answered bool

	Hello      *Hello
	DNS        *DNSMessage
	DHCP       *DHCPMessage
	HTTP       *HTTPRequest
	Neighbour  *Neighbour
	Push       *PushMessage
	Identifier *IdentifierFound
	Tunnel     *TunnelFound
	Binding    *BindingSeen
	Flow       Flow // by value: there is one for every flow
}

// Hello is a ClientHello over TCP, QUIC or DTLS.
type Hello struct {
	SNI       string // lower case, no trailing dot; as sent when SNIReason says that it names nothing; empty when absent or not text
	SNIReason string // why an SNI that was sent is no name: "empty", "ip-literal", "too-long", "not-a-name"; empty for a name
	ALPN      []string
	Version   string // highest offered: "1.3", "1.2", ... "dtls1.2"
	JA3, JA4  string
	ECH       string // none, grease, real; with real the SNI is the outer name
	Segments  int    // TCP segments or QUIC datagrams it spanned
	Via       string // "starttls-smtp", "connect", "socks5", ...; empty for direct
	QUIC      string // QUIC version: "v1", "v2", "draft-29", "Q046"
}

// DNSMessage is a question, or an answer to one (Response).
type DNSMessage struct {
	Transport string // udp, tcp; httpdns-xiaomi, httpdns-alibaba for names asked over HTTP
	Response  bool
	QName     string // lower case, no trailing dot
	QType     uint16
	RCode     uint8
	Questions []Question // when there is more than one
	Answers   []Answer
	Truncated bool
}

// Question is one DNS question.
type Question struct {
	Name string
	Type uint16
}

// Answer is one resource record of the answer section (or, for mDNS, of any).
type Answer struct {
	Name  string
	Type  uint16
	TTL   uint32     // seconds
	Addr  netip.Addr // A, AAAA
	Data  string     // CNAME, PTR, SRV target, TXT, HTTPS target
	ALPN  []string   // HTTPS, SVCB
	Hints []netip.Addr
	ECH   bool // an ECH configuration is present
}

// DHCPMessage is a DHCPv4 or DHCPv6 message. Strings are as sent;
// HasHostname and HasVendorClass tell an option sent empty from one not sent.
type DHCPMessage struct {
	Version        uint8  // 4 or 6
	Type           string // discover request ack nak inform release decline offer; solicit advertise reply ...
	FromServer     bool
	MAC            packet.MAC // chaddr, or the link-layer part of a DUID
	Hostname       string
	HasHostname    bool
	FQDN           string
	VendorClass    string
	HasVendorClass bool
	ParamList      []int  // option 55 or 6, wire order
	ClientID       string // option 61 or DUID, hex
	Requested      netip.Addr
	Given          netip.Addr // yiaddr of an ack, IA address of a reply
	Lease          time.Duration
	Relay          netip.Addr // giaddr
	CircuitID      string     // option 82.1: switch and port
	RemoteID       string     // option 82.2
	XID            uint32     // ties an answer to its request
}

// HTTPRequest is the head of one request in clear, or an SSDP message.
type HTTPRequest struct {
	Method    string
	Host      string // lower case, no port
	UserAgent string
	Server    string // SSDP SERVER
	ST        string // SSDP ST or NT
	Connect   bool   // CONNECT or absolute-form through a proxy
}

// Neighbour is an address-to-MAC statement of ARP or IPv6 ND.
type Neighbour struct {
	Addr   netip.Addr
	MAC    packet.MAC
	Op     string       // request, reply, ns, na, ra, probe
	Prefix netip.Prefix // RA
	Router bool
}

// PushMessage is a vendor push registration in clear.
type PushMessage struct {
	Vendor  string // "xiaomi"
	Model   string
	Version string
	Host    string
}

// IdentifierFound says that an identifier of a person or device crossed in
// clear. The value itself never leaves the packet path.
type IdentifierFound struct {
	Kind  string // imei imsi msisdn android-id oaid mac carrier
	Where string // url, header, form, json, push
	Field string // the parameter name that said so
	Hash  string // keyed hash of the value, hex, for equality only
	Host  string // HTTP Host the message went to
}

// TunnelFound says that a conversation hides what is inside.
type TunnelFound struct {
	Type string // wireguard openvpn ike esp tor masque relay dot doh doq ...
	How  string // bytes, name, address
	Name string
}

// BindingSeen is an identity that the network itself states.
type BindingSeen struct {
	Source string // radius, lease-file, feed
	Addr   netip.Addr
	MAC    packet.MAC
	From   time.Time
	To     time.Time // zero: open
	Place  Place
	Stop   bool // accounting stop, lease released
}

// Place is where a device is, as far as some source says.
type Place struct {
	AccessPoint string // BSSID or name
	SSID        string
	Switch      string
	Port        string
	VLAN        uint16
	Source      string // radius, capwap, option82, feed, vlan
	At          time.Time
}

// Visibility is how the destination of a flow was named, or why it was not.
type Visibility string

// The values of Visibility (contract, DESIGN section 3).
const (
	BySNI         Visibility = "sni"
	ByQUIC        Visibility = "quic"
	ByDNS         Visibility = "dns"
	ByHTTP        Visibility = "http"
	ByCertificate Visibility = "certificate" // of the server, TLS 1.2 and older without SNI
	Unnamed       Visibility = "none"
	HiddenECH     Visibility = "ech"
	HiddenDoH     Visibility = "doh"
	HiddenTunnel  Visibility = "tunnel"
	Truncated     Visibility = "truncated"
	MissedStart   Visibility = "missed-start"
	OneWay        Visibility = "one-way"
)

// Flow is what one conversation did since the report before. Counts are
// increases, so that reports can simply be added.
type Flow struct {
	ID         uint64 // same for all reports of one flow, unique within the sensor's run
	Proto      uint8  // IP protocol number
	Name       string
	CNAMEs     []string // chain that led from Name to the address, when DNS showed it
	Visibility Visibility
	Tunnel     string // type of tunnel, empty for none
	ALPN       string

	Sent      uint64 // L4 payload bytes Client → Server, each once
	Handshake uint64 // of Sent: TLS, QUIC handshake and DNS
	Received  uint64 // Server → Client
	Packets   uint64 // both directions

	ReceivedHandshake uint64 // of Received

	First, Last time.Time // of the whole flow
	Attempt     bool      // the other side never answered
	OneWay      bool      // only one direction is visible: cannot tell
	Final       bool      // the flow is over; no further report
	BothHome    bool
	WebVisit    bool // a browser's page load (ALPN, Referer-like hints): see device
}
