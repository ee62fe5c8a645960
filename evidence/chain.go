package evidence

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The chain holds an entry for whatever must not be changed afterwards. An
// entry commits to its body by SHA-256(salt ‖ body); entries are chained by
// SHA-256(previous ‖ seq ‖ at ‖ kind ‖ commitment). Forgetting removes salt
// and body: without the salt the commitment says nothing about the body, and
// the chain still verifies.

// The kinds of entries.
const (
	KindEpisode = "episode" // opened, told, continued, closed
	KindVerdict = "verdict"
	KindRuling  = "ruling"
	KindConfig  = "config" // policies, signatures, databases
	KindAccess  = "access" // exports, downloads of packets, identity look-ups, backups
	KindForget  = "forget"
	KindRetired = "retention"
	KindPackets = "packets" // of an episode
	KindProof   = "proof"   // what the verdict of an episode rests on
)

// fact is an entry of the chain to be.
type fact struct {
	at      time.Time
	kind    string
	subject string // device it is about, for forgetting
	ref     string // row it vouches for: "episode:ID"
	body    any
}

// Note puts an entry of the kind on the chain: KindConfig for a change of
// policies, signatures or databases, KindAccess for an export or a download.
func (s *Store) Note(at time.Time, kind, device string, body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting.facts) >= s.c.Limits.Waiting {
		s.stats.dropped.Add(1)
		return
	}
	s.waiting.facts = append(s.waiting.facts, fact{at: at, kind: kind, subject: device, body: body})
}

// Head is the end of the chain: what is told to others, so that a chain
// that was rewritten or cut can be told from the true one.
type Head struct {
	Seq  int64
	Hash [sha256.Size]byte
}

// String gives "seq:hash" with the hash in hexadecimal.
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.Hash[:])) }

// ParseHead reads what Head.String gave.
func ParseHead(text string) (Head, error) {
	seq, hash, ok := strings.Cut(strings.TrimSpace(text), ":")
	var h Head
	n, err := strconv.ParseInt(seq, 10, 64)
	raw, bad := hex.DecodeString(hash)
	if !ok || err != nil || bad != nil || n < 1 || len(raw) != sha256.Size {
		return h, fmt.Errorf("anchor %q: want NUMBER:HASH as notifications and the journal give it", text)
	}
	h.Seq = n
	copy(h.Hash[:], raw)
	return h, nil
}

// Head returns the end of the chain; the zero Head when it is empty.
func (s *Store) Head() (Head, error) {
	var h Head
	err := s.rows("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1", nil, func(scan func(...any) error) error {
		var hash []byte
		if err := scan(&h.Seq, &hash); err != nil {
			return err
		}
		copy(h.Hash[:], hash)
		return nil
	})
	return h, err
}

type querier interface {
	QueryRow(string, ...any) *sql.Row
	Query(string, ...any) (*sql.Rows, error)
	Exec(string, ...any) (sql.Result, error)
}

// link appends a fact to the chain, within a transaction.
func link(tx querier, f fact) error {
	var seq int64
	var previous []byte
	err := tx.QueryRow("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1").Scan(&seq, &previous)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	body, err := json.Marshal(f.body)
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return err
	}
	commitment := commit(salt, body)
	hash := chained(previous, seq+1, nanos(f.at), f.kind, commitment)
	_, err = tx.Exec("INSERT INTO chain (seq, at, kind, commitment, hash, salt, body, subject, ref) VALUES (?,?,?,?,?,?,?,?,?)",
		seq+1, nanos(f.at), f.kind, commitment, hash, salt, string(body), null(f.subject), null(f.ref))
	return err
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func commit(salt, body []byte) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write(body)
	return h.Sum(nil)
}

func chained(previous []byte, seq, at int64, kind string, commitment []byte) []byte {
	b := make([]byte, 0, 128)
	b = append(b, previous...)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint16(b, uint16(len(kind)))
	b = append(b, kind...)
	b = append(b, commitment...)
	sum := sha256.Sum256(b)
	return sum[:]
}

// hashOf is the hash of a row's body, as entries of the chain give it.
func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// vouch is the body of an entry about a row.
type vouch struct {
	Event  string `json:"event"`
	ID     string `json:"id"`
	SHA256 string `json:"sha256"` // of the row's body
	Text   string `json:"text,omitempty"`
}

// Report is what Verify found.
type Report struct {
	Entries    int64
	Tombstones int64 // entries whose subject was forgotten or whose time was up
	Rows       int64 // rows that entries vouch for, and that are as they were
	Open       int64 // open episodes, whose totals still grow
	Head       Head
	Faults     []string // in words; none: it verifies
}

// maxFaults bounds what Verify lists.
const maxFaults = 100

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify walks the chain from its first entry and compares the rows that it
// vouches for. An anchor is a head that somebody kept elsewhere: without one,
// a chain that was cut at the end or computed anew from the start cannot be
// told from a true one.
func (s *Store) Verify(anchors ...Head) (Report, error) {
	if err := s.Flush(); err != nil {
		return Report{}, err
	}
	var r Report
	want := map[int64]Head{}
	for _, a := range anchors {
		want[a.Seq] = a
	}
	last := map[string]vouch{} // by ref
	var previous []byte
	err := s.rows("SELECT seq, at, kind, commitment, hash, salt, body, coalesce(ref, '') FROM chain ORDER BY seq", nil, func(scan func(...any) error) error {
		var e entry
		if err := scan(&e.seq, &e.at, &e.kind, &e.commitment, &e.hash, &e.salt, &e.body, &e.ref); err != nil {
			return err
		}
		e.check(&r, previous)
		if e.ref != "" && e.body != nil {
			var v vouch
			if json.Unmarshal(e.body, &v) == nil {
				last[e.ref] = v
			}
		}
		if a, asked := want[e.seq]; asked {
			if !bytes.Equal(a.Hash[:], e.hash) {
				r.fault("entry %d: the hash is not the anchor's: the chain was rewritten", e.seq)
			}
			delete(want, e.seq)
		}
		previous = e.hash
		r.Head.Seq = e.seq
		copy(r.Head.Hash[:], e.hash)
		return nil
	})
	if err != nil {
		return r, err
	}
	for seq := range want {
		r.fault("entry %d: not there, the chain ends at %d: it was truncated", seq, r.Head.Seq)
	}
	return r, s.verifyRows(&r, last)
}

type entry struct {
	seq, at                      int64
	kind, ref                    string
	commitment, hash, salt, body []byte
}

func (e *entry) check(r *Report, previous []byte) {
	r.Entries++
	if e.seq != r.Head.Seq+1 {
		r.fault("entry %d: follows %d: entries were removed", e.seq, r.Head.Seq)
	}
	if !bytes.Equal(e.hash, chained(previous, e.seq, e.at, e.kind, e.commitment)) {
		r.fault("entry %d (%s): its hash does not follow from it and the entry before: it was edited", e.seq, e.kind)
	}
	switch {
	case e.body == nil && e.salt == nil:
		r.Tombstones++
	case !bytes.Equal(e.commitment, commit(e.salt, e.body)):
		r.fault("entry %d (%s): its text is not what was committed to: it was edited", e.seq, e.kind)
	}
}

// verifyRows compares rows with what the chain last said of them.
func (s *Store) verifyRows(r *Report, last map[string]vouch) error {
	seen := map[string]bool{}
	for _, t := range [...]struct{ name, query string }{
		{KindEpisode, "SELECT id, body, closed = 0 FROM episode"},
		{KindVerdict, "SELECT cast(id AS TEXT), body, 0 FROM verdict"},
		{KindRuling, "SELECT cast(id AS TEXT), body, 0 FROM ruling"},
		{KindPackets, "SELECT cast(id AS TEXT), body, 0 FROM packets"},
		{KindProof, "SELECT id, body, 0 FROM proof"},
	} {
		err := s.rows(t.query, nil, func(scan func(...any) error) error {
			var id string
			var body []byte
			var open bool
			if err := scan(&id, &body, &open); err != nil {
				return err
			}
			ref := t.name + ":" + id
			v, vouched := last[ref]
			seen[ref] = true
			switch {
			case !vouched:
				r.fault("%s %s: no entry of the chain vouches for it", t.name, id)
			case open && v.Event != "closed":
				r.Open++
			case v.SHA256 != hashOf(body):
				r.fault("%s %s: differs from what the chain vouches for: it was edited", t.name, id)
			default:
				r.Rows++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for ref := range last {
		if !seen[ref] {
			r.fault("%s: the chain vouches for it and it is not there: it was removed", strings.Replace(ref, ":", " ", 1))
		}
	}
	return nil
}
