package handset

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrDossier says that bytes are no stored dossier.
var ErrDossier = errors.New("handset: not a stored dossier")

const storeVersion = 1

// MarshalBinary keeps a dossier by the ids of its signatures, so that it
// outlives a change of the signature set. An empty one is one byte.
func (d *Dossier) MarshalBinary() ([]byte, error) {
	if b := d.few().stored; b != "" {
		return []byte(b), nil // read and not used since
	}
	b := []byte{storeVersion}
	if d.set == nil {
		return b, nil
	}
	b = binary.AppendVarint(b, d.last)
	b = binary.AppendUvarint(b, uint64(d.seen))
	b = binary.AppendUvarint(b, uint64(d.Evicted()))
	b = binary.AppendUvarint(b, uint64(len(d.items)))
	for i := range d.items {
		t := &d.items[i]
		b = appendString(b, d.set.sigs[t.sig].id)
		b = binary.AppendUvarint(b, uint64(t.sub))
		b = binary.AppendUvarint(b, uint64(t.count)<<1|flag(t.visit))
		b = binary.AppendUvarint(b, uint64(t.days))
		b = binary.AppendVarint(b, d.last-t.last)
		b = binary.AppendUvarint(b, uint64(t.span))
	}
	models := d.models()
	b = binary.AppendUvarint(b, uint64(len(models)))
	for _, m := range models {
		b = appendString(b, d.set.sigs[m.sig].id)
		b = binary.AppendUvarint(b, uint64(m.rank))
		b = binary.AppendVarint(b, d.last-m.at)
		b = appendString(b, m.name)
	}
	b = binary.AppendUvarint(b, uint64(d.holders))
	for i := range d.holders {
		h := d.holder(i)
		b = binary.AppendUvarint(b, uint64(h.hash))
		b = binary.AppendVarint(b, d.last-h.last)
		b = binary.AppendUvarint(b, uint64(h.span))
	}
	return b, nil
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// UnmarshalBinary reads what MarshalBinary wrote. The signatures are looked
// up when the dossier is next used with a set; what that does not know is
// dropped. On an error d is as it was.
func (d *Dossier) UnmarshalBinary(b []byte) error {
	var n Dossier
	if err := n.restore(&Set{}, b); err != nil {
		return err
	}
	*d = Dossier{last: n.last, seen: n.seen}
	if len(b) > 1 {
		r := d.more()
		r.stored, r.evicted = string(b), n.Evicted()
	}
	return nil
}

// restore reads what MarshalBinary wrote in the words of the set s.
func (d *Dossier) restore(s *Set, b []byte) error {
	if len(b) == 0 || b[0] != storeVersion {
		return ErrDossier
	}
	if len(b) == 1 {
		*d = Dossier{}
		return nil
	}
	r := reader{b: b[1:]}
	n := Dossier{set: s, last: r.signed()}
	n.seen = uint32(r.upTo(math.MaxUint32))
	if e := uint32(r.upTo(math.MaxUint32)); e > 0 {
		n.more().evicted = e
	}
	for range r.upTo(1024) {
		id := r.text()
		t := item{sub: uint16(r.upTo(math.MaxUint16))}
		count := r.upTo(math.MaxUint16<<1 | 1)
		t.count, t.visit = uint16(count>>1), count&1 != 0
		t.days = uint32(r.upTo(math.MaxUint32))
		t.last = n.last - r.age()
		t.span = uint32(r.upTo(math.MaxUint32))
		if sig, ok := s.byID[id]; ok && len(n.items) < s.rules.Items {
			t.sig = uint16(sig)
			n.items = append(n.items, t)
		}
	}
	for range r.upTo(maxModels) {
		id := r.text()
		m := modelSeen{rank: uint8(r.upTo(math.MaxUint8)), at: n.last - r.age(), name: r.text()}
		if sig, ok := s.byID[id]; ok {
			m.sig = uint16(sig)
			n.setModels(append(n.models(), m))
		}
	}
	for range r.upTo(2 * maxHolders) {
		n.addHolder(holder{hash: uint32(r.upTo(math.MaxUint32)), last: n.last - r.age(), span: uint32(r.upTo(math.MaxUint32))})
	}
	if r.bad || len(r.b) != 0 {
		return ErrDossier
	}
	*d = n
	return nil
}

// reader takes numbers and strings off a buffer and remembers whether one
// was missing or out of range.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 || r.bad {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// age is a span of time in seconds that has not run backwards.
func (r *reader) age() int64 {
	v := r.signed()
	if v < 0 || v > 1<<40 {
		r.bad = true
		return 0
	}
	return v
}

func (r *reader) upTo(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most || r.bad {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	n := r.upTo(64)
	if uint64(len(r.b)) < n {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
