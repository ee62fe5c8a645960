package handset

import "io/fs"

// Set is a compiled set of signatures. It never changes and may be shared.
type Set struct {
	hash string
}

// Load compiles the signatures in fsys (one YAML file a maker) with the
// entries that overlays add, weaken or disable.
func Load(fsys fs.FS, overlays ...fs.FS) (*Set, error) { return &Set{}, nil }

// Hash is the content hash of the set: the same hash judges alike.
func (s *Set) Hash() string { return s.hash }

// Name finds the longest rule that fits a host name, on label boundaries.
// Nothing is allocated.
func (s *Set) Name(name string) Match { return Match{} }

// Owners lists the registrable domains whose owner the signatures know.
func (s *Set) Owners() []Owner { return nil }
