package web

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMap: of the operator's file shapes alone reach the browser, coloured by
// what was sent.
func TestMap(t *testing.T) {
	w := get(busySite(t, 40), "/map.svg")
	body := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" {
		t.Fatalf("%d %s", w.Code, body)
	}
	for _, bad := range []string{"script", "alert", "onload", "onclick", "evil.example", "style", "image", "href"} {
		if strings.Contains(body, bad) {
			t.Errorf("the map has %q: %s", bad, body)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`viewBox="0 0 120 60"`, `translate(0 0)`, `<rect x="2" y="10" width="30" height="30" fill="` + mapFills[5] + `">`, `fill="` + mapFills[0] + `"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the map has no %s: %s", want, body)
		}
	}
	if w := get(site(t, 6), "/map.svg"); w.Code != 404 {
		t.Errorf("no map: %d, want 404", w.Code)
	}
}

func TestMapMistakes(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no SVG": "<html><path id='SG'/></html>", "no country": `<svg><path id="Singapore" d="M0 0"/></svg>`, "cut": `<svg><path id="SG"`,
		"entities": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg><path id="SG" d="&b;"/></svg>`,
		"shapes":   "<svg>" + strings.Repeat(`<path id="SG"/>`, maxMapShapes+1) + "</svg>",
		"size":     "<svg><path id='SG'/>" + strings.Repeat(" ", maxMapBytes) + "</svg>",
	} {
		path := filepath.Join(t.TempDir(), "map.svg")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadMap(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(busyMap))
	f.Add([]byte(`<svg viewBox="0 0 1 1"><g><path id="SG" d="M0 0"/></g></svg>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMap(b)
		if err != nil {
			return
		}
		var out strings.Builder
		if err := m.draw(&out, map[string]int{"SG": 5}); err != nil {
			return
		}
		if s := strings.ToLower(out.String()); strings.Contains(s, "<script") || strings.Contains(s, "href=") || strings.Contains(s, " on") && strings.Contains(s, " onload=") {
			t.Errorf("%s", s)
		}
	})
}
