package wire

import (
	"io/fs"
	"net/netip"
)

// HiderKind is a kind of service that hides names from a passive sensor.
type HiderKind uint8

// The kinds, spelt as in the data files.
const (
	NotHidden HiderKind = iota
	DoT
	DoH
	DoQ
	Relay
	VPN
	Tor
	WiFiCalling // not a suspicion: it proves a SIM phone
)

var hiderNames = [...]string{"", "dot", "doh", "doq", "relay", "vpn", "tor", "wificalling"}

// String returns the spelling of the data files and tunnel observations.
func (k HiderKind) String() string { return hiderNames[k] }

// Hider is one listed service.
type Hider struct {
	Kind  HiderKind
	Name  string // of the service: "Quad9"
	Kinds uint16 // all kinds listed for it: bit 1<<Kind
}

// Hiders answers whether a name or an address is a listed service. It is
// immutable after LoadHiders: share it freely, swap it on reload.
type Hiders struct{}

// LoadHiders reads all *.yml of dir (configs/hidden): strict, an error names
// file and line.
func LoadHiders(dir fs.FS) (*Hiders, error) { return &Hiders{}, nil }

// ByName returns the service that name (lower case, no trailing dot) belongs to.
func (h *Hiders) ByName(name string) (Hider, bool) { return Hider{}, false }

// ByAddr returns the service at addr.
func (h *Hiders) ByAddr(addr netip.Addr) (Hider, bool) { return Hider{}, false }
