package flow

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"unsafe"

	"picket/sensor/packet"
)

// TestFlowSize keeps the size of a flow in sight: ten million must fit in
// 3 GiB, with their slots in the index (8 bytes each, 40 to 75 % in use).
func TestFlowSize(t *testing.T) {
	if n := unsafe.Sizeof(Flow{}); n > 280 {
		t.Errorf("a Flow takes %d bytes, want at most 280", n)
	}
}

// crowd fills a table with n flows and returns a packet to address them by.
func crowd(n int) (*Table, *packet.Packet) {
	tab := New(Config{MaxFlows: n + 1, Home: home()}, nil)
	var k talk
	p := k.udp(true, "payload")
	for i := range n {
		address(p, i)
		tab.Touch(p)
	}
	return tab, p
}

func address(p *packet.Packet, i int) {
	p.Src[13], p.Src[14], p.Src[15] = byte(i>>16), byte(i>>8), byte(i)
	p.SrcPort = uint16(40000 + i>>24)
	p.FragID++
}

var crowds = []struct {
	name  string
	flows int
}{{"in-cache", 1000}, {"1M-flows", 1 << 20}, {"10M-flows", 10_000_000}}

// BenchmarkHit counts frames of known flows, each looked for when its turn has
// come.
func BenchmarkHit(b *testing.B) {
	for _, n := range crowds {
		b.Run(n.name, func(b *testing.B) {
			tab, p := crowdFor(b, n.flows)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % n.flows
				address(p, i)
				tab.Touch(p)
			}
		})
	}
}

// BenchmarkSeek does so for sixteen at a time, as a worker does.
func BenchmarkSeek(b *testing.B) {
	for _, n := range crowds {
		b.Run(n.name, func(b *testing.B) {
			tab, p := crowdFor(b, n.flows)
			var ahead [16]packet.Packet
			var places [16]Place
			for j := range ahead {
				ahead[j] = *p
			}
			b.ReportAllocs()
			i := 0
			rounds := 0
			for b.Loop() {
				rounds++
				for j := range ahead {
					i = (i + 7919) % n.flows
					ahead[j].FragID = p.FragID
					address(&ahead[j], i)
					p.FragID++
					places[j].Key(tab, &ahead[j])
				}
				tab.Seek(places[:])
				for j := range ahead {
					tab.TouchAt(&ahead[j], &places[j])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*len(ahead)), "ns/frame")
		})
	}
}

// mostMemory is what ten million flows may take, index and all.
const mostMemory = 3 << 30

// crowdFor is crowd for a benchmark, which says how much memory a flow of a
// large crowd takes.
func crowdFor(b *testing.B, n int) (*Table, *packet.Packet) {
	b.Helper()
	if n < 10_000_000 {
		tab, p := crowd(n)
		b.ResetTimer()
		return tab, p
	}
	if testing.Short() || memory(b, "/proc/meminfo", "MemAvailable:") < mostMemory+1<<30 {
		b.Skip("needs 4 GiB of free memory")
	}
	debug.FreeOSMemory()
	before := memory(b, "/proc/self/status", "VmRSS:")
	tab, p := crowd(n)
	took := memory(b, "/proc/self/status", "VmRSS:") - before
	if took > mostMemory {
		b.Errorf("%d flows take %d MiB", n, took>>20)
	}
	b.ResetTimer()
	b.Cleanup(func() { b.ReportMetric(float64(took)/float64(n), "B/flow") })
	return tab, p
}

// memory reads a line of one of the kernel's tables, in bytes.
func memory(b *testing.B, file, field string) int {
	b.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(text), field)
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(field, err)
	}
	return kib << 10
}

func BenchmarkTCP(b *testing.B) {
	tab := New(Config{Home: home()}, nil)
	var k talk
	p := k.tcp(true, packet.ACK, 1, 1, "payload")
	b.ReportAllocs()
	for b.Loop() {
		p.Seq += 7
		p.FragID++
		tab.Touch(p)
	}
}

// BenchmarkNew makes, reports and drops one flow a round, in a table that is
// always full.
func BenchmarkNew(b *testing.B) {
	tab, p := crowd(1 << 16)
	i := 1 << 16
	b.ReportAllocs()
	for b.Loop() {
		i++
		address(p, i)
		p.At += 1000
		tab.Touch(p)
		tab.Expire(p.At)
	}
}

func BenchmarkGoMap(b *testing.B) { // what the index is measured against
	for _, n := range []int{1000, 1 << 20} {
		b.Run(map[int]string{1000: "in-cache", 1 << 20: "1M-flows"}[n], func(b *testing.B) {
			m := map[Key]uint32{}
			var k talk
			p := k.udp(true, "payload")
			flows := make([]Flow, n)
			for i := range n {
				address(p, i)
				var key Key
				key.of(p)
				m[key] = uint32(i)
			}
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				address(p, i)
				var key Key
				key.of(p)
				flows[m[key]].last++
			}
		})
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 1 << 20} {
		b.Run(map[int]string{1000: "in-cache", 1 << 20: "1M-flows"}[n], func(b *testing.B) {
			tab, p := crowd(n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				address(p, i)
				var key Key
				key.of(p)
				tab.index.find(&tab.slab, &key, tab.index.hashOf(&key)).last++
			}
		})
	}
}
