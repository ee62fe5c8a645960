package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func surveyOf(t *testing.T, args ...string) surveyReport {
	t.Helper()
	status, out, errs := classified("", append([]string{"survey", "--json"}, args...)...)
	if status != exitDone {
		t.Fatalf("status %d: %s", status, errs)
	}
	var r surveyReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func (p *surveyReport) says(grade, words string) bool {
	for _, f := range p.Findings {
		if f.Grade == grade && strings.Contains(f.Text, words) {
			return true
		}
	}
	return false
}

func TestSurveyOfGoodSpan(t *testing.T) {
	r := surveyOf(t, "testdata/demo.pcap")
	for _, want := range []string{"both directions", "nothing was lost", "home_networks fit", "hardware addresses send from"} {
		if !r.says("good", want) {
			t.Errorf("nothing good said of %q in %+v", want, r.Findings)
		}
	}
	can := strings.Join(r.Can, "\n")
	for _, want := range []string{"by hardware address", "DHCP", "DNS", "TLS and QUIC", "bytes sent"} {
		if !strings.Contains(can, want) {
			t.Errorf("%q is missing among %q", want, r.Can)
		}
	}
}

// TestSurveyOfForeignHome: with another home, the survey finds the true one
// and writes it down.
func TestSurveyOfForeignHome(t *testing.T) {
	r := surveyOf(t, "--home", "192.0.2.0/24", "testdata/demo.pcap")
	if !r.says("bad", "no end in home_networks") || !strings.Contains(r.Config, "home_networks: [192.0.2.0/24, 10.20.") {
		t.Errorf("findings %+v, configuration %s", r.Findings, r.Config)
	}
}

func TestSurveyUsage(t *testing.T) {
	for _, args := range [][]string{{"survey"}, {"survey", "-i", "lo", "testdata/demo.pcap"}} {
		if status, _, _ := classified("", args...); status != exitUsage {
			t.Errorf("%v: status %d, want %d", args, status, exitUsage)
		}
	}
	if status, _, errs := classified("", "survey", "-i", "nosuch0"); status == exitDone || !strings.Contains(errs, "nosuch0") {
		t.Errorf("an interface that is not there: %d %s", status, errs)
	}
}

func TestOffloads(t *testing.T) {
	if _, err := offloadsOn("lo"); err != nil {
		t.Skip("ethtool does not work here:", err)
	}
	if got := offloadLine("eth1", offloads[:2]); got != "ethtool -K eth1 gro off lro off" {
		t.Error(got)
	}
}
