// Package evidence keeps what must be kept: devices that a policy concerns,
// episodes with their transfers, the residency ledger; and draws reports
// from it. Nothing else about anybody is stored.
package evidence

import (
	"net/netip"
	"time"
)

// Condition is what a device did under a policy.
type Condition string

// The conditions, mildest first (contract, DESIGN section 4).
const (
	Seen       Condition = "seen"       // present
	Tried      Condition = "tried"      // nobody answered
	Connected  Condition = "connected"  // handshake only
	Sent       Condition = "sent"       // payload
	Identifier Condition = "identifier" // an identifier in clear
	Hidden     Condition = "hidden"     // mostly tunnelled or unnamed
)

// Episode is one device violating one policy, from first byte to quiet.
type Episode struct {
	ID          string // "e-" and 16 hexadecimal digits
	Policy      string
	Severity    string // page, ticket, observe
	Condition   Condition
	Device      string
	Realm       string
	Place       string // in words; "place unknown: no source" when there is none
	Maker       string
	Model       string
	Class       string
	Confidence  string
	Posterior   float64
	Countries   []string // by whatever basis fired, most bytes first
	Basis       []string // location registration operator owner location-suspected
	Sent        uint64   // payload bytes, handshake included
	Handshake   uint64   // of Sent
	First       time.Time
	Last        time.Time
	Opened      time.Time // when the policy's conditions were met
	Closed      time.Time // zero while open
	CloseReason string    // quiet, verdict withdrawn, policy removed, ...
	Announced   bool
	AlertedAs   string // the highest severity somebody was told: page, ticket; empty for none
	AlertDevice string // id in the alert's labels, when the device has been joined into another since
	Firing      bool   // an alert for it stands in Alertmanager
	MergedInto  string // id of the episode that its totals went into
	Hidden      uint64 // bytes tunnelled or unnamed within the hour that made the condition hidden
	Continued   int    // how often it was re-opened within 24 h
	Names       []string
	Servers     []Server
	Reasons     []string // why the device is what it is said to be
	Against     []string
	Sentence    string   // the joined sentence
	Caveats     []string // one-way span, low location confidence, held bytes
	Identifiers []string // kinds only: imei, msisdn, ...
	Signatures  string   // hashes of what judged it
	PolicyHash  string
	Databases   []string
	Sensor      string         `json:",omitempty"` // of the fleet, whose part this is; empty: this sensor's own
	Flows       []Conversation `json:",omitempty"` // of a sensor of a fleet: Sent by conversation, oldest first
	SumOf       []string       `json:",omitempty"` // sensors of a fleet that saw the threshold passed together, and none of them alone
	Untold      time.Time      `json:",omitzero"`  // conversations that ended by then may be missing from Flows; zero: none is
}

// Conversation is what one TCP or UDP conversation has of an episode. Two
// sensors that see the same one give it the same Key, and about the same time.
type Conversation struct {
	Key       uint64    `json:"k"`           // keyed hash of realm and five-tuple: it names nobody
	Server    int       `json:"s"`           // index in Servers; -1: none of them
	First     time.Time `json:"f"`           // of its bytes in this episode
	Last      time.Time `json:"l"`           //
	Sent      uint64    `json:"u"`           // payload bytes, handshake included
	Handshake uint64    `json:"h,omitempty"` // of Sent
	Received  uint64    `json:"d,omitempty"` // payload bytes from the server
}

// Server is one end that data went to, with its four answers.
type Server struct {
	Addr               netip.AddrPort
	Name               string
	Location           string
	LocationConfidence string
	Registration       string
	Operator           string // name
	OperatorHome       string
	ASN                uint32
	Owner              string
	OwnerHome          string
	Plane              string
	NameMaker          string // whose signature the name matched
	CNAME              string // last of the chain from Name to Addr
	Tunnel             bool
	Sent               uint64
	Handshake          uint64
	Flows              uint64
	First, Last        time.Time
	Hits               []string // the bases that meet the policy
}

// By is the country by one basis, empty when that has no answer.
func (s *Server) By(basis string) string {
	switch basis {
	case "location", "location-suspected":
		return s.Location
	case "registration":
		return s.Registration
	case "operator":
		return s.OperatorHome
	case "owner":
		return s.OwnerHome
	}
	return ""
}
