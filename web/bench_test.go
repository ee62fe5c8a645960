package web

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"picket/evidence"
)

// BenchmarkPages serves every page over 100,000 devices and a ledger of
// PICKET_BENCH_ROWS rows (default 200,000):
//
//	PICKET_BENCH_ROWS=10000000 go test -run - -bench Pages ./web
func BenchmarkPages(b *testing.B) {
	rows := 200_000
	if text := os.Getenv("PICKET_BENCH_ROWS"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	h := large(b, rows)
	for _, path := range []string{"/", "/?wall", "/episodes", "/episodes?days=365&offset=1900", "/episode/e-0000000000000001", "/review", "/review?offset=16000", "/fleet", "/devices", "/devices?offset=99950", "/devices?maker=vivo&sort=model",
		"/devices?q=5a:11:22:01:02:03", "/device/" + deviceID(0), "/residency", "/residency?from=2025-06-01&to=2026-05-31", "/health", "/api/v1/residency?daily=1", "/api/v1/episodes?limit=100", "/api/v1/devices?limit=1000"} {
		b.Run(path, func(b *testing.B) {
			size, before := 0, cpu()
			for b.Loop() {
				w := get(h, path)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
				size = w.Body.Len()
			}
			b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") // on a busy machine the figure that counts
			b.ReportMetric(float64(size)/1024, "KiB")
		})
	}
}

// benchEpisodes of the last three weeks, a quarter of them open.
const benchEpisodes = 2000

// cpu is the time that this process has had so far.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for this process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// large makes a store of 100,000 devices, and of a ledger of so many rows
// over a year with what pages read of it.
func large(b *testing.B, rows int) http.Handler {
	b.Helper()
	dir := b.TempDir()
	s, err := evidence.Open(evidence.Config{Dir: dir, Limits: evidence.Limits{Waiting: 1 << 18}, Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	fill(b, s, 100_000)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range benchEpisodes {
		if err := s.SaveEpisode(busyEpisode(r, 10+i)); err != nil {
			b.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, evidence.FileName))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	day := noon.Unix() / 86400
	for i := range 60 {
		if _, err := db.Exec("INSERT OR IGNORE INTO word (text) VALUES (?)", fmt.Sprintf("w%02d", i)); err != nil {
			b.Fatal(err)
		}
	}
	// Ledger rows: 365 days, each with as many owners and operators as it takes.
	_, err = db.Exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1 < ?1)
		INSERT OR IGNORE INTO ledger SELECT ?2 - 364 + i*365/?1, 1 + i%20, 1, 1 + (i/20)%60, 1 + i%3, 1 + (i/7)%40, 1 + (i/11)%40, 1, 1, 1 + i%60, i, 1000, 100, 500, 1, 0, x'00000001' FROM n`, rows, day)
	if err != nil {
		b.Fatal(err)
	}
	// What pages read: each day 20 makers, 40 countries, 4 bases.
	_, err = db.Exec(`WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM d WHERE i < 364), m(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM m WHERE i < 19),
		c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < 39), k(basis) AS (SELECT id FROM word WHERE text IN ('location','registration','operator','owner'))
		INSERT OR IGNORE INTO residency SELECT ?1 - d.i, 10 + m.i, (SELECT id FROM word WHERE text = 'handset'), k.basis, 20 + c.i, 1000*(1+c.i), 0, 1, x'00000001000000020000000300000004' FROM d, m, c, k
		WHERE 10 + m.i IN (SELECT id FROM word) AND 20 + c.i IN (SELECT id FROM word)`, day)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Digest(noon); err != nil { // as the running store does every night
		b.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, evidence.FileName)); err == nil {
		b.Logf("%d ledger rows, %d devices: %d MiB", rows, 100_000, info.Size()>>20)
	}
	h, err := New(Config{Store: s, Status: fakeStatus, Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	return h
}
