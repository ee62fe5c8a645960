package evidence

import (
	"encoding/json"
	"slices"
	"time"
)

// Concern says why a device is kept.
type Concern string

// The concerns. A device of no concern is not kept: it is one of a crowd.
const (
	NoConcern  Concern = ""
	Review     Concern = "review"     // a policy names its maker, the proof is not enough
	Prohibited Concern = "prohibited" // some policy prohibits it
)

// Device is a device that a policy concerns, as pages and reports show it.
type Device struct {
	ID          string    `json:"id"`
	Realm       string    `json:"realm"`
	Concern     Concern   `json:"concern"`
	Policies    []string  `json:"policies"`
	Maker       string    `json:"maker"`
	Model       string    `json:"model,omitempty"`
	Class       string    `json:"class"`
	Handset     string    `json:"handset"` // yes no unknown
	Confidence  string    `json:"confidence"`
	Posterior   float64   `json:"posterior"`
	Shared      bool      `json:"shared,omitempty"`
	RandomMAC   bool      `json:"random_mac,omitempty"`
	Leased      bool      `json:"leased,omitempty"`
	Hostname    string    `json:"hostname,omitempty"` // the part that a signature matched
	Place       string    `json:"place,omitempty"`
	MACs        []string  `json:"macs"`
	Addrs       []string  `json:"addrs"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Reasons     []string  `json:"reasons"`
	Against     []string  `json:"against"`
	WouldChange []string  `json:"would_change"`
	Signatures  string    `json:"signatures"`
}

// Verdict is one change of what was thought of a device.
type Verdict struct {
	At         time.Time `json:"at"`
	Device     string    `json:"device"`
	Maker      string    `json:"maker"`
	Model      string    `json:"model,omitempty"`
	Class      string    `json:"class"`
	Confidence string    `json:"confidence"`
	Posterior  float64   `json:"posterior"`
	Shared     bool      `json:"shared,omitempty"`
	Reasons    []string  `json:"reasons"`
	Against    []string  `json:"against"`
	Signatures string    `json:"signatures"`
	Why        string    `json:"why"`            // evidence, lease, join, signatures, ruling, ...
	Into       string    `json:"into,omitempty"` // the device it was joined into
}

// Held is an address that a device had.
type Held struct {
	Kind  string    `json:"kind"` // mac, addr
	Value string    `json:"value"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"` // last time it was known to have it
}

// File is everything the store holds on one device.
type File struct {
	Device   Device    `json:"device"`
	Known    bool      `json:"known"` // Device is filled
	Held     []Held    `json:"held"`
	Verdicts []Verdict `json:"verdicts"` // newest first
	Episodes []Episode `json:"episodes"` // oldest first
	Rulings  []Ruling  `json:"rulings"`  // newest first
	Record   bool      `json:"record"`   // the sensor's own memory of it is kept too
}

// SaveDevice keeps what is known of a device. One that no policy concerns any
// longer is removed, with its addresses: it is one of a crowd again.
func (s *Store) SaveDevice(d Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.waiting.devices[d.ID]; !there && len(s.waiting.devices) >= s.c.Limits.Waiting {
		s.stats.dropped.Add(1) // it is written again when it is next heard of
		return
	}
	s.waiting.devices[d.ID] = d
}

// AddVerdict keeps a change of verdict, and puts it on the chain.
func (s *Store) AddVerdict(v Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting.verdicts) >= s.c.Limits.Waiting {
		s.stats.dropped.Add(1)
		return
	}
	s.waiting.verdicts = append(s.waiting.verdicts, v)
}

// Record is what the sensor itself wants to remember of a device: opaque
// here, in its own version.
type Record struct {
	ID   string
	Last time.Time
	Body json.RawMessage
}

// SaveRecords replaces all records by these, in this order.
func (s *Store) SaveRecords(all []Record) {
	if all == nil {
		all = []Record{}
	}
	s.mu.Lock()
	s.waiting.records = slices.Clone(all)
	s.mu.Unlock()
}

// Records calls each for every record, in the order in which they were given.
func (s *Store) Records(each func(Record) error) error {
	return s.rows("SELECT id, last, body FROM record ORDER BY place", nil, func(scan func(...any) error) error {
		var r Record
		var last int64
		var body string
		if err := scan(&r.ID, &last, &body); err != nil {
			return err
		}
		r.Last, r.Body = timeOf(last), json.RawMessage(body)
		return each(r)
	})
}

var confidences = [...]string{"none", "weak", "likely", "certain"}

func rankOf(confidence string) int { return max(0, slices.Index(confidences[:], confidence)) }

// File gives everything kept on one device, with what waits in memory.
func (s *Store) File(id string) (File, error) {
	f := File{Held: []Held{}, Verdicts: []Verdict{}, Episodes: []Episode{}, Rulings: []Ruling{}}
	if err := s.Flush(); err != nil {
		s.c.Logger.Debug("shown without what waits in memory", "err", err)
	}
	err := s.rows("SELECT body FROM device WHERE id = ?", []any{id}, func(scan func(...any) error) error {
		f.Known = true
		return scanJSON(scan, &f.Device)
	})
	if err != nil {
		return f, err
	}
	err = s.rows("SELECT kind, value, since, until FROM address WHERE device = ? ORDER BY since DESC, kind, value LIMIT ?", []any{id, s.c.Limits.Addresses}, func(scan func(...any) error) error {
		var h Held
		var since, until int64
		if err := scan(&h.Kind, &h.Value, &since, &until); err != nil {
			return err
		}
		h.Since, h.Until = timeOf(since), timeOf(until)
		f.Held = append(f.Held, h)
		return nil
	})
	if err != nil {
		return f, err
	}
	err = s.rows("SELECT body FROM verdict WHERE device = ? ORDER BY at DESC, id DESC LIMIT ?", []any{id, s.c.Limits.Verdicts}, func(scan func(...any) error) error {
		var v Verdict
		if err := scanJSON(scan, &v); err != nil {
			return err
		}
		f.Verdicts = append(f.Verdicts, v)
		return nil
	})
	if err != nil {
		return f, err
	}
	if f.Rulings, err = s.Rulings(id); err != nil {
		return f, err
	}
	err = s.rows("SELECT 1 FROM record WHERE id = ?", []any{id}, func(func(...any) error) error {
		f.Record = true
		return nil
	})
	if err != nil {
		return f, err
	}
	f.Episodes, err = s.EpisodesOf(id)
	return f, err
}

func scanJSON(scan func(...any) error, v any) error {
	var body []byte
	if err := scan(&body); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
