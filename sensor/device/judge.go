package device

import (
	"time"

	"picket/sensor/handset"
)

// A Judge is the signature set as this room needs it: package handset weighs,
// package device only says whose evidence it is. Judges are read-only and may
// be shared.
type Judge interface {
	// Name says what the set knows of a name; it allocates nothing.
	Name(name string) NameMatch
	// New returns an empty dossier.
	New() Dossier
	// Restore returns the dossier that Dossier.Save wrote.
	Restore([]byte) (Dossier, error)
}

// Match says what the table's Judge knows of a name.
func (t *Table) Match(name string) NameMatch { return t.judge.Name(name) }

// NameMatch is what the signature set says of a name. The zero value means
// that no signature knows it: anyone's browser may ask for it.
type NameMatch struct {
	Known bool
	Maker string // may be an OS family: android, microsoft, ...
	Plane handset.Plane
}

// A Dossier holds the evidence for one device.
type Dossier interface {
	// Add takes one fact and reports whether it can change the verdict.
	Add(handset.Evidence) (changed bool)
	// Verdict weighs what there is as of now, packet time. What it returns
	// never changes, and may be that of other devices too.
	Verdict(now time.Time, n Network) *handset.Verdict
	// Enough reports whether enough was seen to say that nothing is known.
	Enough() bool
	// Clone returns an independent copy.
	Clone() Dossier
	// Save returns the evidence in the form that Judge.Restore reads (JSON).
	Save() ([]byte, error)
}

// Network is what the network says about a device beside its evidence.
type Network struct {
	Shared bool // several devices stand behind the address
	Leased bool // DHCP identified the holder of the address: its own DHCP options count though shared
	Random bool // the hardware address is locally administered
	Router bool // speaks for others: nobody
}
