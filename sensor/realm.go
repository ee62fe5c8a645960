package sensor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"picket/sensor/packet"
)

// DefaultRealm is the realm of every frame that no configured realm claims.
const DefaultRealm = "default"

// Realm says which frames share one meaning of an address: two guest
// networks that both use 10.0.0.0/8 are two realms.
type Realm struct {
	VLANs      []uint16       `yaml:"vlans"`
	VNIs       []uint32       `yaml:"vnis"`       // VXLAN, Geneve
	Networks   []netip.Prefix `yaml:"networks"`   // by either address
	Interfaces []string       `yaml:"interfaces"` // frames captured there
}

// Realms resolves the realm of a frame. It never changes after it was made
// and may be shared by workers.
type Realms struct {
	names    []string // by realm number; 0 is DefaultRealm
	vlans    [4096]uint8
	vnis     map[uint32]uint8
	networks *bart.Table[uint8]
	ifaces   map[string]uint8
	any      bool
}

// maxRealms is what a byte can number, the default realm included.
const maxRealms = 255

// NewRealms compiles the configured realms. It is an error when two realms
// claim the same VLAN, VNI, interface or network.
func NewRealms(configured map[string]Realm) (*Realms, error) {
	r := &Realms{names: []string{DefaultRealm}, vnis: map[uint32]uint8{}, ifaces: map[string]uint8{}}
	if len(configured) >= maxRealms {
		return nil, fmt.Errorf("realms: %d configured, at most %d", len(configured), maxRealms-1)
	}
	names := make([]string, 0, len(configured))
	for name := range configured {
		names = append(names, name)
	}
	slices.Sort(names) // the number of a realm must not depend on map order
	for _, name := range names {
		id := uint8(len(r.names))
		r.names = append(r.names, name)
		if err := r.claim(name, id, configured[name]); err != nil {
			return nil, err
		}
	}
	r.any = len(names) > 0
	return r, nil
}

func (r *Realms) claim(name string, id uint8, c Realm) error {
	twice := func(what any, owner uint8) error {
		return fmt.Errorf("realms: %v is claimed by both %q and %q", what, r.names[owner], name)
	}
	for _, v := range c.VLANs {
		if v == 0 || v > 4094 {
			return fmt.Errorf("realms: %s: vlan %d: want 1 to 4094", name, v)
		}
		if r.vlans[v] != 0 {
			return twice(fmt.Sprint("vlan ", v), r.vlans[v])
		}
		r.vlans[v] = id
	}
	for _, v := range c.VNIs {
		if other := r.vnis[v]; other != 0 {
			return twice(fmt.Sprint("vni ", v), other)
		}
		r.vnis[v] = id
	}
	for _, i := range c.Interfaces {
		if other := r.ifaces[i]; other != 0 {
			return twice("interface "+i, other)
		}
		r.ifaces[i] = id
	}
	for _, n := range c.Networks {
		if r.networks == nil {
			r.networks = &bart.Table[uint8]{}
		}
		if other, ok := r.networks.Get(n); ok {
			return twice(n, other)
		}
		r.networks.Insert(n, id)
	}
	return nil
}

// Interface returns the realm of frames captured on the named interface,
// the default realm unless one claims it.
func (r *Realms) Interface(name string) uint16 { return uint16(r.ifaces[name]) }

// Of returns the realm of p, base being that of its interface. The
// innermost claim wins: network, then VNI, then VLAN, then interface.
func (r *Realms) Of(p *packet.Packet, base uint16) uint16 {
	if !r.any {
		return base
	}
	if r.networks != nil {
		if id, ok := r.networks.Lookup(p.Src.Netip()); ok {
			return uint16(id)
		}
		if id, ok := r.networks.Lookup(p.Dst.Netip()); ok {
			return uint16(id)
		}
	}
	if p.VNI != 0 {
		if id := r.vnis[p.VNI]; id != 0 {
			return uint16(id)
		}
	}
	if v := p.VLAN(); v != 0 {
		if id := r.vlans[v]; id != 0 {
			return uint16(id)
		}
	}
	return base
}

// Name returns the name of realm id.
func (r *Realms) Name(id uint16) string {
	if int(id) >= len(r.names) {
		return DefaultRealm
	}
	return r.names[id]
}
