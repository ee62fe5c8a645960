package evidence

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// benchRows is how many ledger rows the benchmarks of queries work on.
func benchRows(b *testing.B) int {
	b.Helper()
	text := os.Getenv("PICKET_BENCH_ROWS")
	if text == "" {
		return 200_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// scaled makes a store of 100,000 devices, a year of ledger, and what pages
// read of it: each day 20 makers in 40 countries by four bases.
func scaled(b *testing.B, rows int) *Store {
	b.Helper()
	dir := b.TempDir()
	s, err := Open(Config{Dir: dir, Limits: Limits{Waiting: 1 << 18}, Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	start := time.Now()
	for i := range 100_000 {
		s.SaveDevice(benchDevice(i))
	}
	if err := s.Flush(); err != nil {
		b.Fatal(err)
	}
	b.Logf("first write of 100,000 devices: %s", time.Since(start).Round(time.Millisecond))
	start = time.Now()
	day := dayOf(noon)
	exec := func(query string, args ...any) {
		b.Helper()
		if _, err := s.db.Exec(query, args...); err != nil {
			b.Fatal(err)
		}
	}
	for _, w := range []string{"location", "registration", "operator", "owner", "handset"} {
		exec("INSERT OR IGNORE INTO word (text) VALUES (?)", w)
	}
	for i := range 100 {
		exec("INSERT OR IGNORE INTO word (id, text) VALUES (?, ?)", 100+i, fmt.Sprintf("w%02d", i))
	}
	exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1 < ?1)
		INSERT OR IGNORE INTO ledger SELECT ?2 - 364 + i*365/?1, 100 + i%20, 5, 100 + (i/20)%60, 100 + i%3, 120 + (i/7)%40, 120 + (i/11)%40, 121, 122, 100 + i%60, 100 + i%100, 1000, 100, 500, 1, 0, x'00000001' FROM n`, rows, day)
	exec(`WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM d WHERE i < 364), m(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM m WHERE i < 19),
		c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < 39), k(basis) AS (SELECT id FROM word WHERE text IN ('location','registration','operator','owner'))
		INSERT OR IGNORE INTO residency SELECT ?1 - d.i, 100 + m.i, (SELECT id FROM word WHERE text = 'handset'), k.basis, 120 + c.i, 1000*(1+c.i), 0, 1, x'00000001000000020000000300000004' FROM d, m, c, k`, day)
	digesting := time.Now()
	n, err := s.Digest(noon)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d digests made in %s", n, time.Since(digesting).Round(time.Millisecond))
	if info, err := os.Stat(filepath.Join(dir, FileName)); err == nil {
		b.Logf("%d ledger rows: %d MiB, made in %s", rows, info.Size()>>20, time.Since(start).Round(time.Second))
	}
	return s
}

func benchDevice(i int) Device {
	return Device{
		ID: fmt.Sprintf("d-%012x", i), Realm: "campus", Concern: Prohibited, Policies: []string{"maker-x-to-country-y"}, Maker: []string{"xiaomi", "vivo", "huawei"}[i%3],
		Model: []string{"Redmi Note 12", "V2130", ""}[i%3], Class: "handset", Handset: "yes", Confidence: "certain", Posterior: 0.9986, RandomMAC: true, Leased: true,
		Place: "access point ap-14, SSID campus (radius, 2026-05-31 09:12:44Z)", MACs: []string{fmt.Sprintf("5a:11:22:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255)},
		Addrs: []string{fmt.Sprintf("10.20.%d.%d", i>>8&255, i&255)}, First: noon.Add(-time.Duration(i) * time.Hour), Last: noon.Add(-time.Duration(i) * time.Second),
		Reasons: []string{"asks the updater of Xiaomi's system", "calls itself by the name of a product of Xiaomi (DHCP host name)"}, Against: []string{"its hardware address is random"},
		WouldChange: []string{"a push connection that names its model"}, Signatures: "7f3a91c2d4e5",
	}
}

// BenchmarkQueries asks what pages ask, of 100,000 devices and a ledger of
// PICKET_BENCH_ROWS rows:
//
//	PICKET_BENCH_ROWS=10000000 go test ./evidence -run - -bench Queries -benchtime 5x
func BenchmarkQueries(b *testing.B) {
	s := scaled(b, benchRows(b))
	month, year := Period{noon.AddDate(0, 0, -29), noon}, Period{noon.AddDate(0, 0, -364), noon}
	for _, q := range []struct {
		name string
		ask  func() error
	}{
		{"residency/month", func() error { _, err := s.Residency(ResidencyQuery{Period: month, Basis: "location"}); return err }},
		{"residency/month/daily", func() error {
			_, err := s.Residency(ResidencyQuery{Period: month, Basis: "location", Daily: true})
			return err
		}},
		{"residency/year", func() error { _, err := s.Residency(ResidencyQuery{Period: year, Basis: "location"}); return err }},
		{"residency/year/daily", func() error {
			_, err := s.Residency(ResidencyQuery{Period: year, Basis: "location", Daily: true})
			return err
		}},
		{"residency/year/weekly", func() error {
			_, err := s.Residency(ResidencyQuery{Period: year, Basis: "location", Daily: true, Weekly: true})
			return err
		}},
		{"residency/year/maker", func() error {
			_, err := s.Residency(ResidencyQuery{Period: year, Basis: "owner", Maker: "w07", Daily: true})
			return err
		}},
		{"span", func() error { _, _, err := s.Span(); return err }},
		{"watched", func() error { _, err := s.WatchedDays(year); return err }},
		{"crowd", func() error { _, err := s.CrowdOn(noon); return err }},
		{"devices", func() error { _, err := s.Devices(DeviceQuery{}); return err }},
		{"devices/end", func() error { _, err := s.Devices(DeviceQuery{Offset: 99_950}); return err }},
		{"devices/maker", func() error {
			_, err := s.Devices(DeviceQuery{Maker: "vivo", Sort: "model", Offset: 30_000})
			return err
		}},
		{"devices/text", func() error { _, err := s.Devices(DeviceQuery{Text: "note"}); return err }},
		{"devices/address", func() error { _, err := s.Devices(DeviceQuery{Text: "10.20.1.2"}); return err }},
		{"makers", func() error { _, err := s.Makers(); return err }},
		{"file", func() error { _, err := s.File(benchDevice(7).ID); return err }},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				if err := q.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFirstWrite writes 100,000 devices that were not there.
//
//	go test ./evidence -run - -bench FirstWrite -benchtime 1x
func BenchmarkFirstWrite(b *testing.B) {
	for b.Loop() {
		s, err := Open(Config{Dir: b.TempDir(), Limits: Limits{Waiting: 1 << 18}, Now: func() time.Time { return noon }})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100_000 {
			s.SaveDevice(benchDevice(i))
		}
		if err := s.Flush(); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
