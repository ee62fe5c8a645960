package configs

import (
	"strings"
	"testing"
	"time"

	"picket/sensor/packets"
)

func TestEvidenceMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"evidence: {packets: all}", "picket.yml:1"},
		{"evidence:\n  packets: all", `picket.yml:2: packets: "all": want off, handshakes or payload`},
		{"evidence:\n  retention:\n    devices: 30 days", `picket.yml:3: devices: "30 days": want whole days, weeks or years, as 30d, 8w or 3y`},
		{"evidence:\n  retention:\n    devices: 0d", "want whole days"},
		{"evidence:\n  retention:\n    ledger: 99y", "want at most 20y"},
		{"evidence:\n  retention:\n    episodes: 7d", "retention.packets: 30d: longer than the episodes"},
		{"evidence:\n  packet_payload: 1MiB", "picket.yml:2: evidence.packet_payload: 1 MiB: want 1 to 64KiB"},
		{"evidence:\n  packet_memory: 1KiB", "packet_memory"},
		{"evidence:\n  packet_stoer: 1MiB", `did you mean "packet_store"`},
	} {
		_, err := Parse("picket.yml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestEvidenceKeys(t *testing.T) {
	c, err := Parse("picket.yml", []byte("evidence:\n  packets: payload\n  pseudonym_rotation: 1w\n  retention: {rulings: 2y}\n"))
	if err != nil {
		t.Fatal(err)
	}
	e := c.Evidence
	if e.Packets != packets.Payload || time.Duration(e.Pseudonyms) != 7*24*time.Hour || e.Retention.Rulings.String() != "730d" || e.Retention.Devices.String() != "30d" {
		t.Errorf("%+v", e)
	}
}
