package main

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"picket/fleet"
)

// Packets implements web.Store. Of an episode that several sensors saw they
// are those of the part that this sensor saw, whichever part was asked for.
func (s wholeStore) Packets(id string) (io.ReadCloser, int64, error) {
	f, size, err := s.Store.Packets(id)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, size, err
	}
	e, ok, _ := s.Store.Episode(id)
	if !ok {
		return nil, 0, err
	}
	all, _ := s.EpisodesOf(e.Device)
	for _, w := range fleet.Merge(s.self, all) {
		if !slices.Contains(w.Parts, id) {
			continue
		}
		for _, part := range w.Parts {
			if f, size, err := s.Store.Packets(part); err == nil {
				return f, size, nil
			}
		}
	}
	return nil, 0, err
}
