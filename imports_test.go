package main

import (
	"os/exec"
	"strings"
	"testing"
)

// allowed says which rooms of ours a room may import. What is not named here
// may import nothing of ours.
var allowed = map[string][]string{
	"picket/sensor/packet":      {},
	"picket/sensor/wire":        {},
	"picket/sensor/capture":     {},
	"picket/sensor/packets":     {"picket/sensor/packet", "picket/sensor/wire"},
	"picket/geo":                {"picket/geo/", "picket/compact", "picket/spellcheck"},
	"picket/geo/rangedb":        {},
	"picket/compact":            {},
	"picket/sensor/flow":        {"picket/sensor/packet"},
	"picket/sensor/handset":     {"picket/compact", "picket/spellcheck"},
	"picket/sensor/observation": {"picket/sensor/packet"},
	"picket/sensor/device":      {"picket/sensor/"},
	"picket/sensor":             {"picket/sensor/"},
	"picket/alerts":             {"picket/geo", "picket/evidence", "picket/sensor", "picket/spellcheck"},
	"picket/evidence":           {"picket/sensor"},
	"picket/web":                {"picket/alerts", "picket/evidence", "picket/sensor"},
	"picket/fleet":              {"picket/alerts", "picket/evidence", "picket/sensor"},
	// configs names the types that it fills, the fleet's among them.
	"picket/configs": {"picket/alerts", "picket/fleet", "picket/geo", "picket/sensor", "picket/spellcheck"},
}

func TestImportsRunOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		words := strings.Fields(line)
		room := words[0]
		for _, imported := range words[1:] {
			if imported == "github.com/google/gopacket" || strings.HasPrefix(imported, "github.com/google/gopacket/") {
				if room != "picket/sensor/capture" {
					t.Errorf("%s imports gopacket: its decoders panic on bad input", room)
				}
			}
			if !strings.HasPrefix(imported, "picket/") || room == "picket" || tool(room) {
				continue
			}
			if !permitted(allowed[room], imported) {
				t.Errorf("%s imports %s", room, imported)
			}
		}
	}
}

// tool: programs that build, record or measure are no part of the sensor.
func tool(room string) bool {
	if strings.HasSuffix(room, "/build") || strings.HasSuffix(room, "/gen") {
		return true
	}
	for _, p := range []string{"picket/lab", "picket/bench", "picket/e2e", "picket/systemd"} {
		if room == p || strings.HasPrefix(room, p+"/") {
			return true
		}
	}
	return false
}

func permitted(list []string, imported string) bool {
	for _, p := range list {
		if imported == p || strings.HasPrefix(imported, p+"/") || strings.HasSuffix(p, "/") && strings.HasPrefix(imported, p) {
			return true
		}
	}
	return false
}
