package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"picket/evidence"
)

// The names of the alerts that picket pushes. A severity is a name and not a
// label, so that the identity of an alert is {alertname, policy, device} and
// the operator's own labels alone.
const (
	PageAlert   = "PicketEpisode"
	TicketAlert = "PicketEpisodeReview"
	StormAlert  = "PicketStorm"
)

// Alert is one alert for Alertmanager and how far it has been told.
type Alert struct {
	Key         string            // identity; unique in the outbox
	Episode     string            // id
	Labels      map[string]string // without the operator's alert_labels
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time       // zero while it fires
	Since       time.Time       // where its latency is counted from; zero: not counted
	Told        map[string]Told // by Alertmanager
}

// Told is what one Alertmanager has accepted of an alert.
type Told struct {
	Fired    time.Time // first acceptance of it firing
	Late     bool      // it was over by then
	Resolved time.Time // acceptance of its end
}

// Links makes the addresses of evidence pages. The zero value knows no page
// and gives the command to run instead.
type Links struct {
	External *url.URL // --web.external-url; nil: not reachable
}

// Device is where the evidence about a device is.
func (l Links) Device(id string) string {
	if l.External == nil {
		return "picket explain " + id
	}
	return l.External.JoinPath("device", id).String()
}

// Runbook is where the page about an alert is.
func (l Links) Runbook(alert string) string {
	if l.External == nil {
		return "picket runbook " + alert
	}
	return l.External.JoinPath("runbooks", alert).String()
}

// alertName is the name an alert of this severity has.
func alertName(s Severity) string {
	if s == Page {
		return PageAlert
	}
	return TicketAlert
}

// alertKey is the identity of an episode's alert at this severity.
func alertKey(name, policy, device string) string { return name + "/" + policy + "/" + device }

// newAlert makes the alert of an episode.
func newAlert(e evidence.Episode, since time.Time, l Links) Alert {
	name, dev := alertName(Severity(e.AlertedAs)), cmp.Or(e.AlertDevice, e.Device)
	return Alert{
		Key:         alertKey(name, e.Policy, dev),
		Episode:     e.ID,
		Labels:      map[string]string{"alertname": name, "policy": e.Policy, "device": dev},
		Annotations: annotations(e, l),
		StartsAt:    e.Opened,
		EndsAt:      e.Closed,
		Since:       since,
	}
}

// annotations is what the templates of Alertmanager are given. None is
// longer than maxAnnotation.
func annotations(e evidence.Episode, l Links) map[string]string {
	a := map[string]string{
		"summary":     Summary(e),
		"description": e.Sentence,
		"severity":    e.AlertedAs,
		"condition":   string(e.Condition),
		"device":      e.Device,
		"maker":       or(e.Maker, "unknown"),
		"model":       e.Model,
		"class":       e.Class,
		"confidence":  e.Confidence,
		"country":     strings.Join(e.Countries, " "),
		"basis":       strings.Join(e.Basis, " "),
		"bytes":       Size(e.Sent).String(),
		"sent_bytes":  strconv.FormatUint(e.Sent, 10),
		"place":       e.Place,
		"names":       strings.Join(e.Names, " "),
		"servers":     serverWords(e.Servers),
		"reasons":     strings.Join(e.Reasons, "; "),
		"against":     strings.Join(e.Against, "; "),
		"caveats":     strings.Join(e.Caveats, "; "),
		"identifiers": strings.Join(e.Identifiers, " "),
		"since":       e.First.UTC().Format(time.RFC3339),
		"evidence":    l.Device(e.Device),
		"runbook_url": l.Runbook(alertName(Severity(e.AlertedAs))),
		"episode":     e.ID,
		"signatures":  e.Signatures,
		"closed":      e.CloseReason,
	}
	maps.DeleteFunc(a, func(_, v string) bool { return v == "" })
	for k, v := range a {
		a[k] = shorten(v, maxAnnotation)
	}
	return a
}

// maxAnnotation bounds one annotation: Alertmanager's default limit of a
// message is far above, chat receivers cut at about 4 kB.
const maxAnnotation = 2000

// lockScreen is how much of a notification a locked phone shows.
const lockScreen = 110

// Summary is the sentence of an episode in the length of a lock screen.
func Summary(e evidence.Episode) string {
	what := fmt.Sprintf("%s %s %s %s to %s", title(or(e.Maker, "unknown")), or(e.Class, "device"), verb(e), Size(e.Sent), strings.Join(e.Countries, " "))
	switch e.Condition {
	case evidence.Seen:
		what = fmt.Sprintf("%s %s is present", title(or(e.Maker, "unknown")), or(e.Class, "device"))
	case evidence.Tried, evidence.Connected:
		what = fmt.Sprintf("%s %s %s %s", title(or(e.Maker, "unknown")), or(e.Class, "device"), verb(e), strings.Join(e.Countries, " "))
	case evidence.Identifier:
		what = fmt.Sprintf("%s %s sent %s in clear to %s", title(or(e.Maker, "unknown")), or(e.Class, "device"), andList(e.Identifiers), strings.Join(e.Countries, " "))
	case evidence.Hidden:
		what = fmt.Sprintf("%s %s hid %s", title(or(e.Maker, "unknown")), or(e.Class, "device"), Size(e.Hidden))
	}
	return shorten(fmt.Sprintf("%s (%s) · %s · %s", what, e.Confidence, e.Device, e.Place), lockScreen)
}

// verb is what the device did, by the condition.
func verb(e evidence.Episode) string {
	switch e.Condition {
	case evidence.Tried:
		return "tried to reach"
	case evidence.Connected:
		return "connected to"
	}
	return "sent"
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func serverWords(servers []evidence.Server) string {
	var out []string
	for _, s := range servers[:min(len(servers), 5)] {
		out = append(out, strings.TrimSpace(s.Name+" "+s.Addr.String())+" "+Size(s.Sent).String())
	}
	if n := len(servers) - 5; n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(out, "; ")
}

// shorten cuts s to at most n bytes, on a rune boundary, and shows that it did.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := n - len("…")
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

// sortedKeys lists the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
