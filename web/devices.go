package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"picket/evidence"
)

// Devices is a page of the devices that a policy concerns, and counts of the
// others.
type Devices struct {
	evidence.DevicePage
	Query    evidence.DeviceQuery
	Makers   []string
	Columns  []Column
	Previous string // addresses of the pages beside this one
	Next     string
	From, To int // numbers of the first and last shown
	Crowd    []evidence.CrowdCount
	CrowdSum int
}

// Column is one that devices can be sorted by.
type Column struct {
	Name, Title, Link string
	Sort              string // ascending, descending, none: aria-sort
}

func (p *pages) devices(r *http.Request) (string, any, error) {
	q, err := deviceQuery(r.URL.Query())
	if err != nil {
		return "", nil, err
	}
	d := Devices{Query: q}
	if d.DevicePage, err = p.c.Store.Devices(q); err != nil {
		return "", nil, err
	}
	if d.Makers, err = p.c.Store.Makers(); err != nil {
		return "", nil, err
	}
	if d.Crowd, err = p.c.Store.CrowdOn(p.c.Now()); err != nil {
		return "", nil, err
	}
	for _, c := range d.Crowd {
		d.CrowdSum += c.Devices
	}
	d.From, d.To = min(d.Offset+1, d.Total), d.Offset+len(d.Devices)
	if d.Offset > 0 {
		d.Previous = linkTo(q, func(v url.Values) { v.Set("offset", strconv.Itoa(max(0, d.Offset-d.Limit))) })
	}
	if d.To < d.Total {
		d.Next = linkTo(q, func(v url.Values) { v.Set("offset", strconv.Itoa(d.To)) })
	}
	for _, c := range [...]Column{{Name: "maker", Title: "Maker"}, {Name: "model", Title: "Model"}, {Name: "confidence", Title: "Confidence"}, {Name: "first", Title: "First seen"}, {Name: "last", Title: "Last seen"}} {
		d.Columns = append(d.Columns, c.of(q))
	}
	return "Devices", d, nil
}

// of says how a column is sorted now and where sorting by it leads.
func (c Column) of(q evidence.DeviceQuery) Column {
	c.Sort = "none"
	up := c.Name == "maker" || c.Name == "model"
	if cmp.Or(q.Sort, "last") == c.Name {
		c.Sort, up = "descending", !q.Up
		if q.Up {
			c.Sort = "ascending"
		}
	}
	c.Link = linkTo(q, func(v url.Values) {
		v.Set("sort", c.Name)
		v.Del("offset")
		v.Del("up")
		if up {
			v.Set("up", "1")
		}
	})
	return c
}

// linkTo is the address of the same query, changed.
func linkTo(q evidence.DeviceQuery, change func(url.Values)) string {
	v := url.Values{}
	for k, s := range map[string]string{"q": q.Text, "maker": q.Maker, "class": q.Class, "concern": string(q.Concern), "sort": q.Sort} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if q.Up {
		v.Set("up", "1")
	}
	change(v)
	return "devices?" + v.Encode()
}

func deviceQuery(v url.Values) (evidence.DeviceQuery, error) {
	q := evidence.DeviceQuery{
		Text: v.Get("q"), Maker: v.Get("maker"), Class: v.Get("class"), Concern: evidence.Concern(v.Get("concern")),
		Sort: v.Get("sort"), Up: v.Get("up") == "1",
	}
	if q.Sort != "" && !slices.Contains(evidence.DeviceSorts(), q.Sort) {
		return q, badRequest{fmt.Errorf("sort: %q is none of %v", q.Sort, evidence.DeviceSorts())}
	}
	if q.Concern != "" && q.Concern != evidence.Review && q.Concern != evidence.Prohibited {
		return q, badRequest{fmt.Errorf("concern: %q is neither %s nor %s", q.Concern, evidence.Review, evidence.Prohibited)}
	}
	var err error
	if q.Limit, err = number(v, "limit", 50, 1, 1000); err != nil {
		return q, err
	}
	q.Offset, err = number(v, "offset", 0, 0, 10_000_000)
	return q, err
}

// number reads a whole number within bounds.
func number(v url.Values, key string, otherwise, least, most int) (int, error) {
	text := v.Get(key)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, badRequest{fmt.Errorf("%s: %q is not a number from %d to %d", key, text, least, most)}
	}
	return n, nil
}

// Device is everything kept on one device.
type Device struct {
	evidence.File
	ID           string
	Destinations []evidence.Server // of all episodes, most bytes first
	Most         uint64
	Retention    evidence.Retention
}

func (p *pages) device(r *http.Request) (string, any, error) {
	f, err := p.c.Store.File(r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	if !f.Known && len(f.Episodes)+len(f.Verdicts)+len(f.Rulings) == 0 {
		return "", nil, errNotFound
	}
	d := Device{File: f, ID: r.PathValue("id"), Retention: p.c.Store.Retention()}
	d.Destinations = destinations(f.Episodes)
	for _, s := range d.Destinations {
		d.Most = max(d.Most, s.Sent)
	}
	slices.Reverse(d.Episodes)
	return "Device " + d.ID, d, nil
}

// destinations joins the servers of episodes. The same bytes under two
// policies count once: the larger number stands.
func destinations(list []evidence.Episode) []evidence.Server {
	type key struct {
		addr, name string
		first      int64
	}
	at := map[key]int{}
	out := []evidence.Server{}
	for _, e := range list {
		for _, s := range e.Servers {
			k := key{s.Addr.String(), s.Name, s.First.UnixNano()}
			if i, there := at[k]; there {
				if s.Sent > out[i].Sent {
					out[i] = s
				}
				continue
			}
			at[k] = len(out)
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b evidence.Server) int { return cmp.Compare(b.Sent, a.Sent) })
	return out
}
