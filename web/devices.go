package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
	Filtered bool // something was asked for
}

// sortChoice is an order that a person may ask for without the heads of
// columns, which a narrow screen has no room for.
type sortChoice struct {
	Sort  string
	Up    bool
	Title string
}

var sortChoices = []sortChoice{
	{"last", false, "last seen first"}, {"first", true, "first seen first"}, {"confidence", false, "surest first"},
	{"maker", true, "by maker"}, {"model", true, "by model"},
}

// Value is how the form sends it.
func (c sortChoice) Value() string {
	if c.Up {
		return c.Sort + ".up"
	}
	return c.Sort
}

// Is reports whether a query is sorted so.
func (c sortChoice) Is(q evidence.DeviceQuery) bool {
	return cmp.Or(q.Sort, "last") == c.Sort && q.Up == c.Up
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
	d := Devices{Query: q, Filtered: q.Text != "" || q.Maker != "" || q.Class != "" || q.Concern != ""}
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
	if order, up := strings.CutSuffix(v.Get("order"), ".up"); order != "" { // of the form: both in one choice
		q.Sort, q.Up = order, up
	}
	if err := oneOf("sort", q.Sort, evidence.DeviceSorts()...); err != nil {
		return q, err
	}
	if err := oneOf("concern", string(q.Concern), string(evidence.Review), string(evidence.Prohibited)); err != nil {
		return q, err
	}
	var err error
	if q.Limit, err = number(v, "limit", 50, 1, 1000); err != nil {
		return q, err
	}
	q.Offset, err = number(v, "offset", 0, 0, 10_000_000)
	return q, err
}

// oneOf complains of a word that is none of those known; empty is fine.
func oneOf(key, value string, known ...string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return badRequest{fmt.Errorf("%s: %q is none of %s", key, value, strings.Join(known, ", "))}
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
