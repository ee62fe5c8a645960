package main

import (
	"slices"

	"picket/evidence"
	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

type flowLine struct {
	Type       string `json:"type"`
	Realm      string `json:"realm"`
	Device     string `json:"device"`
	MAC        string `json:"mac"`
	Client     string `json:"client"`
	ClientPort uint16 `json:"client_port"`
	Server     string `json:"server"`
	ServerPort uint16 `json:"server_port"`
	Proto      string `json:"proto"`
	Name       string `json:"name"`
	Visibility string `json:"visibility"`
	Tunnel     string `json:"tunnel,omitempty"`
	Sent       uint64 `json:"sent"`
	Handshake  uint64 `json:"handshake"`
	Received   uint64 `json:"received"`
	Packets    uint64 `json:"packets"`
	First      string `json:"first"`
	Last       string `json:"last"`
	Attempt    bool   `json:"attempt"`
	OneWay     bool   `json:"one_way"`
	Country    string `json:"country"`
}

func newFlowLine(t *sensor.Transfer, country geo.Country) flowLine {
	l := flowLine{
		Type: "flow", Realm: t.Device.Realm, Device: string(t.Device.ID),
		Client: text(t.Client.Addr()), ClientPort: t.Client.Port(), Server: text(t.Server.Addr()), ServerPort: t.Server.Port(),
		Proto: protoName(t.Proto), Name: t.Name, Visibility: string(t.Visibility), Tunnel: t.Tunnel,
		Sent: t.Sent, Handshake: t.Handshake, Received: t.Received, Packets: t.Packets,
		First: timestamp(t.First), Last: timestamp(t.Last), Attempt: t.Attempt, OneWay: t.OneWay, Country: string(country),
	}
	if n := len(t.Device.MACs()); n > 0 {
		l.MAC = macText(t.Device.MACs()[n-1])
	}
	return l
}

func protoName(p uint8) string {
	if p == 6 {
		return "tcp"
	}
	return "udp"
}

type deviceLine struct {
	Type     string      `json:"type"`
	ID       string      `json:"id"`
	Realm    string      `json:"realm"`
	MAC      []string    `json:"mac"`
	Addrs    []string    `json:"addrs"`
	Hostname string      `json:"hostname"`
	Place    string      `json:"place"`
	Router   bool        `json:"router"`
	Learning bool        `json:"learning"`
	Verdict  verdictLine `json:"verdict"`
}

type verdictLine struct {
	Maker      string   `json:"maker"`
	Class      string   `json:"class"`
	Handset    string   `json:"handset"`
	Confidence string   `json:"confidence"`
	Posterior  float64  `json:"posterior"`
	Shared     bool     `json:"shared"`
	Model      string   `json:"model"`
	Reasons    []string `json:"reasons"`
	Against    []string `json:"against"`
}

func newDeviceLine(v *device.View) deviceLine {
	l := deviceLine{
		Type: "device", ID: string(v.ID), Realm: v.Realm, MAC: []string{}, Addrs: []string{},
		Hostname: v.Hostname(), Place: v.Where(), Router: v.Router, Learning: v.Learning,
	}
	for _, m := range v.MACs() {
		l.MAC = append(l.MAC, macText(m))
	}
	for _, a := range v.Addrs() {
		l.Addrs = append(l.Addrs, a.String())
	}
	d := v.Verdict
	l.Verdict = verdictLine{d.Maker, d.Class, d.Handset, d.Confidence.String(), d.Posterior, d.Shared, d.Model, reasonTexts(d.Reasons), reasonTexts(d.Against)}
	return l
}

func reasonTexts(rs []handset.Reason) []string {
	out := []string{}
	for _, r := range rs {
		out = append(out, r.Text)
	}
	return out
}

type episodeLine struct {
	Type        string   `json:"type"`
	ID          string   `json:"id"`
	Policy      string   `json:"policy"`
	Severity    string   `json:"severity"`
	Condition   string   `json:"condition"`
	Device      string   `json:"device"`
	Place       string   `json:"place"`
	Maker       string   `json:"maker"`
	Confidence  string   `json:"confidence"`
	Country     string   `json:"country"`
	Countries   []string `json:"countries"`
	Basis       []string `json:"basis"`
	Sent        uint64   `json:"sent"`
	Handshake   uint64   `json:"handshake"`
	First       string   `json:"first"`
	Last        string   `json:"last"`
	Names       []string `json:"names"`
	Servers     []string `json:"servers"`
	Reasons     []string `json:"reasons"`
	Against     []string `json:"against"`
	Identifiers []string `json:"identifiers"`
	Sentence    string   `json:"sentence"`
}

func newEpisodeLine(e *evidence.Episode) episodeLine {
	l := episodeLine{
		Type: "episode", ID: e.ID, Policy: e.Policy, Severity: e.Severity, Condition: string(e.Condition),
		Device: e.Device, Place: e.Place, Maker: e.Maker, Confidence: e.Confidence,
		Countries: list(e.Countries), Basis: list(e.Basis), Sent: e.Sent, Handshake: e.Handshake,
		First: timestamp(e.First), Last: timestamp(e.Last), Names: list(e.Names), Servers: []string{},
		Reasons: list(e.Reasons), Against: list(e.Against), Identifiers: list(e.Identifiers), Sentence: e.Sentence,
	}
	if len(e.Countries) > 0 {
		l.Country = e.Countries[0]
	}
	for _, s := range e.Servers {
		if a := text(s.Addr.Addr()); s.Addr.IsValid() && !slices.Contains(l.Servers, a) { // a name that was only asked for has no address
			l.Servers = append(l.Servers, a)
		}
	}
	return l
}

type statsLine struct {
	Type         string            `json:"type"`
	Frames       uint64            `json:"frames"`
	Bytes        uint64            `json:"bytes"`
	Decoded      uint64            `json:"decoded"`
	Stops        map[string]uint64 `json:"stops"`
	Flows        uint64            `json:"flows"`
	Evicted      map[string]uint64 `json:"evicted"`
	Observations uint64            `json:"observations"`
	Seconds      float64           `json:"seconds"`

	BytesWithoutHome uint64            `json:"bytes_without_home"`
	BothHome         uint64            `json:"bytes_both_home"`
	NeverWatched     uint64            `json:"bytes_never_watched"`
	Duplicates       uint64            `json:"duplicate_frames"`
	FragmentBytes    uint64            `json:"fragment_bytes"`
	Handshakes       map[string]uint64 `json:"handshakes"`
}

// newStatsLine adds up the counts of all workers.
func newStatsLine(workers []*sensor.Worker, seconds float64) statsLine {
	l := statsLine{Type: "stats", Stops: map[string]uint64{}, Evicted: map[string]uint64{}, Handshakes: map[string]uint64{}, Seconds: seconds}
	for _, w := range workers {
		s := w.Stats()
		l.Frames += s.Frames
		l.Bytes += s.Bytes
		l.Observations += s.Observations
		l.Flows += s.Flow.New
		l.BytesWithoutHome += s.Flow.NoHome
		l.BothHome += s.Flow.BothHome
		l.NeverWatched += s.NeverWatched
		l.Duplicates += s.Flow.Duplicates
		l.FragmentBytes += s.FragmentBytes
		sensor.EachStop(&s, func(reason string, n uint64) {
			if reason == "decoded" {
				l.Decoded += n
			} else if n > 0 {
				l.Stops[reason] += n
			}
		})
		sensor.EachEnd(&s, func(end string, n uint64) { l.Evicted[end] += n })
		sensor.EachHandshake(&s, func(protocol, outcome string, n uint64) {
			if n > 0 {
				l.Handshakes[protocol+"/"+outcome] += n
			}
		})
	}
	return l
}
