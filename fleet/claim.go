package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// claim says which sensor tells people of an episode.
type claim struct {
	Sensor   string    `json:"sensor"`
	Severity string    `json:"severity"` // that was told
	Since    time.Time `json:"since"`
	Closed   time.Time `json:"closed,omitzero"`
}

// claimWait bounds how long the cluster may hold up a page.
const claimWait = time.Second

var errAlone = errors.New("fleet: the cluster is out of reach")

func claimKey(k caseKey) string {
	sum := sha256.Sum256([]byte(k.device + "\x00" + k.policy + "\x00" + k.hash))
	return hex.EncodeToString(sum[:16])
}

// claim asks to be the one who tells of a case. It returns the claim that
// holds: ours or another's. yield decides whether we may take an old one over.
func (n *Node) claim(ctx context.Context, k caseKey, want claim, yield func(claim) bool) (claim, error) {
	s := n.at.Load()
	if s == nil || !n.nc.IsConnected() {
		return claim{}, errAlone
	}
	ctx, cancel := context.WithTimeout(ctx, n.claimWait)
	defer cancel()
	body, err := json.Marshal(want)
	if err != nil {
		return claim{}, err
	}
	for range 3 {
		_, err := s.claims.Create(ctx, claimKey(k), body)
		if err == nil {
			return want, nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return claim{}, err
		}
		e, err := s.claims.Get(ctx, claimKey(k))
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return claim{}, err
		}
		var held claim
		if json.Unmarshal(e.Value(), &held) == nil && held.Sensor != n.c.Name && !yield(held) {
			return held, nil
		}
		if held.Sensor == n.c.Name && held.Closed.IsZero() && want.Closed.IsZero() && rank(held.Severity) >= rank(want.Severity) {
			return held, nil
		}
		if _, err = s.claims.Update(ctx, claimKey(k), body, e.Revision()); err == nil {
			return want, nil
		}
	}
	return claim{}, errAlone
}
