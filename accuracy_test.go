package main

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"picket/evidence"
)

const ownPhones = `{"id":1,"evidence":[{"t":0,"family":"mac","field":"address","value":"da:a1:19:00:00:01"},{"t":0,"family":"dhcp","field":"hostname","value":"Redmi-Note-9-Pro"},{"t":5,"family":"dns","field":"qname","value":"update.intl.miui.com"},{"t":9,"family":"dns","field":"qname","value":"find.api.micloud.xiaomi.net"}]}
{"id":2,"evidence":[{"t":0,"family":"mac","field":"address","value":"da:a1:19:00:00:02"},{"t":1,"family":"dns","field":"qname","value":"captive.apple.com"}]}
`

func TestEnrolThenAccuracy(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	a := &app{ctx: t.Context(), stdin: strings.NewReader(ownPhones), stdout: &out, stderr: &errs}
	if err := (&accuracyCmd{stateFlag: stateFlag{State: dir}}).Run(a); err == nil || !strings.Contains(err.Error(), "no phone is enrolled") {
		t.Errorf("accuracy before enrolment: %v", err)
	}
	k := enrolCmd{MAC: "DA-A1-19-00-00-01", Truth: "Redmi Note 9 Pro", stateFlag: stateFlag{State: dir}}
	if err := k.Run(a); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(sessionsFile(dir)); strings.Count(string(b), "\n") != 1 || strings.Contains(string(b), "captive.apple.com") {
		t.Errorf("recorded, want the one session of the address:\n%s", b)
	}
	out.Reset()
	if err := (&accuracyCmd{stateFlag: stateFlag{State: dir}}).Run(a); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 sessions", "certain  1 of 1 (21-100 %)", "9s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestEnrolRefuses(t *testing.T) {
	for name, k := range map[string]enrolCmd{
		"no address":      {MAC: "phone", Truth: "Redmi Note 9 Pro"},
		"no such model":   {MAC: "da:a1:19:00:00:01", Truth: "Unheard 3000"},
		"no such maker":   {MAC: "da:a1:19:00:00:01", Truth: "Unheard 3000", Maker: "unheard"},
		"not in evidence": {MAC: "da:a1:19:00:00:09", Truth: "Redmi Note 9 Pro"},
	} {
		k.State = t.TempDir()
		a := &app{ctx: t.Context(), stdin: strings.NewReader(ownPhones), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
		if k.Run(a) == nil {
			t.Errorf("%s: enrolled", name)
		}
		if _, err := os.Stat(sessionsFile(k.State)); err == nil {
			t.Errorf("%s: something was kept", name)
		}
	}
}

func TestExplainKept(t *testing.T) {
	var out bytes.Buffer
	if err := explainKept(&out, "d-1", &evidence.File{}); err == nil {
		t.Error("a device that is not kept is explained")
	}
	f := evidence.File{Known: true, Device: evidence.Device{ID: "d-1", Maker: "xiaomi", Confidence: "likely", Posterior: 0.95, Handset: "yes",
		Reasons: []string{"asks the updater (+3.50)"}, WouldChange: []string{"a second kind of evidence"}, Signatures: "abc"}}
	if err := explainKept(&out, "d-1", &f); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"d-1: xiaomi, likely (0.9500); a handset", "for     asks the updater", "would change it: a second", "place unknown", "signatures abc"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n   int
		lo, hi float64
	}{{0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {5, 10, 0.2366, 0.7634}} {
		lo, hi := wilson(c.k, c.n)
		if math.Abs(lo-c.lo) > 1e-4 || math.Abs(hi-c.hi) > 1e-4 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.k, c.n, lo, hi, c.lo, c.hi)
		}
	}
}
