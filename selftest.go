package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/sensor"
	"picket/sensor/capture"
	"picket/sensor/device"
	"picket/sensor/observation"
)

type selftestCmd struct {
	policyFlags
	Verbose bool `short:"v" help:"Say also what fired."`
	Canary  bool `help:"Send an alert marked canary=\"true\" to the configured Alertmanagers as well, and say how long it took."`
}

// Run sends a crafted capture through this build with the configuration in
// use: its signatures, databases and policies. Everything that picket can
// detect must fire, and the examples of the configured policies must come out
// as written.
func (s *selftestCmd) Run(a *app) error {
	if s.Config == "" && len(s.Prohibit) == 0 {
		s.Config = defaultConfig()
	}
	live, err := s.load()
	if err != nil {
		return err
	}
	lj, err := compile(live, logger(a, live))
	if err != nil {
		return err
	}
	c, err := crafted(live)
	if err != nil {
		return err
	}
	j, err := compile(c, logger(a, c))
	if err != nil {
		return err
	}
	t, err := selftestOf(newSession(a, c, j))
	if err != nil {
		return err
	}
	t.examples(lj)
	if err := t.tell(a.stdout, s.Verbose); err != nil || !s.Canary {
		return err
	}
	if len(live.Alertmanager.URLs) == 0 {
		return usageError{errors.New("--canary: alertmanager.urls of the configuration is empty")}
	}
	took, err := (&canary{app: a, cfg: live, j: func() *judgement { return lj }, log: logger(a, live)}).alert(a.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "alert accepted after %s\n", took.Round(time.Millisecond))
	return nil
}

// selftestOf plays the crafted capture into session and asks for everything
// that has to come of it.
func selftestOf(session *session) (*selftest, error) {
	t := &selftest{session: session, kinds: map[observation.Kind]int{}, names: map[string]bool{}}
	session.tapped = t.see
	source, err := t.source()
	if err != nil {
		return nil, err
	}
	if err := session.run(source); err != nil {
		return nil, err
	}
	t.detections()
	return t, nil
}

// crafted is the configuration in use, with the campus and the policy of the
// crafted capture in the place of its own. Databases are the live ones: one
// that no longer places a server in CN that is there is a finding.
func crafted(live *configs.Config) (*configs.Config, error) {
	c := *live
	c.HomeNetworks = []configs.Prefix{{Prefix: netip.MustParsePrefix("10.20.0.0/16")}, {Prefix: netip.MustParsePrefix("fe80::/10")}}
	c.NeverWatch, c.Realms, c.Leases = nil, nil, configs.Leases{}
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		return nil, err
	}
	p.Name = "selftest"
	p.Severities = map[alerts.Condition]alerts.Severity{}
	for _, condition := range conditionsTold {
		p.Severities[alerts.Condition(condition)] = "observe"
	}
	p.Hidden = alerts.Hidden{Share: 0.5, Sent: 1 << 10}
	p.Threshold.Sent = 1 << 10
	p.Restricted.Basis = alerts.OneOrMore[alerts.Basis]{"location", "registration", "operator", "owner"}
	c.Policies = []alerts.Policy{p}
	return &c, nil
}

// conditionsTold are the conditions of an episode, mildest first (contract).
var conditionsTold = []string{"seen", "tried", "connected", "sent", "identifier", "hidden"}

// selftest is one run and what came of it.
type selftest struct {
	session *session
	kinds   map[observation.Kind]int
	names   map[string]bool // asked inside of which layers; versions of DHCP
	fired   []string
	missing []string
}

// see notes what was observed.
func (t *selftest) see(o *observation.Observation) {
	t.kinds[o.Kind]++
	switch {
	case o.DHCP != nil:
		t.names[fmt.Sprintf("dhcp version %d", o.DHCP.Version)] = true
	case o.DNS != nil && len(o.Encap) > 0:
		t.names[o.DNS.QName] = true
	}
}

func (t *selftest) want(what string, fired bool) {
	if fired {
		t.fired = append(t.fired, what)
		return
	}
	t.missing = append(t.missing, what)
}

// detections asks for every protocol, band and condition.
func (t *selftest) detections() {
	for k := observation.TLS; k <= observation.Tunnel; k++ {
		t.want("protocol "+k.String(), t.kinds[k] > 0)
	}
	t.want("protocol dhcpv6", t.names["dhcp version 6"])
	t.want("protocol radius", t.kinds[observation.Binding] > 0)
	for _, layer := range layersTold {
		t.want("inside "+layer, t.names[layerQuestion(layer)])
	}
	visible := t.session.a.visible.Bytes()
	for _, v := range []observation.Visibility{observation.BySNI, observation.ByQUIC, observation.ByDNS, observation.ByHTTP, observation.Unnamed, observation.HiddenTunnel} {
		t.want("named by "+string(v), visible[string(v)] > 0)
	}
	bands, accused := map[string]bool{}, map[string]bool{}
	t.session.devices(func(v *device.View) bool {
		bands[v.Verdict.Confidence.String()] = true
		accused[v.Verdict.Maker+" "+v.Verdict.Class] = true
		return true
	})
	for _, band := range []string{"certain", "likely", "weak", "none"} {
		t.want("confidence "+band, bands[band])
	}
	t.want("an iPhone beside Mi Home is an iPhone", accused["apple handset"])
	t.want("a television of the maker is no handset", accused["xiaomi tv"])
	conditions, bases := map[string]bool{}, map[string]bool{}
	innocent := true
	for _, e := range t.session.episodes() {
		conditions[string(e.Condition)] = true
		for _, basis := range e.Basis {
			bases[basis] = true
		}
		innocent = innocent && e.Maker == "xiaomi"
	}
	for _, condition := range conditionsTold {
		t.want("condition "+condition, conditions[condition])
	}
	for _, basis := range []string{"location", "registration", "operator", "owner"} {
		t.want("basis "+basis, bases[basis])
	}
	t.want("nobody else is accused", innocent)
}

// examples runs those of the configured policies.
func (t *selftest) examples(j *judgement) {
	for _, r := range j.rules {
		results, err := r.RunExamples()
		t.want("policy "+r.Policy.Name+" can be judged", err == nil)
		for _, x := range results {
			t.want("policy "+x.Policy+": "+x.Name, x.OK())
		}
	}
}

func (t *selftest) tell(w io.Writer, verbose bool) error {
	if verbose {
		for _, s := range t.fired {
			fmt.Fprintln(w, "fired  ", s)
		}
	}
	for _, s := range t.missing {
		fmt.Fprintln(w, "MISSING", s)
	}
	all := len(t.fired) + len(t.missing)
	fmt.Fprintf(w, "%d/%d\n", len(t.fired), all)
	if len(t.missing) > 0 {
		return fmt.Errorf("selftest: %d of %d detections did not fire", len(t.missing), all)
	}
	return nil
}

// source is the embedded capture, and after it what it lacks.
func (t *selftest) source() (sensor.Source, error) {
	now := time.Now()
	demo, err := demoSource(now)
	if err != nil {
		return nil, err
	}
	s := &script{at: now.UnixNano()}
	s.protocols()
	s.layers()
	s.bands()
	s.conditions()
	s.at += int64(10 * time.Minute) // time passes: flows end
	s.udp(deviceNumber(9), true, 40000, netip.MustParseAddrPort("203.0.113.9:9"), []byte("end"))
	return &inTurn{[]sensor.Source{demo, &played{s.frames}}}, nil
}

// inTurn is several sources, one after the other.
type inTurn struct{ sources []sensor.Source }

// Next implements sensor.Source.
func (q *inTurn) Next(batch []capture.Frame) (int, error) {
	for len(q.sources) > 0 {
		n, err := q.sources[0].Next(batch)
		if err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if err != nil {
			q.sources = q.sources[1:]
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}
