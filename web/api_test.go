package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	OneOf      []schema          `json:"oneOf"`
}

type openAPIFile struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

func readOpenAPI(t *testing.T) openAPIFile {
	t.Helper()
	b, err := files.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc openAPIFile
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestOpenAPIRoutes: what is served is documented and the other way round.
func TestOpenAPIRoutes(t *testing.T) {
	doc := readOpenAPI(t)
	var served []string
	for _, r := range (&pages{}).routes() {
		if strings.HasPrefix(r.pattern, "/api/") {
			served = append(served, r.pattern)
		}
	}
	var written []string
	for path := range doc.Paths {
		written = append(written, path)
	}
	slices.Sort(served)
	slices.Sort(written)
	if !slices.Equal(served, written) {
		t.Errorf("served %v\nwritten %v", served, written)
	}
}

// TestOpenAPIAnswers: every answer has what its schema says, and no more.
func TestOpenAPIAnswers(t *testing.T) {
	h, doc := busySite(t, 40), readOpenAPI(t)
	for path, at := range map[string]string{
		"/api/v1/status": "", "/api/v1/episodes": "", "/api/v1/episodes/{id}": "/api/v1/episodes/e-0000000000000003", "/api/v1/devices": "?limit=5&sort=maker",
		"/api/v1/devices/{id}": "/api/v1/devices/" + deviceID(0), "/api/v1/residency": "?daily=1&basis=owner", "/api/v1/crowd": "", "/api/v1/rulings": "",
		"/api/v1/watched": "?from=2026-05-01", "/api/v1/fleet": "",
	} {
		if !strings.HasPrefix(at, "/") {
			at = path + at
		}
		w := get(h, at)
		var answer any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %v", at, w.Code, err)
			continue
		}
		if why := doc.fits(doc.Paths[path]["get"].Responses["200"].Content["application/json"].Schema, answer, "$"); why != "" {
			t.Errorf("%s: %s", at, why)
		}
	}
	var answer any
	_ = json.Unmarshal(get(h, "/api/v1/episodes/e-no").Body.Bytes(), &answer)
	if why := doc.fits(doc.Components.Schemas["Error"], answer, "$"); why != "" {
		t.Errorf("error: %s", why)
	}
}

// fits says why v is not of schema s; empty when it is.
func (d *openAPIFile) fits(s schema, v any, at string) string {
	if s.Ref != "" {
		return d.fits(d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")], v, at)
	}
	if len(s.OneOf) > 0 {
		why := ""
		for _, o := range s.OneOf {
			if why = d.fits(o, v, at); why == "" {
				return ""
			}
		}
		return why
	}
	types := fmt.Sprint(s.Type)
	switch v := v.(type) {
	case map[string]any:
		return d.fitsObject(s, v, at)
	case []any:
		if types != "array" {
			return at + ": a list"
		}
		for i, x := range v {
			if why := d.fits(*s.Items, x, fmt.Sprintf("%s[%d]", at, i)); why != "" {
				return why
			}
		}
	case string:
		if !strings.Contains(types, "string") {
			return at + ": a string"
		}
	case float64:
		if types != "number" && (types != "integer" || v != float64(int64(v))) {
			return at + ": a number"
		}
	case bool:
		if types != "boolean" {
			return at + ": a boolean"
		}
	case nil:
		if !strings.Contains(types, "null") {
			return at + ": null"
		}
	}
	return ""
}

func (d *openAPIFile) fitsObject(s schema, v map[string]any, at string) string {
	if fmt.Sprint(s.Type) != "object" {
		return at + ": an object"
	}
	for _, k := range s.Required {
		if _, there := v[k]; !there {
			return at + "." + k + ": missing"
		}
	}
	for k, x := range v {
		p, there := s.Properties[k]
		if !there {
			return at + "." + k + ": not documented"
		}
		if why := d.fits(p, x, at+"."+k); why != "" {
			return why
		}
	}
	return ""
}
