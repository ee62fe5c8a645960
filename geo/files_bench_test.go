package geo

import (
	"os"
	"testing"
)

// BenchmarkOpen is what every start of picket pays for geography.
func BenchmarkOpen(b *testing.B) {
	dir := os.DirFS("../configs")
	b.ReportAllocs()
	for b.Loop() {
		rules, groups, err := ReadRules(dir, "operators", "owners", "groups")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := New(Config{Rules: rules, Groups: groups}); err != nil {
			b.Fatal(err)
		}
	}
}
