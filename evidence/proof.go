package evidence

import (
	"database/sql"
	"encoding/json"
	"time"
)

// Proof is what the verdict of an episode rests on, in the form that
// `picket classify` reads: which signatures fired and when, no name and no
// address. Judged again with the same signatures it gives the same verdict.
type Proof struct {
	Episode  string          `json:"-"`
	Device   string          `json:"-"`
	At       time.Time       `json:"at"`
	Verdict  Verdict         `json:"verdict"`
	Evidence json.RawMessage `json:"evidence"` // one line for classify
}

// ProofLine is one line of evidence as classify, accuracy and the tests of
// signatures read it.
type ProofLine struct {
	ID      string `json:"id"`
	Title   string `json:"title,omitempty"`
	Truth   string `json:"truth,omitempty"` // model or maker, when a person confirmed it
	Maker   string `json:"maker,omitempty"`
	Network struct {
		SharedAddress    bool `json:"shared_address"`
		LeaseholderKnown bool `json:"leaseholder_known,omitempty"`
	} `json:"network"`
	Evidence []ProofItem  `json:"evidence"`
	Expect   *ProofExpect `json:"expect,omitempty"`
}

// ProofItem is one piece of evidence: a signature that fired.
type ProofItem struct {
	T      int64  `json:"t"` // seconds since 1970 UTC
	Family string `json:"family"`
	Field  string `json:"field"`
	Value  string `json:"value"`
	Visit  bool   `json:"visit,omitempty"`
}

// ProofExpect is what a test of signatures asks of a case.
type ProofExpect struct {
	Vendors []string     `json:"vendor_accept"`
	Band    string       `json:"band"`
	Handset string       `json:"handset"`
	Not     []ProofNever `json:"must_not,omitempty"`
}

// ProofNever is a maker that may not be said above a confidence.
type ProofNever struct {
	Vendor string `json:"vendor"`
	Above  string `json:"band_above"`
}

// Line is the evidence of the proof.
func (p *Proof) Line() (l ProofLine, err error) {
	err = json.Unmarshal(p.Evidence, &l)
	return l, err
}

// SaveProof keeps the proof of an episode, in place of the one before.
func (s *Store) SaveProof(p Proof) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.waiting.proofs[p.Episode]; !there && len(s.waiting.proofs) >= s.c.Limits.Waiting {
		s.stats.dropped.Add(1)
		return
	}
	s.waiting.proofs[p.Episode] = p
}

func (s *Store) writeProofs(tx *sql.Tx, b *batch) error {
	for _, p := range b.proofs {
		gone, err := forgotten(tx, p.Device, p.At)
		if err != nil {
			return err
		}
		if gone {
			continue
		}
		body, err := json.Marshal(p)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO proof (id, device, at, body) VALUES (?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET device = excluded.device, at = excluded.at, body = excluded.body`, p.Episode, p.Device, nanos(p.At), string(body))
		if err != nil {
			return err
		}
		err = link(tx, fact{at: p.At, kind: KindProof, subject: p.Device, ref: KindProof + ":" + p.Episode, body: vouch{"proof", p.Episode, hashOf(body), ""}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Proof returns what the verdict of an episode rests on; ok is false when
// nothing is kept.
func (s *Store) Proof(episode string) (p Proof, ok bool, err error) {
	if err := s.Flush(); err != nil {
		s.c.Logger.Debug("shown without what waits in memory", "err", err)
	}
	err = s.rows("SELECT body FROM proof WHERE id = ?", []any{episode}, func(scan func(...any) error) error {
		ok = true
		return scanJSON(scan, &p)
	})
	return p, ok, err
}
