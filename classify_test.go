package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// classified runs picket with args and text as standard input.
func classified(text string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(&app{ctx: context.Background(), stdin: strings.NewReader(text), stdout: &out, stderr: &errs}, args)
	return status, out.String(), errs.String()
}

const aRedmi = `{"id":"a","network":{"shared_address":false},"evidence":[` +
	`{"t":0,"family":"dhcp","field":"hostname","value":"Redmi-Note-12"},` +
	`{"t":1.5,"family":"dns","field":"qname","value":"update.intl.miui.com"},` +
	`{"t":2,"family":"sni","field":"server_name","value":"find.api.micloud.xiaomi.net"},` +
	`{"t":3,"family":"dns","field":"qname","value":"grs.dbankcloud.com"}],"truth":{"vendor":"xiaomi"}}`

func TestClassifyJSON(t *testing.T) {
	status, out, errs := classified(aRedmi+"\n\n"+`{"id":"b","evidence":[]}`+"\n", "classify", "--json")
	if status != exitDone || errs != "" {
		t.Fatalf("status %d, %s", status, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 || strings.Contains(out, "null") {
		t.Fatalf("want two lines, and lists that are never null:\n%s", out)
	}
	var a struct {
		ID      string
		Verdict struct {
			Maker, Class, Confidence, Handset, Model, Signatures string
			Posterior                                            float64
			Shared                                               bool
			Reasons, Against                                     []string
		}
		Also []struct {
			Maker, Confidence string
			Posterior         float64
		}
	}
	if err := json.Unmarshal([]byte(lines[0]), &a); err != nil {
		t.Fatal(err)
	}
	v := a.Verdict
	if a.ID != "a" || v.Maker != "xiaomi" || v.Class != "handset" || v.Confidence != "certain" || v.Handset != "yes" || v.Model != "Redmi-Note-12" ||
		v.Posterior < 0.99 || len(v.Reasons) != 4 || len(v.Against) != 1 || len(v.Signatures) != 16 {
		t.Errorf("%+v", a)
	}
	if len(a.Also) != 1 || a.Also[0].Maker != "huawei" || a.Also[0].Confidence != "none" {
		t.Errorf("also %+v", a.Also)
	}
	for _, key := range []string{`"id":"b"`, `"maker":""`, `"confidence":"none"`, `"handset":"unknown"`, `"reasons":[]`, `"against":[]`, `"also":[]`} {
		if !strings.Contains(lines[1], key) {
			t.Errorf("no %s in %s", key, lines[1])
		}
	}
}

func TestClassifyInWords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "evidence.jsonl")
	if err := os.WriteFile(file, []byte(aRedmi), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"classify", "explain"} {
		status, out, errs := classified("", command, file)
		for _, want := range []string{"a: xiaomi, certain", "model Redmi-Note-12; a handset", "asks the updater of Xiaomi's system", "against -0.30", "would change it:"} {
			if status != exitDone || !strings.Contains(out, want) {
				t.Errorf("%s: status %d, no %q in\n%s%s", command, status, want, out, errs)
			}
		}
	}
}

func TestClassifyMistakes(t *testing.T) {
	for name, x := range map[string]struct{ in, want string }{
		"not JSON":   {aRedmi + "\n{\"id\":", "picket: stdin:2: want one JSON object a line"},
		"wrong type": {`{"id":"a","evidence":[{"t":0,"value":7}]}`, "picket: stdin:1: evidence.value: want text, not a number"},
		"a list":     {"[1]", "picket: stdin:1: want one JSON object a line, not a list"},
		"no time":    {`{"evidence":[{"t":1e300,"family":"dns","field":"qname","value":"a"}]}`, "picket: stdin:1: t: 1e+300 is no time"},
	} {
		status, _, errs := classified(x.in, "classify", "--json")
		if status != exitFailed || !strings.HasPrefix(errs, x.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d, %q, want %q", name, status, errs, x.want)
		}
	}
	if status, _, errs := classified("", "classify", "/nonexistent"); status != exitFailed || !strings.Contains(errs, "/nonexistent") {
		t.Errorf("no such file: status %d, %s", status, errs)
	}
	status, out, errs := classified(`{"id":7,"evidence":[{"t":0,"family":"smell","field":"of","value":"x"}]}`, "classify", "--json")
	if status != exitDone || !strings.Contains(errs, "smell/of is no kind of evidence") || !strings.Contains(out, `"id":7`) {
		t.Errorf("unknown evidence: status %d, %s%s", status, out, errs)
	}
}

func TestCoverage(t *testing.T) {
	status, out, errs := classified("", "coverage", "--test")
	if status != exitDone || !strings.Contains(out, "all examples are as their entries say") {
		t.Fatalf("status %d, %s%s", status, out, errs)
	}
	for _, maker := range []string{"xiaomi", "huawei", "honor", "oppo", "realme", "oneplus", "oppo-group", "vivo", "zte", "lenovo", "motorola", "meizu", "transsion", "tcl", "hmd",
		"samsung", "google", "apple", "sony", "nothing", "asus", "lg", "sharp", "fairphone"} {
		if !strings.Contains(out, " "+maker+" ") {
			t.Errorf("%s is not covered", maker)
		}
	}
}
