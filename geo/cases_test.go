package geo

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// worked is one line of testdata/cases.jsonl: what a sensor saw, and the
// answers that the rules of docs/jurisdiction.md give. Countries restricted
// are CN and RU.
type worked struct {
	ID     string
	Title  string
	Expect struct {
		Location   string     `json:"location"`
		Confidence Confidence `json:"location_confidence"`
		Operator   string     `json:"operator_home"`
		Owner      string     `json:"domain_owner_home"`
		Hits       []Basis    `json:"restricted_CN_RU_hits"`
	}
}

// TestWorkedCases holds cases that were written down from the rules, before
// they were run.
func TestWorkedCases(t *testing.T) {
	f, err := os.Open("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, set := shipped(t, nil), restricted(t, "CN", "RU")
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var w worked
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		facts, err := ParseFacts(lines.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", w.ID, err)
		}
		j := g.JudgeFacts(facts)
		hits := Hits(j, set, []Basis{Location, Operator, Owner})
		e := w.Expect
		if string(known(j.Location)) != e.Location || j.LocationConfidence != e.Confidence || string(known(j.Operator.Home)) != e.Operator ||
			string(known(j.Owner.Home)) != e.Owner || !slices.Equal(hits, e.Hits) {
			t.Errorf("%s, %s: %s (%s), operator %s, owner %s, hits %v; want %s (%s), operator %s, owner %s, hits %v", w.ID, w.Title,
				known(j.Location), j.LocationConfidence, known(j.Operator.Home), known(j.Owner.Home), hits, e.Location, e.Confidence, e.Operator, e.Owner, e.Hits)
		}
	}
	if n < 80 {
		t.Errorf("%d cases were read", n)
	}
}
