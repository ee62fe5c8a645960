package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestRunbooks: every page of the repository is served and printed, in plain
// text, and nothing else is.
func TestRunbooks(t *testing.T) {
	pages, err := os.ReadDir("docs/runbooks")
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	h := (&endpoint{}).handler()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	for _, p := range pages {
		name := strings.TrimSuffix(p.Name(), ".md")
		want, _ := os.ReadFile("docs/runbooks/" + p.Name())
		for _, path := range []string{"/runbooks/" + name, "/runbooks/" + p.Name()} {
			if w := get(path); w.Body.String() != string(want) || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: %d %s", path, w.Code, w.Header())
			}
		}
		if got, err := runbook(name); err != nil || string(got) != string(want) {
			t.Errorf("picket runbook %s: %v", name, err)
		}
	}
	for _, path := range []string{"/runbooks/None", "/runbooks/..%2foperations", "/runbooks/a/b"} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get("/runbooks/"); !strings.Contains(w.Body.String(), "PicketSensorDown") {
		t.Errorf("no list: %s", w.Body)
	}
}
