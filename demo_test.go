package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// truth is what the recording's clients counted on their own sockets.
type truth struct {
	Client, Server, Proto, Name string
	Up, Down                    uint64
}

// TestDemoAgreesWithAnIndependentReader compares what `picket demo` says of
// the embedded capture, name by name and byte by byte, with what other code
// (gopacket, crypto/tls, net/http, miekg/dns) reads in it, and with what the
// clients' own sockets counted.
func TestDemoAgreesWithAnIndependentReader(t *testing.T) {
	stdout, stderr, status := call(t, "demo", "--once", "--json")
	if status != 0 || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if strings.Contains(stdout, "invalid IP") {
		t.Error("an address that is none is printed as one")
	}
	flows, questions := demoLines(t, stdout)
	read := readIndependently(t, demoCapture)
	if len(flows) == 0 || len(flows) != len(read.flows) {
		t.Errorf("picket shows %d conversations, the independent reader %d", len(flows), len(read.flows))
	}
	for key, want := range read.flows {
		if got := flows[key]; got != want {
			t.Errorf("%s: picket %+v, independent reader %+v", key, got, want)
		}
	}
	slices.Sort(questions)
	if !slices.Equal(questions, read.questions) {
		t.Errorf("DNS: picket\n%s\nindependent reader\n%s", strings.Join(questions, "\n"), strings.Join(read.questions, "\n"))
	}
	for _, w := range readTruth(t) {
		got := flows[w.Proto+" "+w.Client+" "+w.Server]
		if got.name != w.Name || got.sent != w.Up || got.received < w.Down { // a client need not read to the end
			t.Errorf("%s %s: picket %+v, the client's socket %+v", w.Client, w.Server, got, w)
		}
		delete(flows, w.Proto+" "+w.Client+" "+w.Server)
	}
	for key, f := range flows {
		if f.name != "" && !strings.Contains(key, ":53") {
			t.Errorf("%s %+v: no client made it", key, f)
		}
	}
}

// conversation is what is compared of a flow.
type conversation struct {
	name                      string
	sent, received, handshake uint64
}

// demoLines adds up picket's flow lines, and lists its DNS answers.
func demoLines(t *testing.T, out string) (map[string]conversation, []string) {
	t.Helper()
	flows, questions := map[string]conversation{}, []string{}
	for line := range strings.Lines(out) {
		var kind struct{ Type string }
		if err := json.Unmarshal([]byte(line), &kind); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch kind.Type {
		case "flow":
			var l flowLine
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if l.ClientPort == 67 || l.ServerPort == 67 {
				continue // DHCP: compared by the tests of its parser
			}
			key := fmt.Sprintf("%s %s:%d %s:%d", l.Proto, l.Client, l.ClientPort, l.Server, l.ServerPort)
			f := flows[key]
			flows[key] = conversation{cmp.Or(l.Name, f.name), f.sent + l.Sent, f.received + l.Received, f.handshake + l.Handshake}
		case "dns":
			var l struct {
				Src, QName, QType string
				Sport             uint16
				Response          bool
				Answers           []struct{ Name, Type, Data string }
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			text := fmt.Sprintf("%s:%d %s %s", l.Src, l.Sport, l.QType, l.QName)
			if l.Response {
				text += " ="
			}
			for _, a := range l.Answers {
				text += " " + a.Name + " " + a.Type + " " + a.Data
			}
			questions = append(questions, text)
		}
	}
	return flows, questions
}

func readTruth(t *testing.T) []truth {
	t.Helper()
	b, err := os.ReadFile("testdata/demo.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []truth
	if err := json.Unmarshal(b, &out); err != nil || len(out) == 0 {
		t.Fatalf("%d conversations, %v", len(out), err)
	}
	return out
}

// What differs from one run to the next, or with the key of the ids.
var (
	instants = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`)
	ids      = regexp.MustCompile(`\bd-[0-9a-f]{12}\b`)
)

// TestDemoTellsTheStory holds the words of the demonstration against a golden
// file; -update writes it anew.
func TestDemoTellsTheStory(t *testing.T) {
	var out, errs bytes.Buffer
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // what falls into one second depends on it
	status := run(&app{ctx: t.Context(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: func() time.Time { return at }}, []string{"demo", "--once"})
	stdout, stderr := out.String(), errs.String()
	if status != 0 || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	names := map[string]string{}
	got := ids.ReplaceAllStringFunc(instants.ReplaceAllString(stdout, "TIME"), func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("device-%07d", len(names)+1) // as wide as an id: columns stay
		}
		return names[id]
	})
	const golden = "testdata/demo.want"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal([]byte(got), want) {
		t.Errorf("the story changed (go test -run %s -update .):\n%s", t.Name(), difference(string(want), got))
	}
}

// difference lists the lines that only one of two texts has.
func difference(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, l := range w {
		if !slices.Contains(g, l) {
			fmt.Fprintln(&b, "-", l)
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			fmt.Fprintln(&b, "+", l)
		}
	}
	return b.String()
}
