package handset

import "time"

// Dossier is the evidence state of one device: which signatures fired, when
// first and last, and how often. The zero value is ready to use. It is not
// safe for concurrent use. Names and addresses are not in it.
type Dossier struct {
	Evicted uint32 // items that gave way to better ones
}

// Add takes one piece of evidence and reports whether it may change the
// verdict. What no signature knows is not kept.
func (d *Dossier) Add(s *Set, e Evidence) (changed bool) { return false }

// Verdict judges the evidence at the time of its last piece; now decides
// only which overlay entries have expired when there is no evidence at all.
func (d *Dossier) Verdict(s *Set, now time.Time, n Network) Verdict { return Verdict{} }

// Enough reports whether enough was seen to say anything; until then a
// device is learning.
func (d *Dossier) Enough() bool { return false }

// MarshalBinary and UnmarshalBinary keep a dossier by the ids of its
// signatures, so that it outlives a change of the signature set.
func (d *Dossier) MarshalBinary() ([]byte, error) { return nil, nil }

// UnmarshalBinary reads what MarshalBinary wrote; ids that a later set no
// longer knows are kept and count for nothing.
func (d *Dossier) UnmarshalBinary(b []byte) error { return nil }
