package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

// soakSample is what the process holds at a moment.
type soakSample struct {
	at                                 time.Duration
	heap, rss, goroutines, descriptors float64 // MiB, MiB, number, number
}

func sampleSoak(at time.Duration) soakSample {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // after the latest collection
	metrics.Read(live)
	var size, resident float64
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(b), &size, &resident)
	}
	fds, _ := os.ReadDir("/proc/self/fd")
	return soakSample{at, float64(live[0].Value.Uint64()) / (1 << 20), resident * float64(os.Getpagesize()) / (1 << 20),
		float64(runtime.NumGoroutine()), float64(len(fds))}
}

// soakResult compares the thirds of a run by their medians.
type soakResult struct {
	what, unit   string
	thirds       [3]float64
	share, slack float64 // what the last third may have more than the middle one
	pick         func(*soakSample) float64
}

func (r *soakResult) grown() bool {
	return r.thirds[2] > r.thirds[1]*(1+r.share)+r.slack
}

func (r *soakResult) line() string {
	return fmt.Sprintf("| %s | %.0f%s | %.0f%s | %.0f%s |", r.what, r.thirds[0], r.unit, r.thirds[1], r.unit, r.thirds[2], r.unit)
}

// judgeSoak allows a short run more: the collector has not settled by then.
func judgeSoak(lasts time.Duration, samples []soakSample) []soakResult {
	results := []soakResult{
		{what: "live heap", unit: " MiB", share: 0.05, slack: 4, pick: func(s *soakSample) float64 { return s.heap }},
		{what: "resident memory", unit: " MiB", share: 0.05, slack: 8, pick: func(s *soakSample) float64 { return s.rss }},
		{what: "goroutines", slack: 3, pick: func(s *soakSample) float64 { return s.goroutines }},
		{what: "descriptors", slack: 3, pick: func(s *soakSample) float64 { return s.descriptors }},
	}
	for i := range results {
		if lasts < 10*time.Minute {
			results[i].share, results[i].slack = 5*results[i].share, 2*results[i].slack
		}
		third := len(samples) / 3
		for n := range 3 {
			var values []float64
			for _, s := range samples[n*third : (n+1)*third] {
				values = append(values, results[i].pick(&s))
			}
			slices.Sort(values)
			if len(values) > 0 {
				results[i].thirds[n] = values[len(values)/2]
			}
		}
	}
	return results
}

// writeSoak writes path.svg and path.md.
func writeSoak(t *testing.T, path string, lasts time.Duration, summary string, samples []soakSample) {
	t.Helper()
	var md strings.Builder
	fmt.Fprintf(&md, "A day in %s, race detector %t, %s, %s: %s.\n\n| median of | first third | middle third | last third |\n|---|---|---|---|\n",
		lasts, raceEnabled, runtime.Version(), time.Now().UTC().Format(time.DateOnly), summary)
	for _, r := range judgeSoak(lasts, samples) {
		md.WriteString(r.line() + "\n")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for suffix, text := range map[string]string{".md": md.String(), ".svg": plotSoak(lasts, samples)} {
		if err := os.WriteFile(path+suffix, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const plotWidth, plotHeight, plotLeft = 640, 90, 60

// plotSoak draws one small chart for each thing sampled, from zero up.
func plotSoak(lasts time.Duration, samples []soakSample) string {
	var b strings.Builder
	results := judgeSoak(lasts, samples)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotLeft+plotWidth+20, len(results)*(plotHeight+30)+10)
	fmt.Fprintln(&b, `<rect width="100%" height="100%" fill="#fff"/>`)
	for i, r := range results {
		top := i*(plotHeight+30) + 22
		most := 1.0
		for j := range samples {
			most = max(most, r.pick(&samples[j])*1.15)
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s, 0 to %.0f%s, over %s</text>`+"\n", plotLeft, top-6, r.what, most, r.unit, lasts)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#bbb"/>`+"\n", plotLeft, top, plotWidth, plotHeight)
		fmt.Fprint(&b, `<polyline fill="none" stroke="#15c" stroke-width="1.2" points="`)
		for j := range samples {
			x := plotLeft + float64(samples[j].at)/float64(lasts)*plotWidth
			fmt.Fprintf(&b, "%.1f,%.1f ", min(x, plotLeft+plotWidth), float64(top)+plotHeight*(1-r.pick(&samples[j])/most))
		}
		fmt.Fprintln(&b, `"/>`)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%.0f%s</text>`+"\n", plotLeft-4, top+int(plotHeight*(1-r.thirds[2]/most))+4, r.thirds[2], r.unit)
	}
	b.WriteString("</svg>\n")
	return b.String()
}
