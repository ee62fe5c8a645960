package alerts

import (
	"testing"
	"time"
)

// FuzzPolicy feeds policy files: whatever is accepted can be compiled, said
// back, warned of, and its examples run.
func FuzzPolicy(f *testing.F) {
	f.Add(fullPolicy)
	f.Add("name: p\ndevices: {makers: xiaomi}\nrestricted: {countries: {anywhere-but: [IN]}}")
	f.Add("name: p\nexcept: {macs: [02:00:5e:00:53:01]}")
	f.Add("name: p\nhours: {days: [sat-tue], from: \"23:00\", to: \"01:00\"}")
	f.Fuzz(func(t *testing.T, text string) {
		var p Policy
		if decodeYAML(text, &p) != nil {
			return
		}
		r, err := Compile(p, known())
		if err != nil {
			return
		}
		if r.Sentence() == "" {
			t.Error("no sentence")
		}
		r.Warnings(known().Makers, start)
		if _, err := r.RunExamples(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzScalars reads back what it wrote.
func FuzzScalars(f *testing.F) {
	for _, s := range []string{"1KiB", "20 MB", "7d", "1w2d3h4m5s", "2026-12-31", "2026-12-31T10:00:00Z", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := ParseSize(s); err == nil && uint64(v) > 1<<62 {
			t.Errorf("ParseSize(%q) = %d", s, v)
		}
		if d, err := ParseDuration(s); err == nil {
			if back, err := ParseDuration(d.String()); err != nil || back != d || time.Duration(d) > maxDuration {
				t.Errorf("ParseDuration(%q) = %s, read back %s, %v", s, d, back, err)
			}
		}
		if d, err := ParseDate(s); err == nil {
			if back, err := ParseDate(d.String()); err != nil || !time.Time(back).Equal(time.Time(d)) {
				t.Errorf("ParseDate(%q) = %s, read back %s, %v", s, d, back, err)
			}
		}
	})
}
