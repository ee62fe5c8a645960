package alerts

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Size is a number of bytes: a plain integer, or with KiB MiB GiB (1024) or
// kB MB GB (1000).
type Size uint64

// Duration is a time.Duration that also takes days and weeks: 90s 10m 2h 7d.
type Duration time.Duration

// Date is the end of a day in UTC, or an RFC 3339 time. Zero is never.
type Date time.Time

var sizeUnits = []struct {
	suffix string
	factor uint64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	number, factor := strings.TrimSpace(s), uint64(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(number, u.suffix); ok {
			number, factor = strings.TrimSpace(n), u.factor
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || v < 0 || math.IsNaN(v) || v*float64(factor) > 1<<62 {
		return 0, fmt.Errorf("size %q: want bytes, as 1, 1KiB or 20MiB", s)
	}
	b := v * float64(factor)
	if b != math.Trunc(b) {
		return 0, fmt.Errorf("size %q is not a whole number of bytes", s)
	}
	return Size(b), nil
}

// String gives s in the largest binary unit that loses nothing of three digits.
func (s Size) String() string {
	if s < 1<<10 {
		return strconv.FormatUint(uint64(s), 10) + " B"
	}
	v, unit := float64(s), ""
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		v, unit = v/1024, u
		if v < 1024 {
			break
		}
	}
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64) + " " + unit
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
}

// maxDuration keeps sums of times and durations far from overflow.
const maxDuration = 366 * 24 * time.Hour

// ParseDuration reads a Duration of at most a year.
func ParseDuration(s string) (Duration, error) {
	bad := fmt.Errorf("duration %q: want a number and a unit, as 90s, 10m, 2h or 7d", s)
	text := strings.TrimSpace(s)
	var total time.Duration
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		head, tail, ok := strings.Cut(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(head, 10, 16)
		if err != nil {
			return 0, bad
		}
		total, text = total+time.Duration(n)*u.unit, tail
		if text == "" {
			text = "0s"
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, bad
	}
	if total += d; total > maxDuration {
		return 0, fmt.Errorf("duration %q is longer than a year", s)
	}
	return Duration(total), nil
}

// String gives d without trailing zero units: 2h, 7d, 1h30m.
func (d Duration) String() string {
	t := time.Duration(d)
	if t >= 24*time.Hour && t%(24*time.Hour) == 0 {
		return strconv.Itoa(int(t/(24*time.Hour))) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// ParseDate reads 2026-12-31 (to the end of that day, UTC) or an RFC 3339 time.
func ParseDate(s string) (Date, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return Date(t.AddDate(0, 0, 1)), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return Date{}, fmt.Errorf("date %q: want a day, as 2026-12-31, or an RFC 3339 time", s)
	}
	return Date(t.UTC()), nil
}

// Passed reports whether the date is over at now.
func (d Date) Passed(now time.Time) bool {
	return !time.Time(d).IsZero() && !now.Before(time.Time(d))
}

// String gives the last day, or the time.
func (d Date) String() string {
	t := time.Time(d)
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Add(-time.Second).Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// UnmarshalYAML reads and checks s.
func (s *Size) UnmarshalYAML(n ast.Node) error { return scalar(n, s, ParseSize) }

// UnmarshalYAML reads and checks d.
func (d *Duration) UnmarshalYAML(n ast.Node) error { return scalar(n, d, ParseDuration) }

// UnmarshalYAML reads and checks d.
func (d *Date) UnmarshalYAML(n ast.Node) error { return scalar(n, d, ParseDate) }

// MarshalYAML writes s in bytes.
func (s Size) MarshalYAML() ([]byte, error) { return strconv.AppendUint(nil, uint64(s), 10), nil }

// MarshalYAML writes d as it is read.
func (d Duration) MarshalYAML() ([]byte, error) { return []byte(d.String()), nil }

// MarshalYAML writes d as it is read.
func (d Date) MarshalYAML() ([]byte, error) {
	if time.Time(d).IsZero() {
		return []byte("null"), nil
	}
	return []byte(strconv.Quote(d.String())), nil
}

// scalar parses the single value at n; an error points at its place in the file.
func scalar[T any](n ast.Node, dst *T, parse func(string) (T, error)) error {
	if _, ok := n.(ast.ScalarNode); !ok {
		return located(n, fmt.Errorf("want a single value"))
	}
	v, err := parse(text(n))
	if err != nil {
		return located(n, err)
	}
	*dst = v
	return nil
}

func text(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.GetToken().Value
}

// located ties err to a line and column, so that whoever reads the file can
// show them.
func located(n ast.Node, err error) error {
	return &yaml.SyntaxError{Message: err.Error(), Token: n.GetToken()}
}

// OneOrMore is a list that may be written as a single value.
type OneOrMore[T any] []T

// UnmarshalYAML reads a value or a sequence of them.
func (l *OneOrMore[T]) UnmarshalYAML(n ast.Node) error {
	*l = OneOrMore[T]{} // written and empty is not the same as not written
	if seq, ok := n.(*ast.SequenceNode); ok {
		for _, item := range seq.Values {
			var v T
			if err := yaml.NodeToValue(item, &v, yaml.Strict()); err != nil {
				return err
			}
			*l = append(*l, v)
		}
		return nil
	}
	var v T
	if err := yaml.NodeToValue(n, &v, yaml.Strict()); err != nil {
		return err
	}
	*l = append(*l, v)
	return nil
}

// UnmarshalText reads d as a command-line flag has it.
func (d *Duration) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDuration(string(b))
	return err
}
