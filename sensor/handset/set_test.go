package handset

import (
	"os"
	"testing"
)

// shipped is the signature set that comes with picket.
func shipped(tb testing.TB) *Set {
	tb.Helper()
	s, err := Load(os.DirFS("../../configs/signatures"))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestShippedExamples(t *testing.T) {
	s := shipped(t)
	for _, err := range s.Examples() {
		t.Error(err)
	}
	for _, id := range s.UntestedPatterns() {
		t.Errorf("%s: no example", id)
	}
}
