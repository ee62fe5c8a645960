package main

// schemaVersion is of Grafana 10: newer ones migrate it, and need nothing of
// what later versions brought.
const schemaVersion = 38

// board is one dashboard before it is laid out.
type board struct {
	uid, title string
	variables  []string // beside datasource: sensor, maker, policy
	panels     []panel
}

// panel is one panel. Those of a row of 24 columns follow each other.
type panel struct {
	title, about string
	kind         string // stat timeseries table bargauge
	unit         string // short bytes Bps percentunit s dateTimeAsIso
	width        int    // of 24
	height       int    // 0 means 8
	queries      []query
	thresholds   []threshold // from where a value is orange, red
	link         bool        // to the evidence page of the device in the row
}

type query struct {
	expr, legend string
}

type threshold struct {
	from  float64
	color string
}

type object = map[string]any

// lay gives the dashboard as Grafana stores it.
func (b board) lay() object {
	var panels []object
	x, y, row := 0, 0, 0
	for i, p := range b.panels {
		h := max(p.height, 4)
		if p.height == 0 {
			h = 8
		}
		if x+p.width > 24 {
			x, y, row = 0, y+row, 0
		}
		panels = append(panels, p.lay(i+1, x, y, h))
		x, row = x+p.width, max(row, h)
	}
	return object{
		"uid": b.uid, "title": b.title, "tags": []string{"picket"}, "schemaVersion": schemaVersion, "version": 1,
		"editable": false, "graphTooltip": 1, "refresh": "1m", "timezone": "browser",
		"time":        object{"from": "now-24h", "to": "now"},
		"annotations": object{"list": []object{}},
		"links":       []object{{"title": "picket", "type": "dashboards", "tags": []string{"picket"}, "asDropdown": false, "includeVars": true, "keepTime": true}},
		"templating":  object{"list": b.templating()},
		"panels":      panels,
	}
}

var datasource = object{"type": "prometheus", "uid": "${datasource}"}

// variables of every dashboard, by the metric and label their values are of.
var sources = map[string][2]string{
	"sensor": {"picket_flows", "instance"},
	"maker":  {"picket_devices", "maker"},
	"policy": {"picket_episodes_total", "policy"},
}

func (b board) templating() []object {
	list := []object{{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": object{}, "hide": 0, "refresh": 1}}
	for _, v := range b.variables {
		q := "label_values(" + sources[v][0] + ", " + sources[v][1] + ")"
		list = append(list, object{
			"name": v, "label": v, "type": "query", "datasource": datasource, "definition": q,
			"query":   object{"query": q, "refId": v},
			"refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*",
			"current": object{"selected": true, "text": "All", "value": "$__all"},
		})
	}
	return list
}

func (p panel) lay(id, x, y, h int) object {
	var targets []object
	for i, q := range p.queries {
		t := object{"refId": string(rune('A' + i)), "datasource": datasource, "expr": q.expr, "legendFormat": q.legend}
		if p.kind != "timeseries" {
			t["instant"] = true
			t["range"] = false
		}
		if p.kind == "table" {
			t["format"] = "table"
		}
		targets = append(targets, t)
	}
	out := object{
		"id": id, "type": p.kind, "title": p.title, "description": p.about, "datasource": datasource,
		"gridPos": object{"x": x, "y": y, "w": p.width, "h": h}, "targets": targets,
		"fieldConfig": object{"defaults": p.defaults(), "overrides": []object{}},
		"options":     p.options(),
	}
	if p.kind == "table" {
		out["transformations"] = p.transformations()
	}
	return out
}

func (p panel) defaults() object {
	d := object{"unit": p.unit}
	steps := []object{{"color": "green", "value": nil}}
	for _, t := range p.thresholds {
		steps = append(steps, object{"color": t.color, "value": t.from})
	}
	d["thresholds"] = object{"mode": "absolute", "steps": steps}
	if p.link {
		d["links"] = []object{{
			"title": "Evidence about ${__data.fields.device}", "url": "http://${__data.fields.instance}/device/${__data.fields.device}", "targetBlank": true,
		}}
	}
	return d
}

func (p panel) options() object {
	switch p.kind {
	case "stat":
		return object{"reduceOptions": object{"calcs": []string{"lastNotNull"}, "values": false}, "colorMode": "background", "graphMode": "none", "textMode": "auto"}
	case "bargauge":
		return object{"reduceOptions": object{"calcs": []string{"lastNotNull"}, "values": false}, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": true}
	case "table":
		return object{"showHeader": true, "cellHeight": "sm"}
	}
	return object{"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": object{"mode": "multi", "sort": "desc"}}
}

// transformations join the queries of a table and hide what nobody reads.
func (p panel) transformations() []object {
	return []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": object{"Time": true, "__name__": true, "job": true}, "indexByName": object{}, "renameByName": object{}}},
	}
}
