package handset

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestCalibration prints, by band, how many statements over the worked
// cases named the right maker:
//
//	go test -run TestCalibration -v ./sensor/handset
func TestCalibration(t *testing.T) {
	s := shipped(t)
	files := []string{"testdata/cases.jsonl"}
	if dir := os.Getenv(factsDir); dir != "" {
		files = append(files, filepath.Join(dir, "scenarios.jsonl"))
	}
	var said, right [len(confidenceNames)]int
	var sum [len(confidenceNames)]float64
	cases, exact := 0, 0
	for _, file := range files {
		for _, c := range readCases(t, file) {
			v := c.verdict(s)
			cases++
			said[v.Confidence]++
			sum[v.Confidence] += v.Posterior
			if slices.Contains(c.Expect.Vendors, v.Maker) {
				right[v.Confidence]++
			}
			if v.Confidence.String() == c.Expect.Band {
				exact++
			}
		}
	}
	t.Logf("%d cases, band as expected in %d", cases, exact)
	t.Logf("%-8s %6s %12s %15s", "band", "said", "right maker", "mean posterior")
	for _, b := range []Confidence{Certain, Likely, Weak} {
		t.Logf("%-8s %6d %12d %15.3f", b, said[b], right[b], sum[b]/float64(max(said[b], 1)))
		if right[b] != said[b] {
			t.Errorf("%v: %d of %d name the wrong maker", b, said[b]-right[b], said[b])
		}
	}
}
