package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"picket/alerts"
	"picket/evidence"
)

// errNotFound is said as 404; badRequest as 400; anything else as 500.
var errNotFound = errors.New("there is nothing of this id: it was never kept, its time was up, or it was forgotten")

type badRequest struct{ error }

// view is what every template is given.
type view struct {
	Root    string // "./" or "../": pages work below any prefix
	Page    string
	Title   string
	Site    string
	Now     time.Time
	Refresh bool
	Charts  bool // the page has some
	Data    any
}

// charted are the pages with charts.
var charted = []string{"now", "episode", "device", "residency"}

// page makes a handler of a function that gathers what a template shows.
// depth is how many directories below the root the address is.
func (p *pages) page(name string, depth int, gather func(*http.Request) (title string, data any, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		title, data, err := gather(r)
		status := statusOf(err)
		if err != nil {
			if status == http.StatusInternalServerError {
				p.c.Logger.Error("page not shown", "page", name, "err", err)
				err = errors.New("the evidence could not be read; the log says why")
			}
			p.write(w, status, "error", depth, http.StatusText(status), err.Error(), r)
			return
		}
		p.write(w, http.StatusOK, name, depth, title, data, r)
	}
}

// nothing answers for every address that leads nowhere.
func (p *pages) nothing(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		p.json(func(*http.Request) (any, error) { return nil, errNotFound })(w, r)
		return
	}
	p.write(w, http.StatusNotFound, "error", strings.Count(r.URL.Path, "/")-1, http.StatusText(http.StatusNotFound), "there is no such page", r)
}

func (p *pages) write(w http.ResponseWriter, status int, name string, depth int, title string, data any, r *http.Request) {
	v := view{
		Root: "./" + strings.Repeat("../", depth), Page: name, Title: title, Site: p.c.Site, Now: p.c.Now().UTC(),
		Refresh: r.URL.Query().Has("wall"), Charts: slices.Contains(charted, name), Data: data,
	}
	var b bytes.Buffer // whole or not at all
	if err := p.templates[name].ExecuteTemplate(&b, "layout", v); err != nil {
		p.c.Logger.Error("page not drawn", "page", name, "err", err)
		http.Error(w, "the page could not be drawn; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the reader went away
}

func statusOf(err error) int {
	var bad badRequest
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, errNotFound):
		return http.StatusNotFound
	case errors.As(err, &bad):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// parse reads the templates; each page has its own "content".
func (p *pages) parse() (map[string]*template.Template, error) {
	out := map[string]*template.Template{}
	for _, name := range [...]string{"now", "episodes", "episode", "review", "devices", "device", "residency", "health", "fleet", "error"} {
		t, err := template.New(name).Funcs(p.funcs()).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		out[name] = t
	}
	return out, nil
}

func (p *pages) funcs() template.FuncMap {
	return template.FuncMap{
		"bytes":    func(n uint64) string { return alerts.Size(n).String() },
		"count":    grouped,
		"percent":  percent,
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"utc":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"minute":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
		"day":      func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"ago":      func(t time.Time) string { return agoWords(p.c.Now().Sub(t)) },
		"span":     func(d time.Duration) string { return spanWords(d) },
		"or":       orWord,
		"upper":    func(s string) string { return title(s) },
		"join":     strings.Join,
		"country":  p.countries.name,
		"hit":      hit,
		"sure":     sure,
		"plural":   plural,
		"plural64": func(n uint64, one, many string) string { return plural(int(min(n, math.MaxInt)), one, many) },
		"or2":      func(a, b bool) bool { return a || b },
		"sorts":    func() []sortChoice { return sortChoices },
		"words":    func(list ...string) []string { return list },
		"seconds":  seconds,
		"hours":    hours,
		"did":      p.headline,
		"size":     func(n int64) string { return alerts.Size(max(0, n)).String() },
		"below":    func(data any, root string) part { return part{data, root} },
	}
}

// part hands the way to the root on to a part of a page.
type part struct {
	Data any
	Root string
}

func orWord(otherwise, s string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// hit reports whether a basis is among those that meet the policy.
func hit(basis string, s evidence.Server) bool {
	for _, h := range s.Hits {
		if h == basis || h == "location-suspected" && basis == "location" {
			return true
		}
	}
	return false
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// grouped writes a whole number with thin spaces between thousands.
func grouped(n any) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// seconds writes how far a clock is off.
func seconds(v float64) string {
	if math.Abs(v) < 0.01 {
		return "< 0.01 s"
	}
	return strconv.FormatFloat(v, 'f', 2, 64) + " s"
}

func hours(seconds uint64) string {
	if seconds < 3600 {
		return strconv.FormatUint(seconds/60, 10) + " min"
	}
	return strconv.FormatFloat(float64(seconds)/3600, 'f', 1, 64) + " h"
}

// headline says in a few words what a device did. The basis is always in it:
// by the owner of a name alone nobody sent anything anywhere.
func (p *pages) headline(e evidence.Episode) string {
	who := strings.TrimSpace(title(orWord("unknown", e.Maker)) + " " + orWord("device", e.Class) + " " + e.Model)
	where := p.where(&e)
	switch e.Condition {
	case evidence.Seen:
		return who + " is present"
	case evidence.Tried:
		return who + " tried to reach " + where
	case evidence.Connected:
		return who + " connected to " + where
	case evidence.Identifier:
		return who + " sent " + and(e.Identifiers) + " in clear to " + where
	case evidence.Hidden:
		return who + " hid " + alerts.Size(e.Hidden).String()
	}
	return who + " sent " + alerts.Size(e.Sent).String() + " to " + where
}

// where names each country with the bases that lead there.
func (p *pages) where(e *evidence.Episode) string {
	by := map[string][]string{}
	for _, s := range e.Servers {
		for _, basis := range s.Hits {
			if c := s.By(basis); c != "" && !slices.Contains(by[c], basis) {
				by[c] = append(by[c], basis)
			}
		}
	}
	var names, parts []string
	for _, c := range e.Countries {
		names, parts = append(names, p.countries.name(c)), append(parts, p.countries.name(c)+" by "+and(by[c]))
		if len(by[c]) == 0 { // what fired is not kept by server
			by = nil
		}
	}
	switch {
	case by != nil && len(parts) > 0:
		return strings.Join(parts, "; and to ")
	case len(e.Basis) > 0:
		return and(names) + " by " + and(e.Basis)
	}
	return and(names)
}

// and writes a list as people say it.
func and(list []string) string {
	switch n := len(list); n {
	case 0:
		return "an unknown place"
	case 1:
		return list[0]
	default:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
}

// sure writes a posterior. It is never rounded up to certainty.
func sure(posterior float64) string {
	if posterior >= 0.9999 {
		return "> 99.99 %"
	}
	return strconv.FormatFloat(math.Floor(posterior*10000)/100, 'f', 2, 64) + " %"
}

func percent(share float64) string {
	v := share * 100
	switch {
	case math.IsNaN(v) || v < 0:
		return "unknown"
	case v == 0:
		return "0 %"
	case v < 0.1:
		return "< 0.1 %"
	case v < 10:
		return strconv.FormatFloat(v, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + " %"
}

func agoWords(d time.Duration) string {
	if d < 0 {
		return "just now"
	}
	return spanWords(d) + " ago"
}

// spanWords says a duration in its largest unit.
func spanWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int(d/time.Second), "second", "seconds")
	case d < 2*time.Hour:
		return plural(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return plural(int(d/time.Hour), "hour", "hours")
	}
	return plural(int(d/(24*time.Hour)), "day", "days")
}
