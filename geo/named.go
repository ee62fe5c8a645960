package geo

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// maxNamed is how many names are kept with what the rules say of them:
// servers are many, and their names fewer. One that was thrown out is looked
// up again.
const maxNamed = 1 << 12

// named is what the rules say of a name, whatever address it leads to. It is
// immutable.
type named struct {
	raw        string // as it was asked, a copy of our own
	name       string // canonical
	cloud      *NameRule
	label      string // of a region, in the cloud's name
	labelled   Country
	owner      *ownership
	cloudOwner bool    // the name belongs to a cloud
	code       Country // of the country-code domain, when nobody is known
}

// names keeps them. It is safe for concurrent use.
type names struct {
	seed  maphash.Seed
	slots [maxNamed]atomic.Pointer[named]
}

// nobody is what rules say of no name.
var nobody = &named{}

// named looks a name up, from memory if it can.
func (x *ruleIndex) named(raw string) *named {
	switch {
	case raw == "":
		return nobody
	case len(raw) > 255:
		return x.lookName(raw)
	}
	slot := &x.known.slots[maphash.String(x.known.seed, raw)%maxNamed]
	if n := slot.Load(); n != nil && n.raw == raw {
		return n
	}
	n := x.lookName(strings.Clone(raw))
	slot.Store(n)
	return n
}

// lookName: the owner is the longest rule above the name; a cloud's own name
// owns nothing; else the country of the code domain, which is weak.
func (x *ruleIndex) lookName(raw string) *named {
	n := &named{raw: raw, name: canonical(raw)}
	for d := n.name; d != "" && n.cloud == nil; d = parent(d) {
		r := x.domains[d]
		if n.owner == nil && r.owner != nil && owns(d, n.name) {
			n.owner = r.owner
		}
		if r.cloud != nil {
			n.cloud = r.cloud
			n.label, n.labelled = x.region(r.cloud.Regions, leftOf(n.name, d))
		}
	}
	n.cloudOwner = n.owner == nil && n.cloud != nil
	if n.owner == nil && !n.cloudOwner {
		if code := countryOf(n.name); code != "" && registrable(n.name) != "" {
			n.code = code
		}
	}
	return n
}

// owns reports whether d, name or a domain above it, stands at or below the
// domain under which name was registered: above that everybody is somebody
// else.
func owns(d, name string) bool {
	base := registrable(name)
	return base != "" && len(d) >= len(base)
}
