package fleet

import (
	"log/slog"

	"picket/evidence"
)

// Store keeps what other sensors saw beside this sensor's own evidence, so
// that any sensor's page shows the whole of an episode.
type Store interface {
	Episode(id string) (e evidence.Episode, ok bool, err error)
	SaveEpisode(evidence.Episode) error
}

// partKeeper writes the parts of other sensors into the store, each under the
// name of its sensor. A nil one keeps nothing.
type partKeeper struct {
	store   Store
	refused func()
	log     *slog.Logger
	of      map[string]map[string]bool // ids by sensor, since the start
}

// maxParts bounds the episodes that one sensor may put into our store between
// two starts of ours: one that went mad fills no disk.
const maxParts = 1 << 14

// Keep has the parts of other sensors kept in s. It is called before Run.
func (d *Desk) Keep(s Store) {
	d.keep = &partKeeper{store: s, refused: func() { d.node.refused.Add(1) }, log: d.log, of: map[string]map[string]bool{}}
}

// part keeps what a sensor has of an episode. No sensor can write over
// another's, or over ours.
func (k *partKeeper) part(sensor string, e *evidence.Episode) {
	if k == nil {
		return
	}
	ids := k.of[sensor]
	if ids == nil {
		ids = map[string]bool{}
		k.of[sensor] = ids
	}
	if !ids[e.ID] {
		was, there, err := k.store.Episode(e.ID)
		if err != nil || there && was.Sensor != sensor || len(ids) >= maxParts || len(k.of) > maxSensors {
			k.refused()
			k.log.Warn("fleet: another sensor's episode not kept", "sensor", sensor, "episode", e.ID, "err", err)
			return
		}
		ids[e.ID] = true
	}
	c := *e
	c.Sensor = sensor
	if err := k.store.SaveEpisode(c); err != nil {
		k.log.Error("fleet: another sensor's episode not kept", "sensor", sensor, "episode", e.ID, "err", err)
	}
}
