package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"picket/evidence"
	"picket/geo"
	"picket/sensor/device"
)

// summary is the outcome of a run, for people.
type summary struct {
	devices  []*device.View
	totals   *destinations
	episodes []evidence.Episode
	stats    statsLine
	policies []string
}

// maxListed is how many devices a person is shown; --json lists all.
const maxListed = 40

func (s *session) summary() *summary {
	out := &summary{totals: &s.totals, episodes: s.episodes(), stats: newStatsLine(s.workers, 0)}
	s.devices(func(v *device.View) bool { out.devices = append(out.devices, v); return true })
	for _, r := range s.j.rules {
		out.policies = append(out.policies, r.Sentence())
	}
	return out
}

func (s *summary) print(w io.Writer) {
	s.printDevices(w)
	s.printDestinations(w)
	s.printEpisodes(w)
	s.printStats(w)
}

func (s *summary) printDevices(w io.Writer) {
	fmt.Fprintf(w, "DEVICES  %d seen\n", len(s.devices))
	shown := slices.Clone(s.devices)
	slices.SortStableFunc(shown, func(a, b *device.View) int {
		return cmp.Compare(b.Verdict.Confidence, a.Verdict.Confidence)
	})
	for i, v := range shown {
		if i == maxListed {
			fmt.Fprintf(w, "  … and %d more (--json lists all)\n", len(shown)-i)
			break
		}
		fmt.Fprintf(w, "  %s  %s\n", v.ID, verdictWords(v))
		for _, r := range v.Verdict.Reasons {
			fmt.Fprintf(w, "      + %s\n", r.Text)
		}
		for _, r := range v.Verdict.Against {
			fmt.Fprintf(w, "      - %s\n", r.Text)
		}
	}
	fmt.Fprintln(w)
}

// verdictWords says what a device is, and how sure that is.
func verdictWords(v *device.View) string {
	var b strings.Builder
	d := v.Verdict
	switch {
	case v.Router:
		b.WriteString("router: speaks for many addresses, is nobody")
	case d.Confidence == 0 || d.Maker == "":
		b.WriteString("unknown")
	default:
		fmt.Fprintf(&b, "%s %s, %s (%.3f)", d.Confidence, d.Maker, d.Class, d.Posterior)
	}
	if d.Model != "" && d.Confidence > 0 {
		fmt.Fprintf(&b, ", %s", d.Model)
	}
	if d.Shared {
		b.WriteString(", several devices behind one address")
	}
	var at []string
	for _, a := range v.Addrs() {
		at = append(at, a.String())
	}
	if len(at) > 0 {
		fmt.Fprintf(&b, " at %s", strings.Join(at[:min(len(at), 3)], ", "))
	}
	return b.String()
}

func (s *summary) printDestinations(w io.Writer) {
	list := s.totals.first(maxListed)
	makers := map[device.ID]string{}
	for _, c := range list {
		makers[c.device] = "unknown"
	}
	for _, v := range s.devices {
		if makers[v.ID] != "" && v.Verdict.Confidence > 0 {
			makers[v.ID] = v.Verdict.Maker
		}
	}
	fmt.Fprintln(w, "WHERE THEIR DATA WENT  payload sent, handshakes apart")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  DEVICE\tMAKER\tSENT\tLOCATION\tOPERATOR\tOWNER\tNAMES")
	for _, c := range list {
		to := s.totals.to(c)
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.device, makers[c.device], bytesWords(c.sent-min(c.sent, c.handshake)),
			or(string(to.location), "?"), party(to.operator, to.home), party(to.owner, to.ownerIn), shortNames(c.names()))
	}
	if more := s.totals.count - len(list); more > 0 {
		fmt.Fprintf(tw, "  … and %d more\t\t\t\t\t\t\n", more)
	}
	tw.Flush()
	fmt.Fprintln(w)
}

func (s *summary) printEpisodes(w io.Writer) {
	if len(s.policies) == 0 {
		fmt.Fprintln(w, "EPISODES  no policy: nothing is prohibited (try --prohibit MAKER --restrict CC)")
		fmt.Fprintln(w)
		return
	}
	devices := map[string]bool{}
	for _, e := range s.episodes {
		if e.Severity == "page" {
			devices[e.Device] = true
		}
	}
	fmt.Fprintf(w, "EPISODES  %d; would have paged %d devices\n", len(s.episodes), len(devices))
	for _, p := range s.policies {
		fmt.Fprintf(w, "  policy %s\n", p)
	}
	for _, e := range s.episodes {
		fmt.Fprintf(w, "  %-7s %s\n", strings.ToUpper(e.Severity), e.Sentence)
		for _, r := range e.Reasons {
			fmt.Fprintf(w, "          + %s\n", r)
		}
		for _, r := range e.Against {
			fmt.Fprintf(w, "          - %s\n", r)
		}
	}
	fmt.Fprintln(w)
}

func (s *summary) printStats(w io.Writer) {
	t := &s.stats
	fmt.Fprintf(w, "SEEN  %d frames, %s, %d flows; ", t.Frames, bytesWords(t.Bytes), t.Flows)
	if len(t.Stops) == 0 {
		fmt.Fprintln(w, "every frame read")
		return
	}
	fmt.Fprint(w, "frames that went no further:")
	for _, k := range slices.Sorted(maps.Keys(t.Stops)) {
		fmt.Fprintf(w, " %s %d", k, t.Stops[k])
	}
	fmt.Fprintln(w)
}

func party(name string, home geo.Country) string {
	switch {
	case name == "" && home == "":
		return "?"
	case name == "":
		return string(home)
	case home == "":
		return name
	}
	return fmt.Sprintf("%s (%s)", name, home)
}

func shortNames(names []string) string {
	if len(names) > 2 {
		return fmt.Sprintf("%s +%d", strings.Join(names[:2], " "), len(names)-2)
	}
	return strings.Join(names, " ")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// bytesWords writes n with a binary unit.
func bytesWords(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
