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

func (x *ruleIndex) lookName(raw string) *named {
	n := &named{raw: raw, name: canonical(raw)}
	var left string
	if n.cloud, left = x.cloudName(n.name); n.cloud != nil {
		n.label, n.labelled = x.region(n.cloud.Regions, left)
	}
	if n.name != "" {
		x.findOwner(n)
	}
	return n
}

// findOwner: the longest rule above the name; a cloud's own name owns
// nothing; else the country of the code domain, which is weak.
func (x *ruleIndex) findOwner(n *named) {
	base := registrable(n.name)
	above := base == "" // above the registered domain everybody is somebody else, but for clouds
	parents(n.name, func(d string) bool {
		if !above {
			n.owner = x.owners[d]
		}
		n.cloudOwner = n.owner == nil && x.names[d] != nil
		above = above || d == base
		return n.owner != nil || n.cloudOwner
	})
	if n.owner == nil && !n.cloudOwner && base != "" {
		n.code = countryOf(n.name)
	}
}
