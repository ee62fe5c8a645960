package wire

// dnsMaxName is the longest name in wire form (RFC 1035, section 2.3.4).
const dnsMaxName = 255

// dnsMemo is how many names of a message are remembered by where they began:
// most names of an answer are one pointer to the question.
const dnsMemo = 8

// dnsName is a name of this message that was read before.
type dnsName struct {
	at   int
	name []byte
}

// name reads the name at off and returns its presentation and where the next
// field begins. Names are lower case, labels joined by dots, no trailing dot.
// Bytes outside printable ASCII, a dot inside a label and a backslash are
// written \DDD (RFC 1035, section 5.1); in multicast and link-local DNS the
// text is UTF-8 and spaces are usual (RFC 6763, section 4.1.1), so that there
// only control bytes, the dot and the backslash are.
//
// A pointer must lead backwards, before every place read so far for this
// name: a loop is impossible, and 128 labels are the most there can be. What
// it leads to is there, so that running off the end from there is a fault and
// not a cut.
func (d *DNS) name(b []byte, off int) (name []byte, next int, err error) {
	name, next, jumped, err := d.labels(b, off)
	if jumped && err == ErrTruncated {
		err = ErrMalformed
	}
	return name, next, err
}

// labels is name, and says whether a pointer was followed.
func (d *DNS) labels(b []byte, off int) (name []byte, next int, jumped bool, err error) {
	start := len(d.names)
	at := off
	limit := off // pointers lead below this
	size := 0
	next = -1
	for {
		if off >= len(b) {
			return nil, off, next >= 0, ErrTruncated
		}
		c := int(b[off])
		switch {
		case c == 0:
			if next < 0 {
				next = off + 1
			}
			return d.remember(at, start), next, false, nil
		case c < 64:
			off++
			if size += c + 1; size >= dnsMaxName {
				return nil, off, next >= 0, ErrMalformed
			}
			if len(b)-off < c {
				return nil, off, next >= 0, ErrTruncated
			}
			if len(d.names) > start {
				d.names = append(d.names, '.')
			}
			d.label(b[off : off+c])
			off += c
		case c >= 0xc0:
			if len(b)-off < 2 {
				return nil, off, next >= 0, ErrTruncated
			}
			to := (c&0x3f)<<8 | int(b[off+1])
			if next < 0 {
				next = off + 2
			}
			if to >= limit || to < dnsHeader {
				return nil, off, next >= 0, ErrMalformed
			}
			if known := d.recall(to); known != nil && len(d.names) == start {
				return known, next, false, nil
			}
			off, limit = to, to
		default: // 0x40 and 0x80: never assigned, or withdrawn (RFC 6891, section 5)
			return nil, off, next >= 0, ErrMalformed
		}
	}
}

// label appends the presentation of one label.
func (d *DNS) label(l []byte) {
	for _, c := range l {
		switch {
		case c >= 'A' && c <= 'Z':
			d.names = append(d.names, c+'a'-'A')
		case c == '.' || c == '\\' || c < ' ' || c == 0x7f || !d.local && (c == ' ' || c > 0x7f):
			d.names = append(d.names, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		default:
			d.names = append(d.names, c)
		}
	}
}

func (d *DNS) remember(at, start int) []byte {
	name := d.names[start:len(d.names):len(d.names)]
	if d.known < dnsMemo {
		d.memo[d.known] = dnsName{at, name}
		d.known++
	}
	return name
}

func (d *DNS) recall(at int) []byte {
	for i := range d.known {
		if d.memo[i].at == at {
			return d.memo[i].name
		}
	}
	return nil
}

// skipDNSName returns where the field after the name at off begins.
func skipDNSName(b []byte, off int) (int, error) {
	for {
		if off >= len(b) {
			return off, ErrTruncated
		}
		switch c := int(b[off]); {
		case c == 0:
			return off + 1, nil
		case c < 64:
			off += 1 + c
		case c >= 0xc0:
			if len(b)-off < 2 {
				return off, ErrTruncated
			}
			return off + 2, nil
		default:
			return off, ErrMalformed
		}
	}
}
