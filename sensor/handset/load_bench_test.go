package handset

import (
	"os"
	"testing"
)

// BenchmarkLoad is what every start of picket pays.
func BenchmarkLoad(b *testing.B) {
	dir := os.DirFS("../../configs/signatures")
	for b.Loop() {
		if _, err := Load(dir); err != nil {
			b.Fatal(err)
		}
	}
}
