package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// queriesAsked are what people, and those who are curious, put behind an
// address.
var queriesAsked = []string{
	"", "wall", "state=open&severity=page&policy=p&maker=xiaomi&days=30&offset=1", "state=half&days=0", "days=3660&offset=10000000", "days=3661", "days=-1", "days=%2B7", "offset=99999999999999999999",
	"q=redmi&maker=vivo&class=handset&concern=review&sort=model&up=1&limit=1000&offset=3", "order=maker.up&concern=prohibited", "order=.up", "order=id;drop table device", "sort=last,(select 1)", "q=%25_%5C%27%22%00", "limit=1&offset=-1", "limit=0x10", "limit=1073741824",
	"from=2026-05-01&to=2026-05-31&basis=operator&daily=1", "from=2026-05-31&to=2026-05-01", "from=0001-01-01&to=9999-12-31", "from=2026-02-30", "from=2024-02-29&to=2026-05-31&basis=owner", "to=-0001-01-01", "basis=location&basis=none", "basis=%ff", "maker=%3Cx-picket%3E&class=%3Cx-picket%3E", "q=%3Cx-picket%3E", "from=%3Cx-picket%3E", "%", "a=%zz", "&&==;", "=&=",
}

// idsAsked stand where an address names an episode or a device.
var idsAsked = []string{"e-0000000000000001", "d-4fc1a2b30000", "e-0000000000000009", "..", "../../etc/passwd", "<x-picket>", "\x00", "%", strings.Repeat("e", 4096), "é\xff"}

// TestQueries asks everything of every address.
func TestQueries(t *testing.T) {
	h := busySite(t, 12)
	for i, query := range queriesAsked {
		for n := range (&pages{}).routes() {
			ask(t, h, uint8(n), idsAsked[(i+n)%len(idsAsked)], query)
		}
	}
}

// FuzzQuery asks whatever of whichever address.
func FuzzQuery(f *testing.F) {
	h := busySite(f, 12)
	for i, query := range queriesAsked {
		f.Add(uint8(i), idsAsked[i%len(idsAsked)], query)
	}
	f.Fuzz(func(t *testing.T, n uint8, id, query string) { ask(t, h, n, id, query) })
}

// ask asserts that the answer is a page, a complaint or nothing of the kind:
// never a fault, never JSON that is none, and never what was asked as markup.
func ask(t *testing.T, h http.Handler, n uint8, id, query string) {
	t.Helper()
	routes := (&pages{}).routes()
	path := strings.ReplaceAll(strings.TrimSuffix(routes[int(n)%len(routes)].pattern, "{$}"), "{id}", id)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL = &url.URL{Path: path, RawQuery: query}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	switch w.Code {
	case http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusMovedPermanently, http.StatusTemporaryRedirect:
	default:
		t.Errorf("%q?%q: %d %s", path, query, w.Code, w.Body)
	}
	if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
		t.Errorf("%q?%q: %s", path, query, w.Body)
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && strings.Contains(w.Body.String(), "<x-picket") {
		t.Errorf("%q?%q comes back as markup: %s", path, query, w.Body)
	}
}

// FuzzParameters: what the parsers let through is within the bounds that the
// store counts on, and leads back to itself as a link.
func FuzzParameters(f *testing.F) {
	for _, query := range queriesAsked {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, _ := url.ParseQuery(query) // as net/http: what can be read counts
		if q, err := residencyQuery(v, noon); err == nil {
			if n := q.Period.Days(); n < 1 || n > maxDays {
				t.Errorf("%q: %d days", query, n)
			}
		}
		if q, err := episodeQuery(v); err == nil {
			again, err := episodeQuery(parameters(t, q.link(q.Offset)))
			if err != nil || again != q || q.Days < 1 || q.Days > 3660 || q.Offset < 0 {
				t.Errorf("%q: %+v leads to %+v, %v", query, q, again, err)
			}
		}
		q, err := deviceQuery(v)
		if err != nil {
			return
		}
		if q.Limit < 1 || q.Limit > 1000 || q.Offset < 0 || q.Offset > 10_000_000 {
			t.Errorf("%q: limit %d, offset %d", query, q.Limit, q.Offset)
		}
		again, err := deviceQuery(parameters(t, linkTo(q, func(url.Values) {})))
		q.Limit, q.Offset = again.Limit, again.Offset // a link to another order begins anew
		if err != nil || again != q {
			t.Errorf("%q: %+v leads to %+v, %v", query, q, again, err)
		}
		for _, c := range [...]string{"maker", "model", "confidence", "first", "last"} {
			if _, err := deviceQuery(parameters(t, Column{Name: c}.of(q).Link)); err != nil {
				t.Errorf("%q: column %s: %v", query, c, err)
			}
		}
	})
}

// parameters are those of a link.
func parameters(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}
