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
	local bool // names are shown as UTF-8 (RFC 6763, section 4.1.1)
}

// DNSQuestion is one question.
type DNSQuestion struct {
	Name    []byte // lower case, no trailing dot, odd bytes as \DDD (see dnsname.go); empty for the root
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

	Public   []byte // public name of the first ECH configuration, as sent
	ConfigID uint8  // its config_id
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

// Bounds on what one message may make us keep. The names asked by one device
// fit many times over; a 64 KiB answer over TCP may hold 4,000 records, of
// which the first are as good as the rest.
const (
	dnsMaxQuestions = 64
	dnsMaxRecords   = 256
	dnsMaxALPN      = 64
	dnsMaxHints     = 128
)

const (
	dnsHeader   = 12 // RFC 1035, section 4.1.1
	dnsQuery    = 0
	dnsUpdate   = 5
	dnsStateful = 6 // RFC 8490: its counts are zero and its body is no records
)

// Parse reads the message b. With ErrTruncated or ErrMalformed, the questions
// and records before the fault are in d and are right as far as they go: a
// snap length or a lost fragment takes the tail, not the question. ErrOther:
// the header is not one of a DNS message of that kind.
func (d *DNS) Parse(b []byte, kind DNSKind) error {
	d.reset(kind)
	if len(b) < dnsHeader {
		return ErrTruncated
	}
	d.header(b)
	if d.Opcode >= dnsStateful && !d.plainOpcode(b) {
		return ErrOther
	}
	off, err := d.readQuestions(b, int(be16(b[4:])))
	if err != nil {
		return err
	}
	answers, authority, additional := int(be16(b[6:])), int(be16(b[8:])), int(be16(b[10:]))
	keep := d.Opcode == dnsQuery // the sections of an update are changes, not answers (RFC 2136)
	all := kind == MulticastDNS
	if off, err = d.readRecords(b, off, answers, keep); err != nil {
		return err
	}
	if off, err = d.readRecords(b, off, authority, keep && all); err != nil {
		return err
	}
	_, err = d.readRecords(b, off, additional, keep && all)
	return err
}

// plainOpcode: a message with an opcode that nobody assigned is read when it
// otherwise asks one plain question: servers answer such messages.
func (d *DNS) plainOpcode(b []byte) bool {
	_, ok := plausibleDNSQuestion(b)
	return d.Opcode != dnsStateful && be16(b[4:]) == 1 && ok
}

func (d *DNS) reset(kind DNSKind) {
	d.Questions, d.Answers = d.Questions[:0], d.Answers[:0]
	d.names, d.alpns, d.hints = d.names[:0], d.alpns[:0], d.hints[:0]
	d.Dropped, d.known, d.EDNS = 0, 0, false
	d.ID, d.Opcode, d.RCode, d.Response, d.Truncated = 0, 0, 0, false, false
	d.local = kind != UnicastDNS
}

func (d *DNS) header(b []byte) {
	d.ID = be16(b)
	d.Response = b[2]&0x80 != 0
	d.Opcode = b[2] >> 3 & 0x0f
	d.Truncated = b[2]&0x02 != 0
	d.RCode = uint16(b[3] & 0x0f)
}

func (d *DNS) readQuestions(b []byte, n int) (off int, err error) {
	off = dnsHeader
	for range n {
		var q DNSQuestion
		if q.Name, off, err = d.name(b, off); err != nil {
			return off, err
		}
		if len(b)-off < 4 {
			return off, ErrTruncated
		}
		q.Type, q.Class = be16(b[off:]), be16(b[off+2:])
		off += 4
		if d.local {
			q.Unicast, q.Class = q.Class&0x8000 != 0, q.Class&0x7fff
		}
		if len(d.Questions) == dnsMaxQuestions {
			d.Dropped++
			continue
		}
		d.Questions = append(d.Questions, q)
	}
	return off, nil
}

// readRecords reads n records, of which it keeps those of a kept section, and
// of any section the OPT pseudo-record.
func (d *DNS) readRecords(b []byte, off, n int, keep bool) (int, error) {
	for range n {
		var r DNSRecord
		var err error
		if keep && len(d.Answers) < dnsMaxRecords {
			r.Name, off, err = d.name(b, off)
		} else {
			off, err = skipDNSName(b, off)
		}
		if err != nil {
			return off, err
		}
		if len(b)-off < 10 {
			return off, ErrTruncated
		}
		r.Type, r.Class, r.TTL = be16(b[off:]), be16(b[off+2:]), be32(b[off+4:])
		length := int(be16(b[off+8:]))
		off += 10
		if len(b)-off < length {
			return off, ErrTruncated
		}
		end := off + length
		switch {
		case r.Type == DNSTypeOPT:
			d.EDNS = true
			d.RCode = d.RCode&0x0f | uint16(r.TTL>>24)<<4
		case !keep:
		case len(d.Answers) == dnsMaxRecords:
			d.Dropped++
		default:
			if d.local {
				r.Flush, r.Class = r.Class&0x8000 != 0, r.Class&0x7fff
			}
			if err = d.data(b[:end], off, &r); err != nil {
				return off, err
			}
			d.Answers = append(d.Answers, r)
		}
		off = end
	}
	return off, nil
}

func be16(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
