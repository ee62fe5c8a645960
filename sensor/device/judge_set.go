package device

import (
	"encoding/json"
	"sync/atomic"
	"time"

	"picket/sensor/handset"
)

// Signatures is the Judge that weighs with a handset.Set. The set may be
// replaced at any time (Swap); evidence outlives it.
type Signatures struct {
	set atomic.Pointer[handset.Set]
}

// NewSignatures returns a Judge over set.
func NewSignatures(set *handset.Set) *Signatures {
	s := new(Signatures)
	s.set.Store(set)
	return s
}

// Swap makes set the one that judges from now on. Ask for verdicts to be made
// anew afterwards (Identify.Rejudge).
func (s *Signatures) Swap(set *handset.Set) { s.set.Store(set) }

// Set returns the present set.
func (s *Signatures) Set() *handset.Set { return s.set.Load() }

// Name says what the set knows of a name.
func (s *Signatures) Name(name string) NameMatch {
	m := s.set.Load().Name(name)
	return NameMatch{Known: m.ID != "", Maker: m.Maker, Plane: m.Plane}
}

// New returns an empty dossier.
func (s *Signatures) New() Dossier { return &dossier{by: s} }

// Restore returns the dossier that Save wrote.
func (s *Signatures) Restore(b []byte) (Dossier, error) {
	var raw []byte
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	d := &dossier{by: s}
	return d, d.UnmarshalBinary(raw)
}

// dossier is a handset.Dossier that knows its judge.
type dossier struct {
	handset.Dossier
	by *Signatures
}

func (d *dossier) Add(e handset.Evidence) bool { return d.Dossier.Add(d.by.set.Load(), e) }

func (d *dossier) Verdict(now time.Time, n Network) *handset.Verdict {
	return d.Dossier.Judge(d.by.set.Load(), now, handset.Network{SharedAddress: n.Shared, LeaseholderKnown: n.Leased})
}

func (d *dossier) Clone() Dossier {
	b, err := d.MarshalBinary()
	c := &dossier{by: d.by}
	if err != nil || c.UnmarshalBinary(b) != nil {
		return d.by.New() // less is known; nobody is accused by it
	}
	return c
}

func (d *dossier) Save() ([]byte, error) {
	b, err := d.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return json.Marshal(b)
}
