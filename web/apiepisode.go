package web

import (
	"time"

	"picket/evidence"
)

// apiEpisode is an episode as the API gives it: the names of the episode lines.
type apiEpisode struct {
	ID          string             `json:"id"`
	Policy      string             `json:"policy"`
	Severity    string             `json:"severity"`
	Condition   evidence.Condition `json:"condition"`
	Device      string             `json:"device"`
	Realm       string             `json:"realm"`
	Sensor      string             `json:"sensor"` // of the fleet that saw it; empty: this one alone
	Place       string             `json:"place"`
	Maker       string             `json:"maker"`
	Model       string             `json:"model"`
	Class       string             `json:"class"`
	Confidence  string             `json:"confidence"`
	Posterior   float64            `json:"posterior"`
	Countries   []string           `json:"countries"`
	Basis       []string           `json:"basis"`
	Sent        uint64             `json:"sent_bytes"`
	Handshake   uint64             `json:"handshake_bytes"`
	First       time.Time          `json:"first"`
	Last        time.Time          `json:"last"`
	Opened      time.Time          `json:"opened"`
	Closed      *time.Time         `json:"closed"` // null while open
	CloseReason string             `json:"close_reason"`
	AlertedAs   string             `json:"alerted_as"`
	Continued   int                `json:"continued"`
	Headline    string             `json:"headline"` // in a few words
	Sentence    string             `json:"sentence"`
	Names       []string           `json:"names"`
	Servers     []apiServer        `json:"servers"`
	Reasons     []string           `json:"reasons"`
	Against     []string           `json:"against"`
	Caveats     []string           `json:"caveats"`
	Identifiers []string           `json:"identifiers"`
	Signatures  string             `json:"signatures"`
	PolicyHash  string             `json:"policy_hash"`
	Databases   []string           `json:"databases"`
	Packets     int64              `json:"packets_bytes"` // that can be downloaded; of one episode alone
	Silence     string             `json:"silence_url"`   // in Alertmanager; of one episode alone
}

type apiServer struct {
	Addr               string    `json:"addr"`
	Name               string    `json:"name"`
	CNAME              string    `json:"cname"`
	Plane              string    `json:"plane"`
	Location           string    `json:"location"`
	LocationConfidence string    `json:"location_confidence"`
	Registration       string    `json:"registration"`
	Operator           string    `json:"operator"`
	OperatorHome       string    `json:"operator_home"`
	ASN                uint32    `json:"asn"`
	Owner              string    `json:"owner"`
	OwnerHome          string    `json:"owner_home"`
	Tunnel             bool      `json:"tunnel"`
	Sent               uint64    `json:"sent_bytes"`
	Handshake          uint64    `json:"handshake_bytes"`
	Flows              uint64    `json:"flows"`
	First              time.Time `json:"first"`
	Last               time.Time `json:"last"`
	Hits               []string  `json:"hits"`
}

func (p *pages) episodeOf(e *evidence.Episode) apiEpisode {
	out := apiEpisode{
		ID: e.ID, Policy: e.Policy, Severity: e.Severity, Condition: e.Condition, Device: e.Device, Realm: e.Realm, Sensor: e.Sensor, Place: e.Place,
		Maker: e.Maker, Model: e.Model, Class: e.Class, Confidence: e.Confidence, Posterior: e.Posterior,
		Countries: list(e.Countries), Basis: list(e.Basis), Sent: e.Sent, Handshake: e.Handshake,
		First: e.First.UTC(), Last: e.Last.UTC(), Opened: e.Opened.UTC(), CloseReason: e.CloseReason, AlertedAs: e.AlertedAs, Continued: e.Continued,
		Headline: p.headline(*e), Sentence: e.Sentence, Names: list(e.Names), Servers: []apiServer{}, Reasons: list(e.Reasons), Against: list(e.Against), Caveats: list(e.Caveats),
		Identifiers: list(e.Identifiers), Signatures: e.Signatures, PolicyHash: e.PolicyHash, Databases: list(e.Databases),
	}
	if !e.Closed.IsZero() {
		closed := e.Closed.UTC()
		out.Closed = &closed
	}
	for _, s := range e.Servers {
		addr := ""
		if s.Addr.IsValid() {
			addr = s.Addr.String()
		}
		out.Servers = append(out.Servers, apiServer{
			addr, s.Name, s.CNAME, s.Plane, s.Location, s.LocationConfidence, s.Registration, s.Operator, s.OperatorHome, s.ASN,
			s.Owner, s.OwnerHome, s.Tunnel, s.Sent, s.Handshake, s.Flows, s.First.UTC(), s.Last.UTC(), list(s.Hits),
		})
	}
	return out
}
