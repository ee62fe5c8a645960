package flow

// TLS record types (RFC 8446, section 5.1) and the longest record body that
// any version allows (RFC 5246, section 6.2.3).
const (
	recordLeast     = 20
	recordData      = 23
	recordMost      = 24 // heartbeat
	maxRecord       = 1<<14 + 2048
	recordHeaderLen = 5
)

// FollowRecords says that both directions of f carry TLS records, and that
// front, just lent by Collect for direction d, begins with one. From here on
// the table counts every byte of records other than application data (type
// 23) as handshake, front included. The other direction is followed from its
// first byte, or from the next record that begins a segment when bytes have
// passed already.
//
// Handshake messages of TLS 1.3 after the ServerHello travel in records of
// type 23 (RFC 8446, section 5.2) and count as data. Where a gap hides a
// record boundary, bytes count as the record that they are most likely in:
// data once a record of data was seen, handshake before.
func (t *Table) FollowRecords(f *Flow, d Dir, front []byte) {
	s, o := f.side(d), f.side(d.Other())
	if s.state&records == 0 {
		s.state |= records
		s.walk(front)
		if s.front+uint32(len(front)) != s.next {
			s.state |= recordsLost
		}
	}
	if o.state&records == 0 {
		o.state |= records
		if o.total.Bytes != 0 {
			o.state |= recordsLost
		}
	}
}

// Records reports that the records of a direction are followed and that no
// boundary was lost.
func (f *Flow) Records(d Dir) (followed, exact bool) {
	s := f.side(d).state
	return s&records != 0, s&recordsLost == 0
}

// walk counts b, which goes on where the last call ended.
func (s *side) walk(b []byte) {
	for len(b) > 0 {
		if s.recordHave == 0 && s.recordLeft > 0 {
			n := min(int(s.recordLeft), len(b))
			if s.recordType != recordData {
				s.total.Handshake += uint64(n)
			}
			s.recordLeft -= uint16(n)
			b = b[n:]
			continue
		}
		if !s.header(b[0]) {
			s.state |= recordsLost
			s.recordHave, s.recordLeft = 0, 0
			s.guess(len(b))
			return
		}
		b = b[1:]
	}
}

// header takes one byte of a record header. False means that it is none.
func (s *side) header(c byte) bool {
	switch s.recordHave {
	case 0:
		s.recordType = c
		if c < recordLeast || c > recordMost {
			return false
		}
	case 1:
		if c != 3 {
			return false
		}
	case 3:
		s.recordLeft = uint16(c) << 8
	case 4:
		s.recordLeft |= uint16(c)
		if s.recordLeft > maxRecord {
			return false
		}
	}
	if s.recordHave++; s.recordHave < recordHeaderLen {
		return true
	}
	s.recordHave = 0
	if s.recordType == recordData {
		s.state |= recordsData
	} else {
		s.total.Handshake += recordHeaderLen
	}
	return true
}

// guess counts n bytes of which no header is known.
func (s *side) guess(n int) {
	if s.state&recordsData == 0 {
		s.total.Handshake += uint64(n)
	}
}

// countRecords counts n new bytes in sequence, of which b was captured.
func (t *Table) countRecords(s *side, b []byte, n int) {
	if s.state&records == 0 || n == 0 {
		return
	}
	if s.state&recordsLost != 0 {
		if !beginsRecord(b) {
			s.guess(n)
			return
		}
		s.state &^= recordsLost
		s.recordHave, s.recordLeft = 0, 0
	}
	b = b[:min(len(b), n)]
	s.walk(b)
	if cut := n - len(b); cut > 0 {
		s.jump(cut, true)
	}
}

// skipRecords moves over a gap of n bytes.
func (t *Table) skipRecords(s *side, n int32, _ []byte) {
	if s.state&records != 0 {
		s.jump(int(n), false)
	}
}

// jump moves over n bytes that were not captured: counted when the frame
// that carried them was. Within one record nothing is lost.
func (s *side) jump(n int, counted bool) {
	if s.state&recordsLost == 0 && s.recordHave == 0 && n <= int(s.recordLeft) {
		s.recordLeft -= uint16(n)
		if counted && s.recordType != recordData {
			s.total.Handshake += uint64(n)
		}
		return
	}
	s.state |= recordsLost
	if counted {
		s.guess(n)
	}
}

// fillRecords counts n bytes that filled a gap.
func (s *side) fillRecords(n uint32) {
	if s.state&records != 0 {
		s.guess(int(n))
	}
}

// beginsRecord reports that b looks like the start of a record.
func beginsRecord(b []byte) bool {
	return len(b) >= recordHeaderLen && b[0] >= recordLeast && b[0] <= recordMost && b[1] == 3 && b[2] <= 4 &&
		int(b[3])<<8|int(b[4]) <= maxRecord
}
