package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"picket/evidence"
)

// Episodes lists the open ones and those of the last days, a page of them.
type Episodes struct {
	Query    EpisodeQuery
	Policies []string // of all that were found
	Makers   []string
	List     []evidence.Episode
	Total    int
	From, To int // numbers of the first and last shown
	Previous string
	Next     string
}

// EpisodeQuery chooses episodes.
type EpisodeQuery struct {
	Days                           int
	State, Severity, Policy, Maker string // empty: any
	Offset                         int
}

const episodesAPage = 30

func episodeQuery(v url.Values) (q EpisodeQuery, err error) {
	q = EpisodeQuery{State: v.Get("state"), Severity: v.Get("severity"), Policy: v.Get("policy"), Maker: v.Get("maker")}
	if q.Days, err = number(v, "days", 30, 1, 3660); err != nil {
		return q, err
	}
	if q.Offset, err = number(v, "offset", 0, 0, 10_000_000); err != nil {
		return q, err
	}
	if err = oneOf("state", q.State, "open", "closed", "all"); err != nil {
		return q, err
	}
	return q, oneOf("severity", q.Severity, severities...)
}

// has reports whether the query chooses an episode.
func (q *EpisodeQuery) has(e *evidence.Episode) bool {
	return (q.State == "" || q.State == "all" || (q.State == "open") == e.Closed.IsZero()) &&
		(q.Severity == "" || q.Severity == e.Severity) && (q.Policy == "" || q.Policy == e.Policy) && (q.Maker == "" || q.Maker == e.Maker)
}

// link is the address of another page of the same list.
func (q *EpisodeQuery) link(offset int) string {
	v := url.Values{"days": {strconv.Itoa(q.Days)}, "offset": {strconv.Itoa(offset)}}
	for k, s := range map[string]string{"state": q.State, "severity": q.Severity, "policy": q.Policy, "maker": q.Maker} {
		if s != "" {
			v.Set(k, s)
		}
	}
	return "episodes?" + v.Encode()
}

// find returns the episodes that a query chooses, newest first; all that its
// days have when only is nil.
func (p *pages) find(q *EpisodeQuery, only func(*evidence.Episode) bool) (all, found []evidence.Episode, err error) {
	if q.State == "open" {
		all, err = p.open()
	} else {
		all, err = p.c.Store.Episodes(p.c.Now().AddDate(0, 0, -q.Days))
		slices.Reverse(all)
	}
	for i := range all {
		if only(&all[i]) {
			found = append(found, all[i])
		}
	}
	return all, found, err
}

func (p *pages) episodes(r *http.Request) (string, any, error) {
	q, err := episodeQuery(r.URL.Query())
	if err != nil {
		return "", nil, err
	}
	all, found, err := p.find(&q, q.has)
	if err != nil {
		return "", nil, err
	}
	d := Episodes{Query: q, Total: len(found)}
	for i := range all {
		d.Policies, d.Makers = append(d.Policies, all[i].Policy), append(d.Makers, all[i].Maker)
	}
	d.Policies, d.Makers = distinct(d.Policies), distinct(d.Makers)
	from := min(q.Offset, len(found))
	d.List = found[from:min(from+episodesAPage, len(found))]
	d.From, d.To = min(from+1, len(found)), from+len(d.List)
	if from > 0 {
		d.Previous = q.link(max(0, from-episodesAPage))
	}
	if d.To < d.Total {
		d.Next = q.link(d.To)
	}
	return "Episodes", d, nil
}

// distinct sorts names and leaves each once, and no empty one.
func distinct(names []string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}

// Episode is one episode with what is known of its device.
type Episode struct {
	evidence.Episode
	File    evidence.File
	Silence string // address in Alertmanager; empty for none
	Packets int64  // bytes of packets that can be downloaded
	Lanes   Lanes
}

func (p *pages) episode(r *http.Request) (string, any, error) {
	e, ok, err := p.c.Store.Episode(r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	if !ok {
		return "", nil, errNotFound
	}
	d := Episode{Episode: e}
	if p.c.Open != nil { // with the latest totals
		for _, o := range p.c.Open() {
			if o.ID == e.ID {
				d.Episode = o
			}
		}
	}
	d.Servers = slices.Clone(d.Servers)
	slices.SortStableFunc(d.Servers, func(a, b evidence.Server) int { return cmp.Compare(b.Sent, a.Sent) })
	d.Lanes = lanes(d.Servers)
	if d.File, err = p.c.Store.File(e.Device); err != nil {
		return "", nil, err
	}
	d.Packets = p.packetBytes(e.ID)
	d.Silence = p.silence(&d.Episode)
	return d.Maker + " " + d.Model + " " + e.ID, d, nil
}

// silence is where Alertmanager silences the alert of an episode.
func (p *pages) silence(e *evidence.Episode) string {
	if p.c.Alertmanager == nil || !e.Closed.IsZero() || e.AlertedAs == "" {
		return ""
	}
	filter := "{policy=" + strconv.Quote(e.Policy) + ",device=" + strconv.Quote(cmp.Or(e.AlertDevice, e.Device)) + "}"
	return p.c.Alertmanager.JoinPath("/").String() + "#/silences/new?filter=" + url.QueryEscape(filter)
}
