package handset

import "strings"

// nameTable finds the longest rule that fits a host name. It hashes a name
// from the right, one byte at a time, and looks a label boundary up by the
// hash so far: a name that nobody listed is left after two labels.
type nameTable struct {
	nodes []nameNode // open addressing, power of two
	mask  uint64
	globs []glob
	count int
}

type nameNode struct {
	hash   uint64 // 0: free
	name   string // labels from here to the right end
	exact  uint16 // signature + 1
	suffix uint16 // signature + 1
	globs  []uint16
	strip  bool // a search suffix that a resolver appended
}

// glob is a pattern for the part left of a suffix: literals around stars.
// A star stands for any characters but the dot.
type glob struct {
	sig    uint16
	parts  []string
	weight int // literal characters: more is more specific
}

const (
	hashSeed  = 14695981039346656037
	hashPrime = 1099511628211
)

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func hashName(s string) uint64 {
	h := uint64(hashSeed)
	for i := len(s) - 1; i >= 0; i-- {
		h = (h ^ uint64(lower(s[i]))) * hashPrime
	}
	return mix(h)
}

func mix(h uint64) uint64 {
	h ^= h >> 32
	if h == 0 {
		return 1
	}
	return h
}

// node returns the node of name, made on demand with all nodes above it.
func (t *nameTable) node(name string) *nameNode {
	if i := strings.IndexByte(name, '.'); i >= 0 {
		t.node(name[i+1:])
	}
	if t.count*2 >= len(t.nodes) {
		t.grow()
	}
	h := hashName(name)
	for i := h & t.mask; ; i = (i + 1) & t.mask {
		n := &t.nodes[i]
		if n.hash == h && n.name == name {
			return n
		}
		if n.hash == 0 {
			*n = nameNode{hash: h, name: name}
			t.count++
			return n
		}
	}
}

func (t *nameTable) grow() {
	old := t.nodes
	t.nodes = make([]nameNode, max(2048, 2*len(old)))
	clear(t.nodes) // fresh memory that is read before it is written faults twice a page
	t.mask = uint64(len(t.nodes) - 1)
	for _, n := range old {
		if n.hash == 0 {
			continue
		}
		i := n.hash & t.mask
		for t.nodes[i].hash != 0 {
			i = (i + 1) & t.mask
		}
		t.nodes[i] = n
	}
}

// add enters a rule: a host, *.suffix (the suffix itself and all below), or
// a glob in the part left of a suffix. It reports a rule that is there.
func (t *nameTable) add(rule string, sig uint16) bool {
	left, suffix, isGlob := splitRule(rule)
	if isGlob {
		n := t.node(suffix)
		g := glob{sig: sig, parts: strings.Split(left, "*"), weight: len(left) - strings.Count(left, "*")}
		t.globs = append(t.globs, g)
		n.globs = append(n.globs, uint16(len(t.globs)-1))
		return true
	}
	n := t.node(suffix)
	p := &n.exact
	if left == "*" {
		p = &n.suffix
	}
	if *p != 0 {
		return false
	}
	*p = sig + 1
	return true
}

// splitRule cuts a rule into the glob and the literal labels to its right.
func splitRule(rule string) (left, suffix string, isGlob bool) {
	i := strings.LastIndexByte(rule, '*')
	if i < 0 {
		return "", rule, false
	}
	dot := strings.IndexByte(rule[i:], '.')
	if dot < 0 {
		return rule, "", true
	}
	left, suffix = rule[:i+dot], rule[i+dot+1:]
	return left, suffix, left != "*"
}

// find returns the signature (+1, 0 for none) and how many bytes of name
// stand left of the suffix that decided, without its dot.
func (t *nameTable) find(name string) (sig uint16, left int) {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	if len(name) > 253 || t.mask == 0 { // RFC 1035, section 2.3.4
		return 0, 0
	}
	h := uint64(hashSeed)
	var found string
	cut := 0
	for i := len(name) - 1; i >= 0; i-- {
		h = (h ^ uint64(lower(name[i]))) * hashPrime
		if i > 0 && name[i-1] != '.' {
			continue
		}
		n := t.lookup(mix(h), len(name)-i)
		if n == nil {
			break
		}
		if n.strip && sig == 0 {
			cut = i
		}
		switch {
		case i == 0 && n.exact != 0:
			sig, left, found = n.exact, 0, n.name
		case n.suffix != 0:
			sig, left, found = n.suffix, max(i-1, 0), n.name
		}
		if i > 1 && n.globs != nil {
			if g := t.bestGlob(n.globs, name[:i-1]); g != 0 {
				sig, left, found = g, i-1, n.name
			}
		}
	}
	if sig == 0 && cut > 1 {
		return t.find(name[:cut-1])
	}
	if sig != 0 && !hasPrefixFold(name[len(name)-len(found):], found) {
		return 0, 0 // a hash collision
	}
	return sig, left
}

func (t *nameTable) lookup(h uint64, size int) *nameNode {
	for i := h & t.mask; ; i = (i + 1) & t.mask {
		n := &t.nodes[i]
		if n.hash == h && len(n.name) == size {
			return n
		}
		if n.hash == 0 {
			return nil
		}
	}
}

func (t *nameTable) bestGlob(list []uint16, left string) (sig uint16) {
	best := -1
	for _, i := range list {
		if g := &t.globs[i]; g.weight > best && g.match(left) {
			sig, best = g.sig+1, g.weight
		}
	}
	return sig
}

// match reports whether s is the literals with runs of non-dots between.
func (g *glob) match(s string) bool {
	last := len(g.parts) - 1
	if len(s) < g.weight || !hasPrefixFold(s, g.parts[0]) {
		return false
	}
	s = s[len(g.parts[0]):]
	for _, p := range g.parts[1:last] {
		i := indexFold(s, p)
		if i < 0 || strings.IndexByte(s[:i], '.') >= 0 {
			return false
		}
		s = s[i+len(p):]
	}
	end := g.parts[last]
	return len(s) >= len(end) && hasPrefixFold(s[len(s)-len(end):], end) && strings.IndexByte(s[:len(s)-len(end)], '.') < 0
}

func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) { // prefix is in lower case
		if lower(s[i]) != prefix[i] {
			return false
		}
	}
	return true
}

func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if hasPrefixFold(s[i:], sub) {
			return i
		}
	}
	return -1
}

// regionWords are the parts of a host name that say which shard of a
// service it is: names that differ in them alone are one service.
var regionWords = map[string]bool{
	"eu": true, "in": true, "ru": true, "us": true, "sg": true, "de": true, "fr": true, "cn": true, "asia": true,
	"intl": true, "global": true, "india": true, "rus": true, "idmb": true, "dra": true, "dre": true, "drcn": true,
	"drru": true, "euex": true, "id": true, "kr": true, "hk": true, "sgp": true, "gl": true, "cdn": true, "alt": true,
}

// serviceOf hashes the part of a name that says which service it is:
// digits and region words are left out.
func serviceOf(left string) uint16 {
	h := uint64(hashSeed)
	for len(left) > 0 {
		i := strings.IndexAny(left, ".-")
		word := left
		if i >= 0 {
			word, left = left[:i], left[i+1:]
		} else {
			left = ""
		}
		word = strings.ToLower(strings.TrimRight(word, "0123456789"))
		if word == "" || regionWords[word] {
			continue
		}
		for j := range len(word) {
			h = (h ^ uint64(word[j])) * hashPrime
		}
		h *= hashPrime
	}
	return uint16(h>>48) | 1
}
