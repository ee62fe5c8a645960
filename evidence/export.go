package evidence

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Case is one episode with everything that it rests on, for somebody who was
// not there.
type Case struct {
	Version  int         `json:"version"`
	Exported time.Time   `json:"exported"`
	Sentence string      `json:"sentence"`
	Episode  Episode     `json:"episode"`
	Device   *Device     `json:"device"`   // null when it is no longer kept
	Held     []Held      `json:"held"`     // addresses it had
	Verdicts []Verdict   `json:"verdicts"` // newest first
	Rulings  []Ruling    `json:"rulings"`
	Proof    *Proof      `json:"proof"`                    // what the verdict rests on; null when it is not kept
	Judged   any         `json:"judged_by"`                // signatures, databases and policies in force; null when not known
	Packets  []byte      `json:"packets_pcapng,omitempty"` // base64
	Chain    []ChainLink `json:"chain"`                    // the entries about this episode
	Head     string      `json:"head"`                     // of the chain when it was exported
	Scrubbed bool        `json:"scrubbed"`
}

// caseVersion is the version of Case that this build writes.
const caseVersion = 2

// ChainLink is an entry of the chain with what opens its commitment.
type ChainLink struct {
	Seq        int64           `json:"seq"`
	At         time.Time       `json:"at"`
	Kind       string          `json:"kind"`
	Commitment string          `json:"commitment"` // SHA-256(salt ‖ body), hexadecimal
	Hash       string          `json:"hash"`
	Salt       string          `json:"salt"`
	Body       json.RawMessage `json:"body"`
}

// Case gathers what there is on an episode, and notes on the chain that by
// took it.
func (s *Store) Case(id, by string, scrub bool) (Case, error) {
	e, ok, err := s.Episode(id)
	if err != nil {
		return Case{}, err
	}
	if !ok {
		return Case{}, fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	now := s.c.Now().UTC()
	s.Note(now, KindAccess, e.Device, map[string]string{"event": "export", "episode": id, "by": by})
	f, err := s.File(e.Device)
	if err != nil {
		return Case{}, err
	}
	c := Case{Version: caseVersion, Exported: now, Sentence: e.Sentence, Episode: e, Held: f.Held, Verdicts: f.Verdicts, Rulings: f.Rulings}
	if f.Known {
		c.Device = &f.Device
	}
	if c.Chain, err = s.links(KindEpisode + ":" + id); err != nil {
		return c, err
	}
	if err := s.attach(&c); err != nil {
		return c, err
	}
	head, err := s.Head()
	c.Head = head.String()
	if scrub {
		c.scrub()
	}
	return c, err
}

// attach adds proof, packets and what judged.
func (s *Store) attach(c *Case) error {
	p, ok, err := s.Proof(c.Episode.ID)
	if err != nil {
		return err
	}
	if ok {
		c.Proof = &p
	}
	err = s.rows("SELECT body FROM chain WHERE kind = ?1 AND body IS NOT NULL AND seq < (SELECT max(seq) FROM chain WHERE ref = ?2) ORDER BY seq DESC LIMIT 1",
		[]any{KindConfig, KindEpisode + ":" + c.Episode.ID}, func(scan func(...any) error) error { return scanJSON(scan, &c.Judged) })
	if err != nil {
		return err
	}
	f, _, err := s.Packets(c.Episode.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	c.Packets, err = io.ReadAll(f)
	return err
}

func (s *Store) links(ref string) ([]ChainLink, error) {
	out := []ChainLink{}
	err := s.rows("SELECT seq, at, kind, commitment, hash, salt, body FROM chain WHERE ref = ? ORDER BY seq", []any{ref}, func(scan func(...any) error) error {
		var l ChainLink
		var at int64
		var commitment, hash, salt, body []byte
		if err := scan(&l.Seq, &at, &l.Kind, &commitment, &hash, &salt, &body); err != nil {
			return err
		}
		l.At, l.Commitment, l.Hash, l.Salt = timeOf(at), hex.EncodeToString(commitment), hex.EncodeToString(hash), hex.EncodeToString(salt)
		l.Body = append(json.RawMessage{}, body...)
		out = append(out, l)
		return nil
	})
	return out, err
}

// scrub leaves what the verdict rests on and takes out whom it is about: for
// the tests of signatures, and for other sites.
func (c *Case) scrub() {
	c.Scrubbed, c.Sentence, c.Chain, c.Head, c.Held, c.Packets = true, "", []ChainLink{}, "", []Held{}, nil
	c.Exported, c.Judged = time.Time{}, nil
	e := &c.Episode
	c.Episode = Episode{
		Policy: e.Policy, Severity: e.Severity, Condition: e.Condition, Maker: e.Maker, Model: e.Model, Class: e.Class,
		Confidence: e.Confidence, Posterior: e.Posterior, Countries: e.Countries, Basis: e.Basis, Sent: e.Sent, Handshake: e.Handshake,
		Reasons: e.Reasons, Against: e.Against, Caveats: e.Caveats, Signatures: e.Signatures, PolicyHash: e.PolicyHash, Databases: e.Databases,
		Names: []string{}, Servers: []Server{}, Identifiers: e.Identifiers,
	}
	if d := c.Device; d != nil {
		c.Device = &Device{
			Concern: d.Concern, Policies: d.Policies, Maker: d.Maker, Model: d.Model, Class: d.Class, Handset: d.Handset,
			Confidence: d.Confidence, Posterior: d.Posterior, Shared: d.Shared, RandomMAC: d.RandomMAC,
			MACs: []string{}, Addrs: []string{}, Reasons: d.Reasons, Against: d.Against, WouldChange: d.WouldChange, Signatures: d.Signatures,
		}
	}
	for i := range c.Verdicts {
		c.Verdicts[i].Device, c.Verdicts[i].Into, c.Verdicts[i].At = "", "", time.Time{}
	}
	for i := range c.Rulings {
		r := &c.Rulings[i]
		c.Rulings[i] = Ruling{Maker: r.Maker, Verdict: r.Verdict}
	}
	c.scrubProof()
}

// scrubProof moves the evidence to the first days of 1970, by whole days so
// that what was seen on several days still is, and says what a test of the
// signatures should ask of it.
func (c *Case) scrubProof() {
	if c.Proof == nil {
		return
	}
	l, err := c.Proof.Line()
	if err != nil || len(l.Evidence) == 0 {
		c.Proof = nil
		return
	}
	v := c.Proof.Verdict
	v.Device, v.Into, v.At = "", "", time.Time{}
	first := l.Evidence[0].T
	for _, e := range l.Evidence {
		first = min(first, e.T)
	}
	const day = 24 * 60 * 60
	shift := floorDiv(first, day) * day
	for i := range l.Evidence {
		l.Evidence[i].T -= shift
	}
	l.ID, l.Title = "case", "a device judged "+v.Confidence+" of "+v.Maker
	l.expect(&v, c.Rulings)
	body, err := json.Marshal(l)
	if err != nil {
		c.Proof = nil
		return
	}
	c.Proof = &Proof{Verdict: v, Evidence: body}
}

// expect says what the verdict on the case should be: what a person ruled
// last, else what picket said.
func (l *ProofLine) expect(v *Verdict, rulings []Ruling) {
	l.Expect = &ProofExpect{Vendors: []string{v.Maker}, Band: v.Confidence, Handset: "unknown"}
	if v.Class == "handset" {
		l.Expect.Handset = "yes"
	}
	if len(rulings) == 0 {
		return
	}
	switch r := rulings[0]; r.Verdict { // newest first
	case Confirmed:
		l.Truth, l.Maker = or(v.Model, r.Maker), r.Maker
	case Wrong:
		l.Title += "; ruled wrong"
		l.Expect = &ProofExpect{Vendors: []string{}, Band: "none", Handset: "unknown", Not: []ProofNever{{or(r.Maker, v.Maker), "none"}}}
	case NotHandset:
		l.Title += "; ruled no handset"
		l.Expect.Handset = "no"
	}
}
