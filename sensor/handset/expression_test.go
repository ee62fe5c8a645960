package handset

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestLiteralStart(t *testing.T) {
	for x, want := range map[string]string{
		`^Redmi[- ]`: "Redmi", `^(?:SM-[A-Z]\d+)`: "SM-", `^(?:A|B)`: "", `^a|b`: "", `^ab?c`: "a", `^abc{2}`: "ab",
		`^v1\.2x`: "v1.2x", `^\d+`: "", `(?i)^mi`: "", `mi`: "", `^(?:a)(?:b)`: "", `^[|]x`: "", `^a(b|c)`: "a", `^(?:a(b|c)d)`: "a",
	} {
		if got := literalStart(x); got != want {
			t.Errorf("%s: %q, want %q", x, got, want)
		}
	}
}

// The literal start that is read off an expression is one that the regular
// expression engine knows too, and every expression of the set compiles.
func TestLiteralStartsOfTheSet(t *testing.T) {
	set, err := Load(os.DirFS("../../configs/signatures"))
	if err != nil {
		t.Fatal(err)
	}
	for _, patterns := range set.patterns {
		for _, p := range patterns {
			if err := p.re.check(); err != nil {
				t.Errorf("%s: %v", p.re.source, err)
			}
			rest, _ := strings.CutPrefix(p.re.source, "^")
			known, _ := regexp.MustCompile(rest).LiteralPrefix()
			if !strings.HasPrefix(known, p.prefix) {
				t.Errorf("%s: every match is said to begin with %q, the engine says %q", p.re.source, p.prefix, known)
			}
		}
	}
}
