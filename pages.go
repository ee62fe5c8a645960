package main

import (
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/fleet"
	"picket/web"
)

// pages makes the evidence page of a running sensor as cfg says.
func (s *station) pages(cfg *configs.Config) (http.Handler, error) {
	c := web.Config{Store: s.store, Open: s.openNow, Status: s.status, Logger: s.log, Site: cfg.Alertmanager.Labels["site"]}
	c.Fleet, c.Reader = s.fleetPage, provenReader(s.cfg.Web.ConfigFile)
	if s.fleet != nil {
		c.Store = wholeStore{s.store, s.fleet.node.Name()}
	}
	var err error
	if c.Map, err = operatorMap(cfg); err != nil {
		return nil, err
	}
	if len(cfg.Alertmanager.URLs) > 0 {
		u, err := url.Parse(cfg.Alertmanager.URLs[0])
		if err == nil {
			u.User = nil // whoever reads the page is not the sensor
			c.Alertmanager = u
		}
	}
	return web.New(c)
}

// operatorMap reads the map that the operator supplies, nil for none.
func operatorMap(c *configs.Config) (*web.Map, error) {
	if c.Web.Map == "" {
		return nil, nil
	}
	m, err := web.ReadMap(c.Web.Map)
	if err != nil {
		return nil, usageError{c.At("$.web.map", err)}
	}
	return m, nil
}

// fleetPage is what this sensor knows of all of them.
func (s *station) fleetPage() web.Fleet {
	f := s.fleetView()
	out := web.Fleet{
		On: f.Mode != fleet.Off, Name: f.Name, Differences: f.Differences, Connected: f.Connected, Trouble: f.Trouble, Heard: f.Heard, Waiting: f.Waiting, Oldest: f.Oldest,
		Spool: f.SpoolBytes, Lost: f.Lost, Published: f.Published, Applied: f.Applied, Refused: f.Refused,
	}
	for i := range f.Sensors {
		v := &f.Sensors[i]
		out.Sensors = append(out.Sensors, web.Sensor{
			Name: v.Name, State: v.State, Heard: v.Heard.UTC(), Version: v.Version, Interfaces: append([]string{}, v.Interfaces...), Realms: append([]string{}, v.Realms...),
			Frames: v.Frames, Dropped: v.Dropped, Devices: v.Devices, NoDevice: v.NoDevice, Learning: v.Learning, Open: v.Open,
			Waiting: v.Waiting, Lost: v.Lost, Refused: v.Refused, Skew: v.Skew.Seconds(), Signatures: v.Signatures,
		})
	}
	return out
}

// status is how the sensor is doing, for the page.
func (s *station) status() web.Status {
	j := s.j.Load()
	snapshot := s.snapshot()
	out := web.Status{Up: s.up.Load(), Since: s.since, Signatures: j.set.Hash(), Version: buildVersion(), Blind: blindSpots(&snapshot)}
	for i, in := range snapshot.Interfaces {
		w := web.Interface{Name: in.Name, Driver: s.driverOf(s.cfg.Interfaces[i]), Frames: in.Frames, Bytes: in.Bytes}
		for where, n := range in.Dropped {
			if where != "softnet" { // the whole machine's, and in the interface's as well
				w.Dropped += n
			}
		}
		out.Interfaces = append(out.Interfaces, w)
	}
	for _, r := range j.rules {
		out.Policies = append(out.Policies, r.Sentence())
	}
	for _, d := range j.geo.Databases() {
		out.Databases = append(out.Databases, web.Database{Name: d.Name, Built: d.Built})
	}
	return out
}

func (s *station) driverOf(name string) string {
	for _, l := range s.live {
		if l.Interface() == name {
			return string(l.Driver())
		}
	}
	return ""
}

// hiding says in words why the bytes of a visibility have no name.
var hiding = []struct{ visibility, what, why string }{
	{"none", "bytes to servers without a name", "neither the conversation nor a DNS answer before it named them"},
	{"ech", "bytes behind an encrypted ClientHello", "the server's name is encrypted"},
	{"doh", "bytes of devices that ask an encrypted resolver", "their DNS cannot be read"},
	{"tunnel", "bytes inside tunnels and relays", "what is inside is encrypted"},
	{"truncated", "bytes of conversations whose first bytes were cut or lost", "the span or the snap length cut them off"},
	{"missed-start", "bytes of conversations older than the capture", "the name is said at the start"},
	{"one-way", "bytes seen in one direction only", "the span does not show the other"},
}

// blindSpots is what the sensor cannot see, by share of bytes.
func blindSpots(s *alerts.Snapshot) []web.Blind {
	var total uint64
	for _, n := range s.VisibilityBytes {
		total += n
	}
	share := func(n uint64) float64 {
		if total == 0 {
			return 0
		}
		return float64(n) / float64(total)
	}
	var out []web.Blind
	for _, h := range hiding {
		out = append(out, web.Blind{What: h.what, Share: share(s.VisibilityBytes[h.visibility]), Why: h.why})
	}
	return append(out,
		web.Blind{What: "bytes without an end in home_networks", Share: s.WithoutHomeRatio, Why: "home_networks does not name their networks"},
		web.Blind{What: "bytes at addresses without a device", Share: s.WithoutDeviceRatio, Why: "nothing told who was there"},
		web.Blind{What: "active devices of which too little was seen", Share: s.LearningRatio, Why: "not enough evidence yet to say what they are"})
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(devel)"
}

// capturing notes when capture began.
func (s *station) capturing(now time.Time) {
	s.since = now
	s.up.Store(true)
}
