package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"picket/evidence"
	"picket/fleet"
	"picket/sensor/device"
)

// forgetEverywhere removes what is kept on a device here, and has the rest of
// the fleet do so.
func forgetEverywhere(s *evidence.Store, state, id string, out io.Writer) (evidence.Forgotten, error) {
	f, err := s.Forget(id)
	if err != nil && !errors.Is(err, evidence.ErrUnknown) {
		return f, err
	}
	told, fleetErr := fleet.Forget(state, id, time.Now())
	if fleetErr != nil {
		return f, fleetErr
	}
	if !told {
		return f, err
	}
	_, err = fmt.Fprintln(out, "The fleet is told: sensors that are up follow within seconds, others when they are back.")
	return f, err
}

// forget removes what is kept here of a device, because somebody of the fleet
// was asked to.
func (m *member) forget(store *evidence.Store, id string) error {
	if _, err := store.Forget(id); err != nil && !errors.Is(err, evidence.ErrUnknown) {
		return err
	}
	m.desk.Forget(id)
	m.identity.Forget(device.ID(id))
	m.sums.Forget(device.ID(id))
	return nil
}
