package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Schema is the version of the messages that this build writes. A field may
// be added under a new Schema alone; what changes the meaning of one raises
// the oldest version whose readers understand it too. Since 2 there are
// batches, and an episode tells its conversations apart; since 3 there are
// partials, and an episode says whose sum it is.
const Schema = 3

// readable is the oldest version whose readers understand a message of a kind.
func readable(k Kind) int {
	switch k {
	case KindPartial:
		return 3
	case KindBatch, KindForget:
		return 2
	}
	return 1
}

// Why a message is left alone.
var (
	ErrLaterSchema = errors.New("fleet: written by a later version for later versions")
	ErrMessage     = errors.New("fleet: not a message of picket")
	ErrSubject     = errors.New("fleet: said under another sensor's subject, or another thing's")
)

// maxMessage bounds one message, in bytes; NATS has 1 MiB.
const maxMessage = 512 << 10

// Kind says what a message is the state of. It is the word in its subject.
type Kind string

// The kinds.
const (
	KindDevice  Kind = "device"  // what one sensor knows of one device
	KindBatch   Kind = "batch"   // of several devices; see Item
	KindEpisode Kind = "episode" // one sensor's part of an episode
	KindPartial Kind = "partial" // what one sensor saw of a device towards a policy's threshold; see alerts.Partial
	KindForget  Kind = "forget"  // a device of which everything is to be removed, whoever said it
	KindEvent   Kind = "event"   // a line for others to read; appended, never replaced
)

// Message is the whole state of one thing as its source says it. Of two
// messages of one source about one thing the one with the higher Version
// holds.
type Message struct {
	Schema   int             `json:"schema"`
	Readable int             `json:"readable"` // oldest Schema whose readers understand it
	Source   string          `json:"source"`   // name of the sensor
	Kind     Kind            `json:"kind"`
	Scope    string          `json:"scope"` // realm of a device or partial, policy of an episode, type of an event
	ID       string          `json:"id"`
	Version  int64           `json:"version"` // grows with each change at the source
	At       time.Time       `json:"at"`      // clock of the source when it was said
	Key      string          `json:"key"`     // fingerprint of the site key that made the ids
	Gone     bool            `json:"gone"`    // withdrawn: there is no Body any longer
	Body     json.RawMessage `json:"body,omitempty"`
	Items    []Item          `json:"items,omitempty"` // of a batch
	About    string          `json:"about,omitempty"` // of an event: the device
}

// thing names what m is the state of.
func (m *Message) thing() string { return m.Source + "/" + string(m.Kind) + "/" + m.ID }

// msgID is the id by which JetStream knows a repeated publication.
func (m *Message) msgID() string { return fmt.Sprintf("%s/%d", m.thing(), m.Version) }

// subject is where m is published: picket.v1.<kind>.<scope>.<source>.<id>,
// for events with the device before the id.
// Scope is hashed where it may hold what a subject cannot.
func (m *Message) subject() string {
	if m.Kind == KindEvent {
		return prefix + string(m.Kind) + "." + token(m.Scope) + "." + m.Source + "." + token(or(m.About, "none")) + "." + token(m.ID)
	}
	return prefix + string(m.Kind) + "." + token(m.Scope) + "." + m.Source + "." + token(m.ID)
}

// prefix of every subject. The number is that of the layout of subjects, not
// of Schema.
const prefix = "picket.v1."

func encode(m *Message) ([]byte, error) {
	m.Schema, m.Readable = Schema, readable(m.Kind)
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("fleet: %s: %w", m.thing(), err)
	}
	if len(b) > maxMessage && m.Kind != KindBatch || len(b) > maxUnpacked {
		return nil, fmt.Errorf("fleet: %s: %d bytes, at most %d", m.thing(), len(b), maxMessage)
	}
	return b, nil
}

// decode reads a message of this schema, of the one before, and of later ones
// that say they can be read. Keys that it does not know are left out.
func decode(b []byte) (*Message, error) {
	var m Message
	if len(b) > maxUnpacked || json.Unmarshal(b, &m) != nil {
		return nil, ErrMessage
	}
	switch {
	case m.Schema < 1 || m.Readable < 1 || m.Readable > m.Schema:
		return nil, ErrMessage
	case m.Readable > Schema:
		return nil, ErrLaterSchema
	case !goodName().MatchString(m.Source) || !goodName().MatchString(string(m.Kind)) || m.ID == "" || m.Version <= 0 || m.At.IsZero() || !m.goodItems():
		return nil, ErrMessage
	}
	return &m, nil
}
