package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Fleet is what is known of the sensors that work as one.
type Fleet struct {
	On          bool           `json:"on"`              // off: this sensor is alone
	Name        string         `json:"name"`            // of this sensor
	Connected   bool           `json:"connected"`       // this sensor, to the cluster
	Trouble     string         `json:"trouble"`         // why not; empty: none
	Heard       time.Time      `json:"heard,omitzero"`  // the latest of any other sensor
	Waiting     int            `json:"waiting"`         // things said that the cluster has not taken
	Oldest      time.Time      `json:"oldest,omitzero"` // of what waits: when it was said
	Spool       int64          `json:"spool_bytes"`     // on the disk
	Lost        uint64         `json:"lost"`            // given up because too much waited
	Published   uint64         `json:"published"`       // taken by the cluster
	Applied     uint64         `json:"applied"`         // taken over from others
	Refused     uint64         `json:"refused"`         // of others, not believed
	Sensors     []Sensor       `json:"sensors"`
	Differences []string       `json:"differences"` // where they judge differently, in words
	Episodes    []FleetEpisode `json:"episodes"`    // open ones of all sensors; the pages fill it in
}

// Sensor is one sensor of a fleet: its health, and what it covers.
type Sensor struct {
	Name       string    `json:"name"`
	State      string    `json:"state"` // up late lost
	Heard      time.Time `json:"heard"`
	Version    string    `json:"version"`
	Interfaces []string  `json:"interfaces"`
	Realms     []string  `json:"realms"` // that it shares
	Frames     uint64    `json:"frames"`
	Dropped    uint64    `json:"dropped_frames"`
	Devices    int       `json:"devices"`
	NoDevice   float64   `json:"no_device_ratio"` // share of bytes at addresses without a device
	Learning   float64   `json:"learning_ratio"`  // share of active devices of which too little was seen
	Open       int       `json:"open_episodes"`
	Waiting    int       `json:"waiting"` // things that the cluster has not taken yet
	Lost       uint64    `json:"lost"`    // given up because too much waited
	Refused    uint64    `json:"refused"` // not believed: clock, key, realm, version
	Skew       float64   `json:"clock_skew_seconds"`
	Signatures string    `json:"signatures"` // hash
}

// FleetEpisode is an open episode with the sensors that saw it.
type FleetEpisode struct {
	Sensor   string    `json:"sensor"` // names, with spaces between
	ID       string    `json:"id"`
	Policy   string    `json:"policy"`
	Severity string    `json:"severity"`
	Device   string    `json:"device"`
	Maker    string    `json:"maker"`
	Headline string    `json:"headline"`
	Sentence string    `json:"sentence"`
	Sent     uint64    `json:"sent_bytes"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// maxFleetEpisodes bounds one answer; episodes?state=open pages through all.
const maxFleetEpisodes = 200

// fleetOf is the fleet with the open episodes of all its sensors.
func (p *pages) fleetOf() (Fleet, error) {
	f := p.c.Fleet()
	f.Sensors, f.Differences, f.Episodes = list(f.Sensors), list(f.Differences), []FleetEpisode{}
	open, err := p.open()
	for i := range open[:min(len(open), maxFleetEpisodes)] {
		e := &open[i]
		f.Episodes = append(f.Episodes, FleetEpisode{Sensor: cmp.Or(e.Sensor, f.Name), ID: e.ID, Policy: e.Policy, Severity: e.Severity, Device: e.Device, Maker: e.Maker,
			Headline: p.headline(*e), Sentence: e.Sentence, Sent: e.Sent, First: e.First.UTC(), Last: e.Last.UTC()})
	}
	return f, err
}

// states of a sensor, worst first.
var states = []string{"lost", "late", "up"}

// fleet shows first whoever needs somebody to look after it.
func (p *pages) fleet(*http.Request) (string, any, error) {
	f, err := p.fleetOf()
	f.Sensors = slices.Clone(f.Sensors)
	slices.SortStableFunc(f.Sensors, func(a, b Sensor) int {
		return cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State))
	})
	return "Fleet", f, err
}

func (p *pages) apiFleet(*http.Request) (any, error) { return p.fleetOf() }
