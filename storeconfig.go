package main

import (
	"time"

	"picket/configs"
	"picket/evidence"
)

// storeConfig is the evidence store that the configuration asks for in dir.
func storeConfig(c *configs.Config, dir string) evidence.Config {
	return evidence.Config{
		Dir:       dir,
		Limits:    evidence.Limits{Packets: maxEpisodePackets, AllPackets: int(c.Evidence.PacketStore)},
		Retention: retentionOf(c),
	}
}

// retentionOf is how long the configuration lets each kind be kept.
func retentionOf(c *configs.Config) evidence.Retention {
	r := &c.Evidence.Retention
	return evidence.Retention{
		Episodes: time.Duration(r.Episodes), Packets: time.Duration(r.Packets), Devices: time.Duration(r.Devices),
		Verdicts: time.Duration(r.Verdicts), Ledger: time.Duration(r.Ledger), Rulings: time.Duration(r.Rulings), Chain: time.Duration(r.Chain),
	}
}

// holdFrames has the keeper hold what the workers of a copy, ask its table
// for proofs, and count devices as the configuration says.
func (k *keeper) holdFrames(a *assembly) (err error) {
	k.proofs.table = a.table
	k.countedEvery = time.Duration(a.cfg.Evidence.Pseudonyms)
	k.frames, err = newKeepsakes(a.cfg.Evidence, a.frames, k.store, a.realms, a.sigs)
	a.before = k.frames.take
	return err
}
