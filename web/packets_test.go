package web

import "testing"

func TestPackets(t *testing.T) {
	h := busySite(t, 12)
	for _, path := range []string{"/episode/e-0000000000000001/packets.pcapng", "/api/v1/episodes/e-0000000000000001/packets.pcapng"} {
		w := get(h, path)
		if w.Code != 200 || w.Body.String() != "packets of e-0000000000000001" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="e-0000000000000001.pcapng"` {
			t.Errorf("%s: %s", path, got)
		}
	}
	for _, path := range []string{"/episode/e-0000000000000002/packets.pcapng", "/episode/..%2f..%2fetc/packets.pcapng"} {
		if w := get(h, path); w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

func TestFileName(t *testing.T) {
	if got := fileName("e-12\"\r\nX: y/../z"); got != "e-12yz" {
		t.Errorf("%q", got)
	}
}
