package web

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"picket/evidence"
)

//go:embed templates/*.html static openapi.json countries.txt
var files embed.FS

// Store is what pages are drawn from.
type Store interface {
	Episodes(since time.Time) ([]evidence.Episode, error)
	Episode(id string) (evidence.Episode, bool, error)
	// Packets opens the packets of an episode as pcapng and says how many
	// bytes they are. Without any the error is fs.ErrNotExist.
	Packets(episode string) (io.ReadCloser, int64, error)
	Devices(evidence.DeviceQuery) (evidence.DevicePage, error)
	File(device string) (evidence.File, error)
	Makers() ([]string, error)
	CrowdOn(day time.Time) ([]evidence.CrowdCount, error)
	Residency(evidence.ResidencyQuery) ([]evidence.Cell, error)
	WatchedDays(evidence.Period) ([]evidence.DayWatched, error)
	Rulings(device string) ([]evidence.Ruling, error)
	Head() (evidence.Head, error)
	Stats() evidence.Stats
	Retention() evidence.Retention
	// Note puts an entry about a device on the chain.
	Note(at time.Time, kind, device string, body any)
}

// Status is how the sensor is doing: what the store cannot know.
type Status struct {
	Up         bool        `json:"up"`
	Since      time.Time   `json:"since,omitzero"`
	Interfaces []Interface `json:"interfaces"`
	Policies   []string    `json:"policies"` // as sentences
	Blind      []Blind     `json:"blind"`    // what picket cannot see
	Databases  []Database  `json:"databases"`
	Signatures string      `json:"signatures"` // hash
	Version    string      `json:"version"`
}

// Lost is how many frames all interfaces dropped.
func (s Status) Lost() (n uint64) {
	for _, i := range s.Interfaces {
		n += i.Dropped
	}
	return n
}

// Interface is one of those listened on.
type Interface struct {
	Name    string `json:"name"`
	Driver  string `json:"driver"`
	Frames  uint64 `json:"frames"`
	Bytes   uint64 `json:"bytes"`
	Dropped uint64 `json:"dropped_frames"`
}

// Blind is something that the sensor cannot see.
type Blind struct {
	What  string  `json:"what"`  // "bytes to servers without a name"
	Share float64 `json:"share"` // 0 to 1; below 0 when it cannot be counted
	Why   string  `json:"why"`
}

// Database is one that answers rest on.
type Database struct {
	Name  string    `json:"name"`
	Built time.Time `json:"built"`
}

// Config is what the pages are made of.
type Config struct {
	Store        Store
	Open         func() []evidence.Episode  // open episodes with their latest totals; nil: the store's
	Status       func() Status              // nil: nothing is said of the sensor
	Fleet        func() Fleet               // nil: the sensor is alone
	Map          *Map                       // the operator's; nil: none is drawn
	Site         string                     // shown in titles; may be empty
	Alertmanager *url.URL                   // where episodes can be silenced; nil: no link
	Reader       func(*http.Request) string // who asks, as was proven to the server, empty for nobody in particular; nil: nobody
	Now          func() time.Time           // nil: time.Now
	Logger       *slog.Logger               // nil: no log
}

// pages serves all of it.
type pages struct {
	c         Config
	templates map[string]*template.Template
	countries countries
	recent    recent
}

// policy lets nothing be loaded but from here, and nothing inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// New makes the handler of the pages below "/", of /static and of /api/v1.
func New(c Config) (http.Handler, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Status == nil {
		c.Status = func() Status { return Status{} }
	}
	if c.Reader == nil {
		c.Reader = func(*http.Request) string { return "" }
	}
	if c.Fleet == nil {
		c.Fleet = func() Fleet { return Fleet{} }
	}
	p := &pages{c: c}
	var err error
	if p.countries, err = loadCountries(); err != nil {
		return nil, err
	}
	if p.templates, err = p.parse(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	static, err := statics()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range p.routes() {
		mux.HandleFunc("GET "+r.pattern, r.handle)
	}
	mux.Handle("GET /static/", static)
	return guard(mux), nil
}

// route is one address.
type route struct {
	pattern string
	handle  http.HandlerFunc
}

// routes lists everything that is served but files.
func (p *pages) routes() []route {
	return []route{
		{"/{$}", p.page("now", 0, p.now)},
		{"/episodes", p.page("episodes", 0, p.episodes)},
		{"/episode/{id}", p.page("episode", 1, p.episode)},
		{"/episode/{id}/packets.pcapng", p.packets},
		{"/review", p.page("review", 0, p.review)},
		{"/devices", p.page("devices", 0, p.devices)},
		{"/device/{id}", p.page("device", 1, p.device)},
		{"/residency", p.page("residency", 0, p.residency)},
		{"/health", p.page("health", 0, p.health)},
		{"/fleet", p.page("fleet", 0, p.fleet)},
		{"/map.svg", p.drawMap},
		{"/", p.nothing},
		{"/api/v1/openapi.json", p.openAPI},
		{"/api/v1/status", p.json(p.apiStatus)},
		{"/api/v1/episodes", p.json(p.apiEpisodes)},
		{"/api/v1/episodes/{id}", p.json(p.apiEpisode)},
		{"/api/v1/episodes/{id}/packets.pcapng", p.packets},
		{"/api/v1/devices", p.json(p.apiDevices)},
		{"/api/v1/devices/{id}", p.json(p.apiDevice)},
		{"/api/v1/residency", p.json(p.apiResidency)},
		{"/api/v1/crowd", p.json(p.apiCrowd)},
		{"/api/v1/rulings", p.json(p.apiRulings)},
		{"/api/v1/watched", p.json(p.apiWatched)},
		{"/api/v1/fleet", p.json(p.apiFleet)},
	}
}

// guard sets the headers of every answer.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // evidence stays out of caches
		next.ServeHTTP(w, r)
	})
}
