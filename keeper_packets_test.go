package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picket/configs"
	"picket/evidence"
	"picket/sensor/capture"
	"picket/sensor/packet"
	"picket/sensor/packets"
)

// casesOf exports every episode of a store into a directory.
func casesOf(t *testing.T, state string, scrub bool) map[string]evidence.Case {
	t.Helper()
	s, err := evidence.OpenExisting(state)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.Episodes(time.Time{})
	if err != nil || len(list) == 0 {
		t.Fatalf("%d episodes, %v", len(list), err)
	}
	out := map[string]evidence.Case{}
	for _, e := range list {
		c, err := s.Case(e.ID, "test", scrub)
		if err != nil {
			t.Fatal(err)
		}
		out[e.ID] = c
	}
	return out
}

// TestCaseGivesTheSameVerdict judges what was exported again, with and
// without whom it is about.
func TestCaseGivesTheSameVerdict(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	set, err := loadSignatures(configs.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	for _, scrub := range []bool{false, true} {
		for id, c := range casesOf(t, dir, scrub) {
			if c.Proof == nil {
				t.Fatalf("%s: no proof is kept", id)
			}
			err := eachLine(bytes.NewReader(c.Proof.Evidence), id, func(l *classifyLine) error {
				got, want := l.judge(set), &c.Proof.Verdict
				if got.Maker != want.Maker || got.Class != want.Class || got.Confidence.String() != want.Confidence || got.Model != want.Model ||
					math.Abs(got.Posterior-want.Posterior) > 1e-9 || !slices.Equal(reasonWords(got.Reasons), want.Reasons) || !slices.Equal(reasonWords(got.Against), want.Against) {
					t.Errorf("%s: %+v, want %+v", id, got, want)
				}
				if want.Maker != c.Episode.Maker || want.Confidence != c.Episode.Confidence {
					t.Errorf("%s: the proof is of %s %s, the episode of %s %s", id, want.Confidence, want.Maker, c.Episode.Confidence, c.Episode.Maker)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// TestScrubbedCaseIsATestOfSignatures: it has what such a test and accuracy
// read, and no word of whom it is about.
func TestScrubbedCaseIsATestOfSignatures(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	for id, c := range casesOf(t, dir, true) {
		l, err := c.Proof.Line()
		if err != nil || l.Expect == nil || !slices.Contains(l.Expect.Vendors, "xiaomi") || l.Expect.Band == "" {
			t.Errorf("%s: %+v, %v", id, l.Expect, err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"10.20.0.", "120.92.", "xiaomi.com", "miui.com", `"d-`, `"e-`, "2026-"} {
			if i := bytes.Index(text, []byte(s)); i >= 0 && !bytes.Contains(text[i:min(len(text), i+40)], []byte("2026-0")) {
				t.Errorf("%s: %q is in the scrubbed case: %q", id, s, text[max(0, i-80):min(len(text), i+40)])
			}
		}
	}
}

// TestPacketsShowTheTransfer reads the packets again, by picket's own reader
// and by others that are there.
func TestPacketsShowTheTransfer(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	for id, c := range casesOf(t, dir, false) {
		file := filepath.Join(t.TempDir(), "packets.pcapng")
		if err := os.WriteFile(file, c.Packets, 0o600); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, f := range readFrames(t, file) {
			var p packet.Packet
			if p.Decode(uint16(f.Link), f.Data, f.At, f.Wire) != packet.Decoded {
				t.Errorf("%s: a packet cannot be decoded", id)
			}
			seen[p.Src.Netip().String()], seen[p.Dst.Netip().String()] = true, true
		}
		for _, s := range c.Episode.Servers {
			if s.Addr.IsValid() && !seen[s.Addr.Addr().String()] {
				t.Errorf("%s: the packets show nothing of %s %s", id, s.Name, s.Addr)
			}
		}
		for _, tool := range [][]string{{"tcpdump", "-nr", file}, {"tshark", "-nr", file}} {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Logf("%s is not installed", tool[0])
				continue
			}
			out, err := exec.Command(tool[0], tool[1:]...).Output()
			if lines := bytes.Count(out, []byte("\n")); err != nil || lines < 20 {
				t.Errorf("%s reads %d packets: %v", tool[0], lines, err)
			}
		}
	}
}

func readFrames(t *testing.T, file string) (out []capture.Frame) {
	t.Helper()
	f, err := capture.OpenFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	batch := make([]capture.Frame, 64)
	for {
		n, err := f.Next(batch)
		for _, x := range batch[:n] {
			x.Data = slices.Clone(x.Data)
			out = append(out, x)
		}
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoPacketsWhenOff(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir, func(c *configs.Config) { c.Evidence.Packets = packets.Off })
	for id, c := range casesOf(t, dir, false) {
		if len(c.Packets) > 0 {
			t.Errorf("%s has packets", id)
		}
	}
}

// TestCaseFiles: every form can be written, and the archive has all parts.
func TestCaseFiles(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	for id, c := range casesOf(t, dir, false) {
		for _, name := range []string{"case.zip", "case.json", "case.jsonl"} {
			write, err := caseWriter(name)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := write(&b, &c); err != nil || b.Len() == 0 {
				t.Errorf("%s as %s: %v", id, name, err)
			}
			if name != "case.zip" {
				continue
			}
			z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{"README.txt", "case.json", "evidence.jsonl", "packets.pcapng"} {
				if _, err := fs.Stat(z, part); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
		}
	}
	if _, err := caseWriter("case.docx"); err == nil || !strings.Contains(err.Error(), ".zip") {
		t.Errorf("another form: %v", err)
	}
}

// TestRuledCase rules on an episode: the case that is written is a line for
// the tests of signatures.
func TestRuledCase(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	for id := range casesOf(t, dir, false) {
		file := filepath.Join(t.TempDir(), "case.jsonl")
		if status, out := evidenceRun(t, "evidence", "rule", id, "--verdict", "confirmed", "--by", "me", "--reason", "seen it", "--case", file, "--state", dir); status != 0 {
			t.Fatalf("%d %s", status, out)
		}
		if status, out := evidenceRun(t, "classify", file); status != 0 || !strings.Contains(out, "xiaomi, certain") {
			t.Errorf("%d %s", status, out)
		}
		b, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(b, []byte(`"maker":"xiaomi"`)) || bytes.Contains(b, []byte("seen it")) {
			t.Errorf("%s %v", b, err)
		}
	}
}

// TestForgetRemovesPackets: packets and proof go with the device.
func TestForgetRemovesPackets(t *testing.T) {
	dir := t.TempDir()
	keepDemo(t, dir)
	for _, c := range casesOf(t, dir, false) {
		if status, out := evidenceRun(t, "evidence", "show", c.Episode.Device, "--state", dir); status != 0 || !strings.Contains(out, "Its first packets") || !strings.Contains(out, "Its proof") {
			t.Errorf("%d %s", status, out)
		}
		if status, out := evidenceRun(t, "evidence", "forget", c.Episode.Device, "--state", dir); status != 0 {
			t.Fatalf("%d %s", status, out)
		}
	}
	kept := everythingIn(t, dir)
	for _, s := range []string{"api.account.xiaomi.com", "\x07account\x06xiaomi", "HM 1SW"} {
		if strings.Contains(kept, s) {
			t.Errorf("%q is still kept", s)
		}
	}
	if status, out := evidenceRun(t, "evidence", "verify", "--state", dir); status != 0 {
		t.Errorf("%d %s", status, out)
	}
}
