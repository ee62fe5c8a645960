package handset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ouiHints are the words of oui.tsv: what a maker uses a block for.
var ouiHints = map[string]struct {
	strength Strength
	form     form
	text     string
}{
	"handset": {Exclusive, phone, "its hardware address is from a block that %s uses mostly for handsets"},
	"mixed":   {Mostly, anyForm, "its hardware address is from a block of %s, which makes many things"},
	"tv":      {Nothing, tv, "its hardware address is from a block that %s uses for televisions and gadgets"},
	"iot":     {Nothing, iot, "its hardware address is from a block that %s uses for gadgets"},
	"pc":      {Mostly, laptop, "its hardware address is from a block of %s, used in computers"},
	"router":  {Nothing, router, "its hardware address is from a block that %s uses for network equipment"},
	"server":  {Mostly, server, "its hardware address is from a block of %s, used for servers and virtual machines"},
	"board":   {Mostly, iot, "its hardware address is from a block of %s, used on boards and gadgets"},
	"any":     {Nothing, anyForm, "its hardware address is from a block of %s, which says little"},
}

// loadOUI reads the table of hardware prefixes: maker, hint and prefixes of
// 6, 7 or 9 hexadecimal digits, separated by blanks. A # begins a comment.
func (s *Set) loadOUI(f file) error {
	if len(s.oui) == 0 {
		s.oui = make(map[uint64]uint16, len(f.data)/7) // six digits and a blank each
	}
	for n, line := range strings.Split(string(f.data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) < 3 {
			return fmt.Errorf("%s:%d: want maker, hint and prefixes", f.name, n+1)
		}
		sig, err := s.ouiSignature(f.name, n+1, words[0], words[1])
		if err != nil {
			return err
		}
		for _, w := range words[2:] {
			v, err := strconv.ParseUint(w, 16, 48)
			if err != nil || len(w) != 6 && len(w) != 7 && len(w) != 9 {
				return fmt.Errorf("%s:%d: %q: want 6, 7 or 9 hexadecimal digits", f.name, n+1, w)
			}
			s.oui[v<<8|uint64(len(w))] = sig
			if !slices.Contains(s.nibbles, len(w)) {
				s.nibbles = append(s.nibbles, len(w))
			}
		}
	}
	slices.Sort(s.nibbles)
	slices.Reverse(s.nibbles)
	return nil
}

func (s *Set) ouiSignature(file string, line int, makerName, hint string) (uint16, error) {
	id := "oui." + makerName + "." + hint
	if i, ok := s.byID[id]; ok {
		return uint16(i), nil
	}
	m, ok := s.byMaker[makerName]
	if !ok {
		return 0, fmt.Errorf("%s:%d: unknown maker %q%s", file, line, makerName, nearest(makerName, s.makerNames()))
	}
	h, ok := ouiHints[hint]
	if !ok {
		return 0, fmt.Errorf("%s:%d: unknown hint %q", file, line, hint)
	}
	n := len(s.sigs)
	s.byID[id] = n
	s.byService[id] = uint16(len(s.byService) + 1)
	s.sigs = append(s.sigs, signature{id: id, maker: uint8(m), family: Hardware, plane: OS, strength: h.strength, form: h.form,
		service: s.byService[id], verified: document, text: fmt.Sprintf(h.text, s.makers[m].title), source: "IEEE registration authority"})
	return uint16(n), nil
}

// parseMAC reads a hardware address of 12 hexadecimal digits with any
// separators.
func parseMAC(text string) (mac uint64, ok bool) {
	digits := 0
	for i := range len(text) {
		c := lower(text[i])
		var v byte
		switch {
		case '0' <= c && c <= '9':
			v = c - '0'
		case 'a' <= c && c <= 'f':
			v = c - 'a' + 10
		case c == ':' || c == '-' || c == '.':
			continue
		default:
			return 0, false
		}
		if digits++; digits > 12 {
			return 0, false
		}
		mac = mac<<4 | uint64(v)
	}
	return mac, digits == 12
}

// locallyAdministered reports whether the address was chosen and not
// assigned (IEEE 802, section 8.2): its prefix says nothing.
func locallyAdministered(mac uint64) bool { return mac>>40&2 != 0 }

// hardware finds the signature (+1) of an assigned address.
func (s *Set) hardware(mac uint64) uint16 {
	if locallyAdministered(mac) || mac>>40&1 != 0 {
		return 0
	}
	for _, n := range s.nibbles {
		if sig, ok := s.oui[mac>>(48-4*n)<<8|uint64(n)]; ok {
			return sig + 1
		}
	}
	return 0
}
