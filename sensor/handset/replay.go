package handset

import (
	"strconv"
	"strings"
	"time"
)

// Signature is the family of evidence that says which entry of the signatures
// fired, and nothing of what was seen: Field is the id of the entry, for an
// entry that stands for many services followed by "#" and a number; Value
// names a model, with its rank before it ("3 M2101K6G"), or is empty. Dossiers
// are told in it: they keep no names and no addresses.
const Signature = "signature"

// Replay gives the evidence in d that counts, in the words of the set s: a
// dossier to which it is added gives the same verdict, for the same set. The
// last piece says when evidence came last.
func (d *Dossier) Replay(s *Set) []Evidence {
	d.adopt(s)
	since := d.since()
	var out []Evidence
	add := func(at int64, field, value string, visit bool) {
		out = append(out, Evidence{At: time.Unix(at, 0).UTC(), Family: Signature, Field: field, Value: value, Visit: visit})
	}
	for i := range d.items {
		t := &d.items[i]
		if t.last < since {
			continue
		}
		field := s.sigs[t.sig].id
		if t.sub != 0 {
			field += "#" + strconv.Itoa(int(t.sub))
		}
		days := t.days & withinBinding(t.last, since)
		first := t.last - t.apart(since)
		for n := int64(31); n > 0; n-- {
			switch {
			case days>>n&1 == 0:
			case floorDay(t.last)-floorDay(first) == n: // as long before the last as it was
				add(first, field, "", t.visit)
			default:
				add(t.last-n*day, field, "", t.visit)
			}
		}
		add(t.last, field, "", t.visit)
	}
	for _, m := range d.models() {
		if m.at >= since {
			add(m.at, s.sigs[m.sig].id, strconv.Itoa(int(m.rank))+" "+m.name, false)
		}
	}
	if d.seen > 0 {
		add(d.last, "", "", false)
	}
	return out
}

// recogniseSignature reads what Replay wrote.
func (s *Set) recogniseSignature(hits []hit, field, value string) []hit {
	id, sub, _ := strings.Cut(field, "#")
	sig, ok := s.byID[id]
	if !ok {
		return hits
	}
	h := hit{sig: uint16(sig)}
	if n, err := strconv.ParseUint(sub, 10, 16); err == nil {
		h.sub = uint16(n)
	}
	if rank, model, ok := strings.Cut(value, " "); ok {
		if n, err := strconv.ParseUint(rank, 10, 8); err == nil {
			h.rank, h.model = int(n), model
		}
	}
	return append(hits, h)
}
