package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"picket/evidence"
)

// notedStore remembers what was noted on its chain.
type notedStore struct {
	packetStore
	notes []map[string]string
}

func (n *notedStore) Note(at time.Time, kind, device string, body any) {
	note := map[string]string{"at": at.UTC().Format(time.RFC3339), "kind": kind, "device": device}
	maps.Copy(note, body.(map[string]string))
	n.notes = append(n.notes, note)
}

// TestDownloadsAreNoted: whoever takes packets is on the chain, with the
// device they are of; who only looks how many there are is not.
func TestDownloadsAreNoted(t *testing.T) {
	s, err := evidence.Open(evidence.Config{Dir: t.TempDir(), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill(t, s, 6)
	noted := &notedStore{packetStore: packetStore{s}}
	h, err := New(Config{Store: noted, Now: func() time.Time { return noon }, Reader: func(*http.Request) string { return "officer" }})
	if err != nil {
		t.Fatal(err)
	}
	const path = "/episode/e-0000000000000001/packets.pcapng"
	for _, quiet := range []string{"/episode/e-0000000000000001", "/api/v1/episodes/e-0000000000000001", "/episode/e-0000000000000002/packets.pcapng", "/episode/e-0000000000000009/packets.pcapng"} {
		get(h, quiet)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, path, nil))
	if w.Code != 200 || len(noted.notes) != 0 {
		t.Errorf("%d, noted though nothing was taken: %v", w.Code, noted.notes)
	}
	get(h, path)
	get(h, "/api/v1/episodes/e-0000000000000001/packets.pcapng")
	want := map[string]string{"at": "2026-05-31T12:00:00Z", "kind": "access", "device": deviceID(0), "event": "packets downloaded", "episode": "e-0000000000000001", "by": "officer"}
	if !slices.EqualFunc(noted.notes, []map[string]string{want, want}, maps.Equal) {
		t.Errorf("%v\nwant twice %v", noted.notes, want)
	}
}

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
