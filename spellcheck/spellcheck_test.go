package spellcheck

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"threshold", "restricted", "page", "vivo", "oppo"}
	for got, want := range map[string]string{
		"treshold":   "threshold",
		"RESTRICTED": "restricted",
		"pgae":       "page", // two edits: the distance knows no swap
		"restrictd":  "restricted",
		"vovi":       "vivo",
		"observe":    "",
		"":           "",
	} {
		if n := Nearest(got, known); n != want {
			t.Errorf("Nearest(%q) = %q, want %q", got, n, want)
		}
	}
	if n := Nearest("xiaomi", nil); n != "" {
		t.Errorf("nearest of nothing: %q", n)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if d := distance(c.a, c.b); d != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d both ways", c.a, c.b, d, c.want)
		}
	}
}
