package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/configs"
	"picket/evidence"
	"picket/sensor"
)

// TestEvents runs a sensor that tells a file, a syslog over UDP and one that
// is dead: the first two get every line, the third harms nobody.
func TestEvents(t *testing.T) {
	server := httptest.NewServer(&acceptor{})
	defer server.Close()
	listener, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file := filepath.Join(t.TempDir(), "events.jsonl")
	config := fmt.Sprintf(soakConfig, server.URL) + fmt.Sprintf("events: {to: ['file:%s', 'syslog:udp://%s', 'syslog:tcp://127.0.0.1:1']}\n", file, listener.LocalAddr())
	s := soakStation(t, config, &inTurn{[]sensor.Source{halfOfEpisode(0), halfOfEpisode(1)}})
	s.a.pipeline.Now, s.a.pipeline.Tick = nil, nil
	if err := s.work(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Flush(); err != nil {
		t.Fatal(err)
	}
	from := time.Unix(0, reloadStart)
	s.events.tellLedger(s.store, evidence.Period{From: from, To: from}, from)
	o := s.events.outlets[0]
	for len(o.queue) > 0 {
		if err := o.writer.write(<-o.queue); err != nil {
			t.Fatal(err)
		}
	}
	s.close()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for line := range bytes.Lines(b) {
		var got struct{ Type, At, Device, Maker, Day, Change string }
		if err := json.Unmarshal(line, &got); err != nil || got.At == "" {
			t.Fatalf("%s: %v", line, err)
		}
		types[got.Type]++
		if got.Type == "episode" && (got.Maker != "xiaomi" || got.Change != "open") || got.Type == "ledger" && got.Day != from.UTC().Format(time.DateOnly) {
			t.Errorf("%s", line)
		}
	}
	if types["episode"] == 0 || types["device"] == 0 || types["ledger"] == 0 || len(types) != 3 {
		t.Errorf("types %v", types)
	}
	packet := make([]byte, 1<<16)
	_ = listener.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := listener.ReadFrom(packet)
	if err != nil || !strings.HasPrefix(string(packet[:n]), "<134>1 ") || !strings.Contains(string(packet[:n]), ` - {"at":`) {
		t.Errorf("syslog: %v %q", err, packet[:n])
	}
	if dead := s.events.outlets[2]; !dead.failing.Load() || dead.written.Load() != 0 || dead.lost.Load() == 0 {
		t.Errorf("the dead syslog: failing %t, %d written, %d lost", dead.failing.Load(), dead.written.Load(), dead.lost.Load())
	}
}

// TestEventFileIsRotated: a file that was renamed away is made anew, and one
// that was truncated goes on at its new end.
func TestEventFileIsRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	w, err := openEventFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	write := func(text string) {
		t.Helper()
		if err := w.write(entry{body: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("2")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write("3")
	old, _ := os.ReadFile(path + ".1")
	now, _ := os.ReadFile(path)
	if string(old) != "1\n" || string(now) != "3\n" {
		t.Errorf("%q, %q", old, now)
	}
}

// TestSyslogFormats: over TCP each message has its length before it, at a
// local socket it is in the traditional form; a daemon that restarts is found
// again.
func TestSyslogFormats(t *testing.T) {
	dir := t.TempDir()
	local, err := net.ListenPacket("unixgram", filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	w := &toSyslog{network: "unixgram", address: filepath.Join(dir, "log")}
	e := entry{at: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), kind: "episode", body: []byte(`{"type":"episode"}`)}
	read := func(l net.PacketConn) string {
		buf := make([]byte, 4096)
		_ = l.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := l.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	if err := w.write(e); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`<134>Mar  2 12:00:00 picket[%d]: {"type":"episode"}`, os.Getpid())
	if got := read(local); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	local.Close()
	_ = os.Remove(filepath.Join(dir, "log"))
	if w.write(e) == nil {
		t.Error("written to nobody")
	}
	if local, err = net.ListenPacket("unixgram", filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if err := w.write(e); err != nil || read(local) != want {
		t.Errorf("after the restart: %v", err)
	}
	journal := &toSyslog{network: "unixgram", address: filepath.Join(dir, "log"), journal: true}
	if err := journal.write(e); err != nil || read(local) != "PRIORITY=6\nSYSLOG_IDENTIFIER=picket\nPICKET_EVENT=episode\nMESSAGE={\"type\":\"episode\"}\n" {
		t.Errorf("the journal: %v", err)
	}
	far := &toSyslog{network: "tcp", host: "sensor"}
	length, message, _ := strings.Cut(string(far.message(e)), " ")
	if length != fmt.Sprint(len(message)) || !strings.HasPrefix(message, "<134>1 2026-03-02T12:00:00.000000Z sensor picket ") {
		t.Errorf("%s %s", length, message)
	}
}

// TestEventsNeverWait: a queue that is full loses lines, counted.
func TestEventsNeverWait(t *testing.T) {
	o, err := newOutlet(configs.EventSink{Kind: "syslog", Network: "tcp", Address: "127.0.0.1:1"}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for range maxWaitingEvents + 5 {
		o.offer(entry{})
	}
	if o.lost.Load() != 5 {
		t.Errorf("%d lost, want 5", o.lost.Load())
	}
}

func TestEventMistakes(t *testing.T) {
	for _, to := range []string{"file:relative", "syslog:udp://nohost", "kafka", "syslog:icmp://a:1", "file:"} {
		if _, err := configs.Parse("picket.yml", []byte("log: {level: info}\nevents: {to: ['"+to+"']}\n")); err == nil || !strings.Contains(err.Error(), "picket.yml:2") {
			t.Errorf("%s: %v", to, err)
		}
	}
	if _, err := openEventFile("/nowhere/events.jsonl"); err == nil {
		t.Error("a file in no directory was opened")
	}
}
