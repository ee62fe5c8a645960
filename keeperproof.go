package main

import (
	"encoding/json"
	"sync"
	"time"

	"picket/evidence"
	"picket/sensor/device"
)

// prover keeps what the verdicts of episodes rest on, when they open, when
// the verdict changes and when they close. Episodes are told by several
// goroutines; table is asked by that of the sink alone, and never while it
// tells of changes.
type prover struct {
	store *evidence.Store
	table *device.Table // nil: nothing is kept

	mu  sync.Mutex
	now map[string]proven    // open episodes
	due map[string]device.ID // episodes whose proof is to be kept
}

// proven is what of an episode was proven last.
type proven struct{ maker, confidence string }

func newProver(store *evidence.Store) *prover {
	return &prover{store: store, now: map[string]proven{}, due: map[string]device.ID{}}
}

// saved notes an episode whose proof may have to be kept anew.
func (p *prover) saved(e *evidence.Episode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := proven{e.Maker, e.Confidence}
	if p.now[e.ID] != is || !e.Closed.IsZero() {
		p.due[e.ID] = device.ID(e.Device)
	}
	p.now[e.ID] = is
	if !e.Closed.IsZero() {
		delete(p.now, e.ID)
	}
}

// prove keeps what is due.
func (p *prover) prove(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due) == 0 || p.table == nil {
		return
	}
	for episode, id := range p.due {
		if proof, ok := p.proof(id, at); ok {
			proof.Episode = episode
			p.store.SaveProof(proof)
		}
	}
	clear(p.due)
}

// proof is what the verdict on a device rests on.
func (p *prover) proof(id device.ID, at time.Time) (evidence.Proof, bool) {
	known, ok := p.table.Proof(id)
	if !ok {
		return evidence.Proof{}, false
	}
	line := evidence.ProofLine{ID: string(id), Evidence: []evidence.ProofItem{}}
	line.Network.SharedAddress, line.Network.LeaseholderKnown = known.Network.Shared, known.Network.Leased
	for _, e := range known.Evidence {
		line.Evidence = append(line.Evidence, evidence.ProofItem{T: e.At.Unix(), Family: e.Family, Field: e.Field, Value: e.Value, Visit: e.Visit})
	}
	body, err := json.Marshal(line)
	if err != nil {
		return evidence.Proof{}, false
	}
	v := known.View.Verdict
	return evidence.Proof{Device: string(id), At: at.UTC(), Evidence: body, Verdict: evidence.Verdict{
		At: at.UTC(), Device: string(id), Maker: v.Maker, Model: v.Model, Class: v.Class, Confidence: v.Confidence.String(), Posterior: v.Posterior,
		Shared: v.Shared, Reasons: reasonWords(v.Reasons), Against: reasonWords(v.Against), Signatures: v.Signatures, Why: "episode",
	}}, true
}
