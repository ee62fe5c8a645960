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
}

// bounds of a merged episode.
const (
	maxServers = 64
	maxWords   = 32
)

// combine makes one episode of the parts, the same one in whatever order they
// came. The identity is that of the part that opened first. Bytes to a server
// that several sensors saw are those of the sensor that saw most: two sensors
// on one path see the same bytes, and one that counted them twice would
// accuse of what was not sent.
func combine(parts map[string]*part) evidence.Episode {
	names := sortedParts(parts)
	out := parts[names[0]].Episode
	out.Servers = mergeServers(names, parts)
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
	if len(names) > 1 {
		out.Caveats = union(out.Caveats, []string{"seen by the sensors " + strings.Join(names, ", ") + ": of each server, the bytes of the one that saw most"})
	}
	out.Firing = open
	out.Sentence = alerts.Sentence(out)
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

type serverKey struct{ addr, name, cname string }

func mergeServers(names []string, parts map[string]*part) []evidence.Server {
	by := map[serverKey]evidence.Server{}
	for _, n := range names {
		for _, s := range parts[n].Episode.Servers {
			k := serverKey{s.Addr.String(), s.Name, s.CNAME}
			if was, there := by[k]; there {
				s.Sent, s.Handshake, s.Flows = max(s.Sent, was.Sent), max(s.Handshake, was.Handshake), max(s.Flows, was.Flows)
				if was.First.Before(s.First) {
					s.First = was.First
				}
				if was.Last.After(s.Last) {
					s.Last = was.Last
				}
				s.Hits = union(slices.Clone(was.Hits), s.Hits)
			}
			by[k] = s
		}
	}
	out := []evidence.Server{}
	for _, s := range by {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b evidence.Server) int {
		return cmp.Or(cmp.Compare(b.Sent, a.Sent), strings.Compare(a.Name, b.Name), strings.Compare(a.Addr.String(), b.Addr.String()))
	})
	if len(out) <= maxServers {
		return out
	}
	rest := evidence.Server{Name: "(further servers)"}
	for _, s := range out[maxServers-1:] {
		rest.Sent, rest.Handshake, rest.Flows = rest.Sent+s.Sent, rest.Handshake+s.Handshake, rest.Flows+s.Flows
	}
	return append(out[:maxServers-1:maxServers-1], rest)
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
