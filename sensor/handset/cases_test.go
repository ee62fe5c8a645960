package handset

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// testCase is a worked case: what was seen, and what may be said.
type testCase struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Network struct {
		Shared bool `json:"shared_address"`
	} `json:"network"`
	Evidence []struct {
		T      float64 `json:"t"`
		Family string  `json:"family"`
		Field  string  `json:"field"`
		Value  string  `json:"value"`
	} `json:"evidence"`
	Expect struct {
		Vendors []string `json:"vendor_accept"`
		Band    string   `json:"band"`
		Handset string   `json:"handset"`
		Not     []struct {
			Vendor string `json:"vendor"`
			Above  string `json:"band_above"`
		} `json:"must_not"`
	} `json:"expect"`
}

func readCases(tb testing.TB, path string) []testCase {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var cases []testCase
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var c testCase
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		cases = append(cases, c)
	}
	if err := sc.Err(); err != nil {
		tb.Fatal(err)
	}
	return cases
}

func (c *testCase) evidence() []Evidence {
	list := make([]Evidence, len(c.Evidence))
	for i, e := range c.Evidence {
		list[i] = Evidence{At: time.Unix(1700000000, 0).Add(time.Duration(e.T * float64(time.Second))), Family: e.Family, Field: e.Field, Value: e.Value}
	}
	return list
}

func judge(s *Set, n Network, list []Evidence) Verdict {
	var d Dossier
	for _, e := range list {
		d.Add(s, e)
	}
	return d.Verdict(s, d.Last(), n)
}

func (c *testCase) verdict(s *Set) Verdict {
	return judge(s, Network{SharedAddress: c.Network.Shared}, c.evidence())
}

func band(name string) Confidence { return Confidence(slices.Index(confidenceNames[:], name)) }

// wrongs says what is wrong with a verdict for the case.
func (c *testCase) wrongs(v *Verdict) (list []string) {
	switch {
	case len(c.Expect.Vendors) == 0 && v.Confidence >= Weak:
		list = append(list, fmt.Sprintf("maker %s %v, want nobody", v.Maker, v.Confidence))
	case len(c.Expect.Vendors) > 0 && !slices.Contains(c.Expect.Vendors, v.Maker):
		list = append(list, fmt.Sprintf("maker %s, want one of %v", v.Maker, c.Expect.Vendors))
	}
	if v.Confidence.String() != c.Expect.Band {
		list = append(list, fmt.Sprintf("band %v (%.4f), want %s", v.Confidence, v.Posterior, c.Expect.Band))
	}
	if v.Handset != c.Expect.Handset {
		list = append(list, fmt.Sprintf("handset %s (%s), want %s", v.Handset, v.Class, c.Expect.Handset))
	}
	for _, n := range c.Expect.Not {
		said := append([]Candidate{{v.Maker, v.Posterior, v.Confidence}}, v.Also...)
		for _, s := range said {
			if s.Maker == n.Vendor && s.Confidence > band(n.Above) {
				list = append(list, fmt.Sprintf("FALSE ACCUSATION: %s %v", s.Maker, s.Confidence))
			}
		}
	}
	return list
}

// factsDir names a folder of further cases, kept outside the repository.
const factsDir = "PICKET_FACTS"

func TestCases(t *testing.T) {
	s := shipped(t)
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv(factsDir); dir != "" {
		files = append(files, filepath.Join(dir, "scenarios.jsonl"))
	}
	for _, file := range files {
		for _, c := range readCases(t, file) {
			v := c.verdict(s)
			for _, w := range c.wrongs(&v) {
				t.Errorf("%s %s: %s", c.ID, c.Title, w)
			}
		}
	}
}
