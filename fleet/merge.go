package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"picket/alerts"
	"picket/evidence"
)

// part is what one sensor has of an episode.
type part struct {
	Episode evidence.Episode `json:"episode"`
	Shared  bool             `json:"shared"` // its realm means the same network at other sensors

	version int64
	at      time.Time // when its sensor said so
}

// bounds of a merged episode.
const (
	maxServers = 64
	maxWords   = 32
)

// combine makes one episode of the parts, the same one in whatever order they
// came. The identity is that of the part that opened first; bytes are added
// up as tally says.
func combine(parts map[string]*part) evidence.Episode {
	names := sortedParts(parts)
	out := parts[names[0]].Episode
	sums := tallyOf(names, parts)
	out.Servers = sums.servers
	out.Names, out.Countries, out.Basis = []string{}, []string{}, []string{}
	out.Reasons, out.Against, out.Caveats, out.Identifiers, out.Databases = nil, nil, nil, nil, nil
	out.Closed, out.CloseReason = time.Time{}, ""
	best := out.Posterior
	open := false
	for _, n := range names {
		e := &parts[n].Episode
		if e.First.Before(out.First) {
			out.First = e.First
		}
		if e.Last.After(out.Last) {
			out.Last = e.Last
		}
		if e.Posterior > best {
			best = e.Posterior
			out.Maker, out.Model, out.Class, out.Confidence, out.Posterior, out.Signatures = e.Maker, e.Model, e.Class, e.Confidence, e.Posterior, e.Signatures
		}
		if rank(e.Severity) > rank(out.Severity) {
			out.Severity, out.Condition = e.Severity, e.Condition
		}
		out.Announced = out.Announced || e.Announced
		if rank(e.AlertedAs) > rank(out.AlertedAs) {
			out.AlertedAs = e.AlertedAs
		}
		for _, list := range [...]struct {
			to   *[]string
			from []string
		}{{&out.Names, e.Names}, {&out.Countries, e.Countries}, {&out.Basis, e.Basis}, {&out.Reasons, e.Reasons}, {&out.Against, e.Against},
			{&out.Caveats, e.Caveats}, {&out.Identifiers, e.Identifiers}, {&out.Databases, e.Databases}} {
			*list.to = union(*list.to, list.from)
		}
		open = open || e.Closed.IsZero()
	}
	out.Sent, out.Handshake = 0, 0
	for i := range out.Servers {
		out.Sent += out.Servers[i].Sent
		out.Handshake += out.Servers[i].Handshake
	}
	if !open {
		last := parts[slices.MaxFunc(names, func(a, b string) int {
			return cmp.Or(parts[a].Episode.Closed.Compare(parts[b].Episode.Closed), strings.Compare(a, b))
		})].Episode
		out.Closed, out.CloseReason = last.Closed, last.CloseReason
	}
	if sums.bothWays {
		out.Caveats = slices.DeleteFunc(slices.Clone(out.Caveats), func(c string) bool { return c == alerts.OneWay })
	}
	if len(names) > 1 {
		text := "seen by the sensors " + strings.Join(names, ", ")
		if !sums.exact {
			text += ": some conversations cannot be told apart; of those, the bytes of the sensor that saw most"
		}
		out.Caveats = union(out.Caveats, []string{text})
	}
	out.Flows, out.Untold, out.Sensor, out.SumOf = nil, time.Time{}, "", sumOf(names, parts)
	out.Firing = open
	out.Sentence = alerts.Sentence(out)
	return out
}

// sumOf lists the sensors that passed a threshold together; none when one of
// them passed it alone.
func sumOf(names []string, parts map[string]*part) (out []string) {
	for _, n := range names {
		e := &parts[n].Episode
		if e.Condition == evidence.Sent && len(e.SumOf) == 0 {
			return nil
		}
		out = union(out, e.SumOf)
	}
	slices.Sort(out)
	return out
}

// sortedParts lists the sensors, the one whose part opened first in front.
func sortedParts(parts map[string]*part) []string {
	var names []string
	for n := range parts {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(parts[a].Episode.Opened.Compare(parts[b].Episode.Opened), strings.Compare(a, b))
	})
	return names
}

func union(to, from []string) []string {
	for _, w := range from {
		if len(to) >= maxWords {
			break
		}
		if !slices.Contains(to, w) {
			to = append(to, w)
		}
	}
	return to
}

// rank orders severities; nothing is the lowest.
func rank(severity string) int {
	return slices.Index([]string{"observe", "ticket", "page"}, severity) + 1
}
