package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"picket/evidence"
)

// Map is the operator's own map: an SVG whose shapes carry country codes
// (ISO 3166-1, two letters) as their id. Only shapes are taken over, so that
// nothing in the file can run or load anything.
type Map struct {
	root   []xml.Attr
	shapes []mapShape
}

// mapShape is one element between its start and its end.
type mapShape struct {
	start   xml.StartElement // no name: the end of a group
	country string           // upper case; empty for none
}

// Bounds of a map: a detailed world map has about 2 MiB.
const (
	maxMapBytes  = 4 << 20
	maxMapShapes = 20000
)

// mapElements are taken over, with mapAttrs of theirs.
var mapElements = []string{"g", "path", "polygon", "polyline", "rect", "circle", "ellipse"}
var mapAttrs = []string{"d", "points", "x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "transform"}

// ReadMap reads the operator's map.
func ReadMap(path string) (*Map, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMapBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxMapBytes {
		return nil, fmt.Errorf("%s: more than %d MiB", path, maxMapBytes>>20)
	}
	m, err := parseMap(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// parseMap takes the shapes out of an SVG.
func parseMap(b []byte) (*Map, error) {
	m := &Map{}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Entity = map[string]string{}
	depth := 0 // inside elements that are taken over
	skip := 0  // inside one that is not
	countries := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch name := t.Name.Local; {
			case skip > 0:
				skip++
			case m.root == nil && name == "svg":
				m.root = attrsOf(t, "viewBox", "width", "height")
			case slices.Contains(mapElements, name):
				s := shapeOf(t)
				if s.country != "" {
					countries++
				}
				if m.shapes = append(m.shapes, s); len(m.shapes) > maxMapShapes {
					return nil, fmt.Errorf("more than %d shapes", maxMapShapes)
				}
				depth++
			default: // script, style, image, foreignObject, text, use: never
				skip = 1
			}
		case xml.EndElement:
			switch {
			case skip > 0:
				skip--
			case depth > 0:
				depth--
				m.shapes = append(m.shapes, mapShape{})
			}
		}
	}
	if m.root == nil || countries == 0 {
		return nil, errors.New("no SVG with shapes whose id is a country code of two letters, as id=\"SG\"")
	}
	return m, nil
}

func attrsOf(t xml.StartElement, names ...string) []xml.Attr {
	out := []xml.Attr{}
	for _, a := range t.Attr {
		if a.Name.Space == "" && slices.Contains(names, a.Name.Local) {
			out = append(out, xml.Attr{Name: xml.Name{Local: a.Name.Local}, Value: a.Value})
		}
	}
	return out
}

func shapeOf(t xml.StartElement) mapShape {
	s := mapShape{start: xml.StartElement{Name: xml.Name{Local: t.Name.Local}, Attr: attrsOf(t, mapAttrs...)}}
	for _, a := range t.Attr {
		if a.Name.Local == "id" && len(a.Value) == 2 {
			s.country = strings.ToUpper(a.Value)
		}
	}
	return s
}

// mapFills are the colours of a country that nothing was sent to and of
// those that were sent to, least first. They read on light and dark ground.
var mapFills = [...]string{"#8c99a3", "#9fcadb", "#63a8c3", "#2c7fa1", "#0b5c7a", "#063b52"}

// draw writes the map with countries in the colours of heats.
func (m *Map) draw(w io.Writer, heats map[string]int) error {
	e := xml.NewEncoder(w)
	svg := xml.StartElement{Name: xml.Name{Local: "svg"}, Attr: append([]xml.Attr{
		{Name: xml.Name{Local: "xmlns"}, Value: "http://www.w3.org/2000/svg"},
		{Name: xml.Name{Local: "fill"}, Value: mapFills[0]}, {Name: xml.Name{Local: "stroke"}, Value: "none"}}, m.root...)}
	if err := e.EncodeToken(svg); err != nil {
		return err
	}
	var names []xml.Name
	for _, s := range m.shapes {
		if s.start.Name.Local == "" {
			if err := e.EncodeToken(xml.EndElement{Name: names[len(names)-1]}); err != nil {
				return err
			}
			names = names[:len(names)-1]
			continue
		}
		if h, ok := heats[s.country]; ok && s.country != "" {
			s.start.Attr = append(slices.Clone(s.start.Attr), xml.Attr{Name: xml.Name{Local: "fill"}, Value: mapFills[h]})
		}
		names = append(names, s.start.Name)
		if err := e.EncodeToken(s.start); err != nil {
			return err
		}
	}
	if err := e.EncodeToken(svg.End()); err != nil {
		return err
	}
	return e.Flush()
}

// drawMap serves the map with the bytes of the last days, by location.
func (p *pages) drawMap(w http.ResponseWriter, _ *http.Request) {
	if p.c.Map == nil {
		http.Error(w, "no map was supplied: web.map", http.StatusNotFound)
		return
	}
	now := p.c.Now()
	cells, err := p.c.Store.Residency(evidence.ResidencyQuery{
		Period: evidence.Period{From: now.AddDate(0, 0, 1-nowDays), To: now}, Basis: "location", Class: "handset",
	})
	if err != nil {
		p.c.Logger.Error("map not drawn", "err", err)
		http.Error(w, "the map could not be drawn; the log says why", http.StatusInternalServerError)
		return
	}
	tiles, _, _ := p.countries.tiles(cells)
	heats := map[string]int{}
	for _, t := range tiles {
		heats[t.Code] = t.Heat
	}
	var b bytes.Buffer
	if err := p.c.Map.draw(&b, heats); err != nil {
		p.c.Logger.Error("map not drawn", "err", err)
		http.Error(w, "the map could not be drawn; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = b.WriteTo(w) // the reader went away
}
