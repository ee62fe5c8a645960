package main

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"picket/evidence"
	"picket/web"
)

// TestPacketsOfTheWhole: the packets that this sensor kept are found by the
// id of any part.
func TestPacketsOfTheWhole(t *testing.T) {
	store, err := evidence.Open(evidence.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	at := time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)
	theirs := evidence.Episode{ID: "e-0000000000000001", Sensor: "east", Device: "d-000000000001", Policy: "p", Opened: at}
	ours := evidence.Episode{ID: "e-0000000000000002", Device: "d-000000000001", Policy: "p", Opened: at.Add(time.Minute)}
	alone := evidence.Episode{ID: "e-0000000000000003", Device: "d-000000000002", Policy: "p", Opened: at}
	for _, e := range []evidence.Episode{theirs, ours, alone} {
		if err := store.SaveEpisode(e); err != nil {
			t.Fatal(err)
		}
	}
	store.AddPackets(evidence.Packets{Episode: ours.ID, Device: ours.Device, At: at, Frames: 1, Body: []byte("0123456789abcdef")})
	whole := wholeStore{store, "north"}
	for _, id := range []string{theirs.ID, ours.ID} {
		f, size, err := whole.Packets(id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		b, _ := io.ReadAll(f)
		if int64(len(b)) != size || !strings.Contains(string(b), "kept by picket") {
			t.Errorf("%s: %d bytes, said %d", id, len(b), size)
		}
	}
	for _, id := range []string{alone.ID, "e-0000000000000009"} {
		if _, _, err := whole.Packets(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestDownloadOfTheWhole: of whichever part packets are taken, the chain of
// this sensor notes it, with the device.
func TestDownloadOfTheWhole(t *testing.T) {
	store, err := evidence.Open(evidence.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	at := time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC)
	theirs := evidence.Episode{ID: "e-0000000000000001", Sensor: "east", Device: "d-000000000001", Policy: "p", Opened: at}
	ours := evidence.Episode{ID: "e-0000000000000002", Device: "d-000000000001", Policy: "p", Opened: at.Add(time.Minute)}
	for _, e := range []evidence.Episode{theirs, ours} {
		if err := store.SaveEpisode(e); err != nil {
			t.Fatal(err)
		}
	}
	store.AddPackets(evidence.Packets{Episode: ours.ID, Device: ours.Device, At: at, Frames: 1, Body: []byte("0123456789abcdef")})
	pages, err := web.New(web.Config{Store: wholeStore{store, "north"}})
	if err != nil {
		t.Fatal(err)
	}
	before := chainLength(t, store)
	for _, path := range []string{"/episode/" + theirs.ID, "/episode/" + theirs.ID + "/packets.pcapng", "/api/v1/episodes/" + ours.ID + "/packets.pcapng", "/episode/e-0000000000000009/packets.pcapng"} {
		pages.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	if n := chainLength(t, store) - before; n != 2 {
		t.Errorf("%d entries more, want 2", n)
	}
	f, err := store.Forget(ours.Device)
	if err != nil || f.Tombstones != before+2 {
		t.Errorf("%d tombstones of %d entries, %v: the notes are not the device's", f.Tombstones, before+2, err)
	}
}

func chainLength(t *testing.T, s *evidence.Store) int64 {
	t.Helper()
	r, err := s.Verify()
	if err != nil || len(r.Faults) > 0 {
		t.Fatal(r.Faults, err)
	}
	return r.Entries
}
