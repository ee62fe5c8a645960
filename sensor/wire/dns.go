package wire

import "net/netip"

// DNS is one DNS message (RFC 1035), also in its multicast (RFC 6762) and
// link-local (RFC 4795) forms. The zero value is ready for use; Parse
// overwrites it. Names and data refer to scratch inside the value and are
// valid until the following Parse. It is not safe for concurrent use.
type DNS struct {
	ID        uint16
	Response  bool
	Opcode    uint8  // 0 query, 4 notify, 5 update (RFC 2136)
	RCode     uint16 // with the upper bits of EDNS (RFC 6891, section 6.1.3)
	Truncated bool   // TC: the whole answer comes over TCP
	EDNS      bool   // an OPT record is present

	Questions []DNSQuestion
	Answers   []DNSRecord // answer section; of mDNS also the additional and authority sections
	Dropped   int         // questions and records over the bounds, not kept

	names []byte // presentation of names
	alpns [][]byte
	hints []netip.Addr
	memo  [dnsMemo]dnsName
	known int
}

// DNSQuestion is one question.
type DNSQuestion struct {
	Name    []byte // lower case, no trailing dot, odd bytes as \DDD; empty for the root
	Type    uint16
	Class   uint16
	Unicast bool // mDNS QU bit (RFC 6762, section 5.4)
}

// DNSRecord is one resource record.
type DNSRecord struct {
	Name  []byte
	Type  uint16
	Class uint16
	Flush bool   // mDNS cache-flush bit (RFC 6762, section 10.2)
	TTL   uint32 // seconds
	Addr  netip.Addr
	Data  []byte // CNAME, NS, PTR, SRV, MX, HTTPS target; first string of a TXT
	Port  uint16 // SRV
	ALPN  [][]byte
	Hints []netip.Addr
	ECH   bool // an ECH configuration is present (RFC 9848)
}

// DNSKind says by whose rules a message is read.
type DNSKind uint8

// The kinds of DNS.
const (
	UnicastDNS   DNSKind = iota // RFC 1035: answers are the answer section
	MulticastDNS                // RFC 6762, port 5353: all sections, class bit 15 is a flag
	LinkLocalDNS                // RFC 4795, port 5355
)

// Types that picket reads beyond their name (IANA, DNS parameters).
const (
	DNSTypeA     = 1
	DNSTypeNS    = 2
	DNSTypeCNAME = 5
	DNSTypePTR   = 12
	DNSTypeMX    = 15
	DNSTypeTXT   = 16
	DNSTypeAAAA  = 28
	DNSTypeSRV   = 33
	DNSTypeDNAME = 39
	DNSTypeOPT   = 41
	DNSTypeSVCB  = 64
	DNSTypeHTTPS = 65
)

// Parse reads the message b. With ErrTruncated, what was read before the end
// is in d and is right as far as it goes: a snap length or a lost fragment
// takes the tail, not the question.
func (d *DNS) Parse(b []byte, kind DNSKind) error { return ErrOther }

// ParseStream reads the first message of a TCP stream (2-byte length, RFC
// 1035, section 4.2.2) and returns how many bytes of b it took: call it again
// with the rest. With More it took none.
func (d *DNS) ParseStream(b []byte, kind DNSKind) (n int, s Status) { return 0, Other }

// LooksLikeDNS reports whether b, from a port that says nothing, is a DNS
// message beyond reasonable doubt.
func LooksLikeDNS(b []byte) bool { return false }

// LooksLikeDNSStream is LooksLikeDNS for the first bytes of a TCP stream.
func LooksLikeDNSStream(b []byte) Status { return Other }

const dnsMemo = 8

type dnsName struct {
	at   int
	name []byte
}
