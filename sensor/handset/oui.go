package handset

import (
	"bytes"
	"fmt"
	"slices"
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
	s.oui.reserve(len(f.data) / 7) // six digits and a blank each
	for n, rest := 1, f.data; len(rest) > 0; n++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		line, _, _ = bytes.Cut(line, []byte{'#'})
		maker, line := nextWord(line)
		hint, line := nextWord(line)
		word, line := nextWord(line)
		if len(maker) == 0 {
			continue
		}
		if len(word) == 0 {
			return fmt.Errorf("%s:%d: want maker, hint and prefixes", f.name, n)
		}
		sig, err := s.ouiSignature(f.name, n, string(maker), string(hint))
		if err != nil {
			return err
		}
		for ; len(word) > 0; word, line = nextWord(line) {
			v, ok := hexNumber(word)
			if !ok || len(word) != 6 && len(word) != 7 && len(word) != 9 {
				return fmt.Errorf("%s:%d: %q: want 6, 7 or 9 hexadecimal digits", f.name, n, word)
			}
			s.oui.put(v, len(word), sig)
		}
	}
	return nil
}

// nextWord cuts the first word off line; none is left when it is empty.
func nextWord(line []byte) (word, rest []byte) {
	blank := func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
	for len(line) > 0 && blank(line[0]) {
		line = line[1:]
	}
	n := 0
	for n < len(line) && !blank(line[n]) {
		n++
	}
	return line[:n], line[n:]
}

// hexNumber reads up to 12 hexadecimal digits.
func hexNumber(word []byte) (v uint64, ok bool) {
	if len(word) > 12 {
		return 0, false
	}
	for _, c := range word {
		switch c = lower(c); {
		case '0' <= c && c <= '9':
			v = v<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, len(word) > 0
}

// ouiTable finds the signature of a hardware prefix: open addressing, a third
// of the memory of a map and a tenth of the time that filling one takes.
type ouiTable struct {
	slots []uint64 // prefix, its digits (8 bits), signature (16 bits); 0: free
	held  int
	sizes [3]bool // prefixes of 9, 7 and 6 digits are there
}

// ouiDigits are the lengths of prefixes, longest first: the longest wins.
var ouiDigits = [3]int{9, 7, 6}

func (t *ouiTable) reserve(n int) {
	size := 64
	for size < n+n/2 {
		size *= 2
	}
	if size <= len(t.slots) {
		return
	}
	old := t.slots
	t.slots = make([]uint64, size)
	clear(t.slots) // fresh memory that is read before it is written faults twice a page
	for _, x := range old {
		if x != 0 {
			*t.slot(x >> 16) = x
		}
	}
}

// slot is where key stands or can stand.
func (t *ouiTable) slot(key uint64) *uint64 {
	mask := uint64(len(t.slots) - 1)
	for i := key * 0x9E3779B97F4A7C15 >> 40; ; i++ { // Fibonacci hashing: neighbours are spread
		if x := &t.slots[i&mask]; *x == 0 || *x>>16 == key {
			return x
		}
	}
}

func (t *ouiTable) put(prefix uint64, digits int, sig uint16) {
	t.reserve(t.held + 1)
	key := prefix<<8 | uint64(digits)
	x := t.slot(key)
	if *x == 0 {
		t.held++
	}
	*x = key<<16 | uint64(sig)
	t.sizes[slices.Index(ouiDigits[:], digits)] = true
}

// find returns the signature (+1) of the longest prefix of mac that is listed.
func (t *ouiTable) find(mac uint64) uint16 {
	for i, n := range ouiDigits {
		if t.sizes[i] {
			if x := *t.slot(mac>>(48-4*n)<<8 | uint64(n)); x != 0 {
				return uint16(x) + 1
			}
		}
	}
	return 0
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
	return s.oui.find(mac)
}
