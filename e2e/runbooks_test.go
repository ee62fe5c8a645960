package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// walk is one runbook walked: its fault caused in a live system, its alert
// fired, its commands run.
type walk struct {
	*campus
	t      *testing.T
	desk   *desk
	prom   *prometheus
	sensor *picket
	phone  *phone
	alert  string
	conf   string // picket.yml
	device string // that the alert is about; empty for none
}

// fault is how an alert is caused, and what the first command of its page
// must show.
type fault struct {
	alert string
	cause func(w *walk)
	want  []string
}

// TestRunbooks causes the fault of every alert that rules.yml and picket have,
// waits until Prometheus fires it and Alertmanager has it, and runs the
// commands under "Look" of its page. The times of the rules are shortened.
// With PICKET_WRITE=1 what the commands printed is written into the pages.
func TestRunbooks(t *testing.T) {
	c := newCampus(t)
	desk := c.openDesk("1s")
	prom := c.scrapeBy(hurried, "--query.lookback-delta=10s") // a job that is taken out leaves no staleness markers
	shared := walk{campus: c, desk: desk, prom: prom, phone: c.plug("redmi", "5a:11:22:33:44:01")}
	walked := map[string]bool{}
	for _, f := range faults {
		walked[f.alert] = true
		t.Run(f.alert, func(t *testing.T) {
			w := shared
			c.t, w.t, w.alert = t, t, f.alert
			defer func() { c.t = w.t }()
			f.cause(&w)
			w.fires()
			w.look(f.want)
		})
		c.t = t
	}
	pages, err := filepath.Glob("../docs/runbooks/Picket*.md")
	ok(t, err)
	for _, p := range pages {
		if name := strings.TrimSuffix(filepath.Base(p), ".md"); !walked[name] {
			t.Errorf("nobody walks %s", name)
		}
	}
}

var (
	forRule    = regexp.MustCompile(`(\n\s+for): \w+`)
	windowRule = regexp.MustCompile(`\[\d+[mh]\]`)
)

// hurried shortens the times of the rules: windows to 10 s, for to 1 s.
func hurried(rules string) string {
	return windowRule.ReplaceAllString(forRule.ReplaceAllString(rules, "$1: 1s"), "[10s]")
}

// starts starts a sensor without a past.
func (w *walk) starts(config string, args ...string) {
	w.t.Helper()
	state, err := os.MkdirTemp(w.dir, "state")
	ok(w.t, err)
	w.startsIn(state, config, args...)
}

func (w *walk) startsIn(state, config string, args ...string) {
	w.t.Helper()
	w.conf = w.write("picket.yml", "%s", "interfaces: ["+span+"]\n"+config)
	w.sensor = &picket{campus: w.campus, args: append([]string{"run", "-c", w.conf, "--state", state}, args...)}
	w.sensor.begin()
	w.prom.answers(`up{job="picket"} == 1`)
}

func (w *walk) state() string { return w.sensor.args[4] }

// joins lets the phone lease an address and say what it is.
func (w *walk) joins() {
	w.t.Helper()
	w.phone.lease("Redmi-Note-12", "android-dhcp-13")
	w.phone.behave()
}

// fires waits until the alert stands in Alertmanager, and for those of the
// rules in Prometheus too.
func (w *walk) fires() {
	w.t.Helper()
	if !pushedBySensor[w.alert] {
		w.prom.answers(`ALERTS{alertstate="firing",alertname="` + w.alert + `"}`)
	}
	api := managerURL + "/api/v2/alerts?active=true&silenced=false&inhibited=false&filter=alertname%3D%22" + w.alert + "%22"
	var got string
	until(w.t, w.alert+" in Alertmanager", func() bool {
		got = w.get(api)
		return strings.Contains(got, w.alert)
	})
	if m := deviceRule.FindString(got); m != "" {
		w.device = m
	}
}

var pushedBySensor = map[string]bool{"PicketEpisode": true, "PicketEpisodeReview": true, "PicketStorm": true}

var deviceRule = regexp.MustCompile(`d-[0-9a-f]{12}`)

// look runs the commands of the page and asserts what the first one shows.
func (w *walk) look(want []string) {
	w.t.Helper()
	file := "../docs/runbooks/" + w.alert + ".md"
	b, err := os.ReadFile(file)
	ok(w.t, err)
	head, _, _ := strings.Cut(string(b), "\n## Walked\n")
	commands := commandsOf(head)
	if len(commands) == 0 {
		w.t.Fatalf("%s: no command under Look", file)
	}
	var script strings.Builder
	for i, command := range commands {
		out := w.sh(command)
		for _, x := range want {
			if i == 0 && !strings.Contains(out, x) {
				w.t.Errorf("%s: %q does not show %q:\n%s", w.alert, command, x, out)
			}
		}
		if i == 0 && strings.TrimSpace(out) == "" {
			w.t.Errorf("%s: %q shows nothing", w.alert, command)
		}
		fmt.Fprintf(&script, "    $ %s\n%s", command, w.paste(out))
	}
	w.t.Logf("%s\n%s", w.alert, &script)
	if os.Getenv("PICKET_WRITE") == "" || w.t.Failed() {
		return
	}
	text := strings.TrimRight(head, "\n") + "\n\n## Walked\n\n" + walkedHow + w.alert + "$' -v`:\n\n" + w.told() + script.String()
	ok(w.t, os.WriteFile(file, []byte(text), 0o644))
}

const walkedHow = "With a live sensor, Debian's Prometheus and Alertmanager, and the times of the rules shortened; addresses and ids are replaced. `PICKET_E2E=1 go test ./e2e -run 'Runbooks/"

// told is the alert as Alertmanager has it.
func (w *walk) told() string {
	const command = `amtool --alertmanager.url=http://ALERTMANAGER:9093 alert query alertname=`
	return "    $ " + command + w.alert + "\n" + w.paste(w.sh(command+w.alert))
}

// commandsOf lists the commands under "Look" that end by themselves and need
// no systemd.
func commandsOf(page string) (out []string) {
	_, look, _ := strings.Cut(page, "\n## Look\n")
	look, _, _ = strings.Cut(look, "\n## ")
	for line := range strings.Lines(look) {
		command, is := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if is && !strings.HasPrefix(command, "top ") && !strings.HasPrefix(command, "systemctl ") {
			out = append(out, command)
		}
	}
	return out
}

// sh runs a command of a page where the sensor is, the words of the page
// standing for what there is in the laboratory.
func (w *walk) sh(command string) string {
	w.t.Helper()
	real := strings.NewReplacer("SENSOR:", "127.0.0.1:", "ALERTMANAGER:", "127.0.0.1:", "PROMETHEUS:", "127.0.0.1:", "eth1", span,
		"d-0123456789ab", w.device, "/etc/picket/picket.yml", w.conf, "/etc/prometheus", w.dir,
		"journalctl -u picket", "cat "+w.write("picket.log", "%s", w.sensor.log.String()), "/var/lib/picket", w.state()).Replace(command)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := w.gw.Command(ctx, "sh", "-c", real)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary(w.t))+":"+os.Getenv("PATH"), "STATE_DIRECTORY="+w.state(), "TZ=UTC", "COLUMNS=160")
	out, _ := cmd.CombinedOutput() // a command that fails is what some pages are about
	return string(out)
}

// mostPasted bounds the lines and their length that go into a page.
const mostPasted, widest = 14, 150

// paste makes output fit for a page: addresses of the documentation
// (RFC 5737), no path of this machine.
func (w *walk) paste(out string) string {
	out = strings.NewReplacer(w.state(), "/var/lib/picket", w.conf, "/etc/picket/picket.yml", w.dir, "/etc/prometheus", span, "eth1",
		"127.0.0.1:", "SENSOR:", "127.0.0.1 port", "SENSOR port", "120.92.96.", "203.0.113.", "123.126.45.", "203.0.113.", "52.76.31.", "198.51.100.", "10.20.0.", "192.0.2.").Replace(out)
	out = deviceRule.ReplaceAllString(out, "d-0123456789ab")
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	var b strings.Builder
	for i, l := range lines {
		if i == mostPasted {
			fmt.Fprintf(&b, "    ... (%d more lines)\n", len(lines)-i)
			break
		}
		if r := []rune(l); len(r) > widest {
			l = string(r[:widest]) + " ..."
		}
		b.WriteString(strings.TrimRight("    "+l, " ") + "\n")
	}
	return b.String()
}
