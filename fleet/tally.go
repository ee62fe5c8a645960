package fleet

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"picket/evidence"
)

// tally is what the parts of an episode sent together. A conversation that
// several sensors saw counts once, with the bytes of the one that saw most;
// its halves, when its directions pass different routers, are one
// conversation; different conversations add up. Of what a sensor could not
// tell apart, the most that one sensor saw counts: the sum is never more than
// was sent.
type tally struct {
	servers  []evidence.Server
	exact    bool // every conversation was told apart
	bothWays bool // of every conversation with bytes up, bytes down were seen somewhere
}

// sameFlow is how far apart in time what two sensors saw of one five-tuple
// may be and still be one conversation. A client does not use a port again to
// the same server for a minute (RFC 9293, section 3.6.1: 2 MSL; Linux has 60
// s); clocks that are further apart than half of it are not compared at all.
const sameFlow = time.Minute

// sight is what one sensor saw of a conversation.
type sight struct {
	sensor int // index in the list of sensors
	evidence.Conversation
}

// joined is a conversation as all saw it together.
type joined struct {
	first, last           time.Time
	sent, hands, received uint64
	best                  sight // the most that was seen of it at once
	own                   []sight
}

func tallyOf(names []string, parts map[string]*part) tally {
	var untold time.Time // conversations that began by then cannot be told apart
	var all []sight
	for i, n := range names {
		e := &parts[n].Episode
		list, until := flowsOf(e)
		if until.After(untold) {
			untold = until
		}
		for _, c := range list {
			all = append(all, sight{i, c})
		}
	}
	sums := newServerSums(names, parts)
	out := tally{exact: untold.IsZero(), bothWays: untold.IsZero()}
	for _, j := range join(all) {
		if j.sent > 0 && j.received == 0 {
			out.bothWays = false
		}
		if untold.IsZero() || j.first.After(untold.Add(sameFlow)) {
			sums.add(&j)
		}
	}
	if !untold.IsZero() {
		sums.addRest()
	}
	out.servers = sums.list()
	return out
}

// flowsOf are the conversations of a part, and until when some are missing.
// What does not add up is not believed: all of it then cannot be told apart.
func flowsOf(e *evidence.Episode) (list []evidence.Conversation, untold time.Time) {
	var sent, hands uint64
	for i := range e.Flows {
		sent, hands = sent+e.Flows[i].Sent, hands+e.Flows[i].Handshake
	}
	switch {
	case sent > e.Sent, hands > e.Handshake:
		return nil, e.Last
	case sent < e.Sent && e.Untold.IsZero():
		return e.Flows, e.Last
	}
	return e.Flows, e.Untold
}

// join finds what was one conversation: the same five-tuple, at about the
// same time.
func join(all []sight) []joined {
	slices.SortFunc(all, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), a.First.Compare(b.First), a.Last.Compare(b.Last), cmp.Compare(a.sensor, b.sensor),
			cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Server, b.Server))
	})
	var out []joined
	for from := 0; from < len(all); {
		last, to := all[from].Last, from+1
		for to < len(all) && all[to].Key == all[from].Key && !all[to].First.After(last.Add(sameFlow)) {
			if all[to].Last.After(last) {
				last = all[to].Last
			}
			to++
		}
		out = append(out, joinOne(all[from:to:to], last))
		from = to
	}
	return out
}

// joinOne adds up what each sensor saw of one conversation, and takes the most.
func joinOne(own []sight, last time.Time) joined {
	j := joined{first: own[0].First, last: last, own: own}
	type sum struct{ sent, hands, received uint64 }
	by := map[int]sum{}
	for _, s := range own {
		v := by[s.sensor]
		by[s.sensor] = sum{v.sent + s.Sent, v.hands + s.Handshake, v.received + s.Received}
	}
	for _, v := range by {
		if v.sent > j.sent || v.sent == j.sent && v.hands > j.hands {
			j.sent, j.hands = v.sent, v.hands
		}
		j.received = max(j.received, v.received)
	}
	j.best = slices.MaxFunc(own, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(b.sensor, a.sensor), cmp.Compare(b.Server, a.Server))
	})
	return j
}

// serverSums adds up bytes by server.
type serverSums struct {
	names []string
	parts map[string]*part
	by    map[serverKey]*evidence.Server
	own   [][]evidence.Server // of each sensor, less what was added
}

type serverKey struct {
	addr        netip.AddrPort
	name, cname string
	tunnel      bool
}

func newServerSums(names []string, parts map[string]*part) *serverSums {
	s := &serverSums{names: names, parts: parts, by: map[serverKey]*evidence.Server{}}
	for _, n := range names {
		list := slices.Clone(parts[n].Episode.Servers)
		s.own = append(s.own, list)
		for i := range list {
			s.widen(&list[i])
		}
	}
	return s
}

// widen takes over who a server is and when it was used, not its bytes.
func (s *serverSums) widen(v *evidence.Server) *evidence.Server {
	k := serverKey{v.Addr, v.Name, v.CNAME, v.Tunnel}
	was := s.by[k]
	if was == nil {
		c := *v
		c.Sent, c.Handshake, c.Flows, c.Hits = 0, 0, 0, slices.Clone(v.Hits)
		s.by[k] = &c
		return &c
	}
	if v.First.Before(was.First) {
		was.First = v.First
	}
	if v.Last.After(was.Last) {
		was.Last = v.Last
	}
	was.Hits = union(was.Hits, v.Hits)
	return was
}

// add counts a conversation, and takes it off what each sensor has.
func (s *serverSums) add(j *joined) {
	to := &evidence.Server{Name: furtherServers, First: j.first, Last: j.last}
	if list := s.own[j.best.sensor]; j.best.Server >= 0 && j.best.Server < len(list) {
		to = &list[j.best.Server]
	}
	v := s.widen(to)
	v.Sent, v.Handshake, v.Flows = v.Sent+j.sent, v.Handshake+j.hands, v.Flows+1
	for _, o := range j.own {
		if list := s.own[o.sensor]; o.Server >= 0 && o.Server < len(list) {
			l := &list[o.Server]
			l.Sent, l.Handshake, l.Flows = l.Sent-min(l.Sent, o.Sent), l.Handshake-min(l.Handshake, o.Handshake), l.Flows-min(l.Flows, 1)
		}
	}
}

// addRest counts what could not be told apart: that of the sensor that has
// most of it.
func (s *serverSums) addRest() {
	best, most := 0, uint64(0)
	for i, list := range s.own {
		var sum uint64
		for k := range list {
			sum += list[k].Sent
		}
		if sum > most {
			best, most = i, sum
		}
	}
	for k := range s.own[best] {
		l := &s.own[best][k]
		v := s.widen(l)
		v.Sent, v.Handshake, v.Flows = v.Sent+l.Sent, v.Handshake+l.Handshake, v.Flows+l.Flows
	}
}

// furtherServers stands in for what has no place in the list.
const furtherServers = "(further servers)"

// list gives the servers, most bytes first.
func (s *serverSums) list() []evidence.Server {
	out := []evidence.Server{}
	for _, v := range s.by {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b evidence.Server) int {
		return cmp.Or(cmp.Compare(b.Sent, a.Sent), strings.Compare(a.Name, b.Name), a.Addr.Compare(b.Addr), strings.Compare(a.CNAME, b.CNAME))
	})
	if len(out) <= maxServers {
		return out
	}
	rest := evidence.Server{Name: furtherServers}
	for _, v := range out[maxServers-1:] {
		rest.Sent, rest.Handshake, rest.Flows = rest.Sent+v.Sent, rest.Handshake+v.Handshake, rest.Flows+v.Flows
	}
	return append(out[:maxServers-1:maxServers-1], rest)
}
