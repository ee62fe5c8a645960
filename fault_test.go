package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/sensor/capture"
	"picket/sensor/device"
)

// floodSize is how many hostile frames a flood has: few in the short form,
// PICKET_FLOOD=10000000 for the figures of docs/reliability.md.
func floodSize(t *testing.T) int {
	n, err := strconv.Atoi(or(os.Getenv("PICKET_FLOOD"), "200000"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// flood makes frames one at a time, so that the test holds none of them; then
// it plays what comes after.
type flood struct {
	left  int
	make  func(s *script, n int)
	s     script
	after []capture.Frame
	peak  uint64
}

// Next implements sensor.Source.
func (f *flood) Next(batch []capture.Frame) (int, error) {
	if f.left <= 0 {
		if len(f.after) == 0 {
			return 0, io.EOF
		}
		n := copy(batch, f.after)
		f.after = f.after[n:]
		return n, nil
	}
	f.s.frames = f.s.frames[:0]
	for len(f.s.frames) < len(batch)/2 && f.left > 0 {
		f.make(&f.s, f.left)
		f.left--
	}
	if f.left%65536 < 128 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		f.peak = max(f.peak, m.HeapAlloc)
	}
	return copy(batch, f.s.frames), nil
}

// afterFlood is a known handset that comes once the flood has filled
// everything, sends to CN, and must be found all the same.
func afterFlood(at int64) []capture.Frame {
	s := &script{at: at}
	d := deviceNumber(21)
	s.certain(d)
	c := s.dial(d, 42000, serverInCN, true)
	for range 8 {
		c.say(bytes.Repeat([]byte{0x17}, 1000))
	}
	return s.frames
}

// TestFloods: whatever fills the tables, memory stays within the bound and a
// known handset is found within five seconds of packet time.
func TestFloods(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	address := func() netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], r.Uint32())
		b[0], b[1] = 10, 20
		return netip.AddrFrom4(b)
	}
	client := func() scriptDevice {
		d := scriptDevice{addr: address()}
		d.mac = [6]byte{0x02, 1}
		binary.BigEndian.PutUint32(d.mac[2:], r.Uint32())
		return d
	}
	server := func() netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(r.Uint32())}), 443)
	}
	one := deviceNumber(30)
	floods := map[string]func(s *script, n int){
		"syn": func(s *script, n int) { s.dial(one, uint16(n), server(), false) },
		"hello": func(s *script, n int) {
			c := s.dial(one, uint16(n), server(), true)
			c.segment(true, flagACK, []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3})
		},
		"dns": func(s *script, n int) {
			s.resolve(one, fmt.Sprintf("%x.example.com", r.Uint64()), netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}))
		},
		"dhcp": func(s *script, n int) { s.lease(client(), "host-"+strconv.Itoa(n)) },
	}
	for name, frames := range floods {
		t.Run(name, func(t *testing.T) {
			s, peak := flooded(t, frames, floodSize(t))
			if peak > 1<<29 {
				t.Errorf("heap peaked at %d MiB, want at most 512", peak>>20)
			}
			t.Logf("heap peaked at %d MiB", peak>>20)
			found := false
			for _, e := range s.episodes() {
				found = found || e.Maker == "xiaomi" && e.Condition == "sent"
			}
			if !found {
				t.Error("the known handset was not found")
			}
		})
	}
}

// flooded runs a flood and the known handset through a sensor with small
// tables.
func flooded(t *testing.T, frames func(*script, int), n int) (*session, uint64) {
	t.Helper()
	s := faultSession(t)
	f := &flood{left: n, make: frames, s: script{at: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixNano()}}
	f.after = afterFlood(f.s.at + int64(n)*4*int64(time.Millisecond))
	if err := s.run(f); err != nil {
		t.Fatal(err)
	}
	return s, f.peak
}

// faultSession is a sensor with one policy and small tables.
func faultSession(t *testing.T) *session {
	t.Helper()
	c := configs.Defaults()
	c.Limits.Flows, c.Limits.Devices, c.Limits.Names, c.Limits.StreamBytes = 1<<14, 2000, 1<<12, 4<<20
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	c.Policies = []alerts.Policy{p}
	a := &app{ctx: context.Background(), stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	j, err := compile(c, logger(a, c))
	if err != nil {
		t.Fatal(err)
	}
	return newSession(a, c, j)
}

// TestClockSteps: the clock of the capture steps an hour either way in the
// middle of a handset's traffic. Nothing is lost, nobody is accused twice.
func TestClockSteps(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			s := faultSession(t)
			frames := afterFlood(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixNano())
			for i := range frames[len(frames)/2:] {
				frames[len(frames)/2+i].At += int64(step)
			}
			if err := s.run(&played{frames}); err != nil {
				t.Fatal(err)
			}
			if list := s.episodes(); len(list) != 1 || list[0].Sent != 8000 {
				t.Errorf("%d episodes, %+v; want one of 8000 bytes", len(list), list)
			}
			devices := 0
			s.devices(func(v *device.View) bool {
				if v.Verdict.Maker == "xiaomi" {
					devices++
				}
				return true
			})
			if devices != 1 {
				t.Errorf("%d handsets, want 1", devices)
			}
		})
	}
}

// TestCrash: a process that panics, and one that the watchdog ends, die of
// SIGABRT, so that the service manager starts them again.
func TestCrash(t *testing.T) {
	if how := os.Getenv("PICKET_TEST_CRASH"); how != "" {
		crashBySignal()
		if how == "panic" {
			go panic("of a test")
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	}
	for _, how := range []string{"panic", "watchdog"} {
		child := exec.Command(os.Args[0], "-test.run=^TestCrash$")
		child.Env = append(os.Environ(), "PICKET_TEST_CRASH="+how)
		out, err := child.CombinedOutput()
		status, _ := child.ProcessState.Sys().(syscall.WaitStatus)
		if err == nil || !status.Signaled() || status.Signal() != syscall.SIGABRT {
			t.Errorf("%s: %v, want an end by SIGABRT\n%.300s", how, err, out)
		}
	}
}
