package fleet

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"picket/sensor/device"
)

var (
	simSensors = flag.Int("sim.sensors", 50, "sensors of the simulation")
	simRealms  = flag.Int("sim.realms", 10, "networks that they watch; sensors of one share what they know")
	simDevices = flag.Int("sim.devices", 1_000_000, "devices in all")
	simRate    = flag.Int("sim.rate", 20_000, "updates of devices a second in all")
	simTime    = flag.Duration("sim.time", 2*time.Minute, "how long")
)

// simTable is the device table of a simulated sensor: its records are as
// large as those of a phone with some evidence, and what others tell is timed.
type simTable struct {
	sim   *simulation
	realm string
	seen  time.Time // of the update that Record is asked for next
	known map[device.ID]time.Time
}

// Record implements Table.
func (s *simTable) Record(id device.ID) (device.Record, bool, error) {
	return device.Record{
		Version: 1, ID: id, Realm: s.realm, MAC: "28:6c:07:" + string(id[2:4]) + ":" + string(id[4:6]) + ":" + string(id[6:8]), Leased: true, Proven: true,
		Hardware: true, Hostname: "redmi", First: s.sim.began, Last: s.seen, Dossier: s.sim.dossier,
		Addrs: []device.AddrRecord{{Addr: netip.AddrFrom4([4]byte{10, id[10], id[11], id[12]}), Since: s.sim.began, Until: s.sim.began.Add(12 * time.Hour), Source: "dhcp"}},
	}, true, nil
}

// Adopt implements Table: it ends the way of an update.
func (s *simTable) Adopt(r device.Record) (*device.View, error) {
	if !r.Last.After(s.known[r.ID]) {
		return nil, nil // it is looked at again
	}
	s.known[r.ID] = r.Last
	s.sim.arrived.Add(1)
	if r.Last.UnixNano()%64 == 0 { // one of 64: see update
		s.sim.sample(time.Since(r.Last))
	}
	return nil, nil
}

// Release implements Table.
func (s *simTable) Release(string, netip.Addr, device.ID, time.Time) bool { return false }

// simulation is many sensors, with all but their frames, and a cluster of three.
type simulation struct {
	t       *testing.T
	began   time.Time
	dossier json.RawMessage
	told    atomic.Uint64
	arrived atomic.Uint64

	mu   sync.Mutex
	took []time.Duration
}

func (s *simulation) sample(d time.Duration) {
	s.mu.Lock()
	s.took = append(s.took, d)
	s.mu.Unlock()
}

// take returns the quantiles of what was sampled since the last time.
func (s *simulation) take() (p50, p99 time.Duration) {
	s.mu.Lock()
	list := s.took
	s.took = nil
	s.mu.Unlock()
	if len(list) == 0 {
		return 0, 0
	}
	slices.Sort(list)
	return list[len(list)/2], list[len(list)*99/100]
}

// simSensor is one of them.
type simSensor struct {
	*simulation
	node     *Node
	table    *simTable
	identity *Identity
	rand     *rand.Rand
	from, n  int // its devices
}

func (s *simSensor) id() device.ID {
	return device.ID(fmt.Sprintf("d-%012x", uint64(s.from+s.rand.IntN(s.n))*2654435761))
}

// run says its share of the updates until ctx is done: some every tenth of a
// second, as a table that finds evidence does.
func (s *simSensor) run(ctx context.Context, perSecond float64) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	due, second := 0.0, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		for due += perSecond / 10; due >= 1; due-- {
			v := &device.View{ID: s.id(), Realm: s.table.realm}
			s.identity.Note(v, now, true)
			s.told.Add(1)
		}
		s.table.seen = time.Unix(0, now.UnixNano()&^63|int64(s.rand.IntN(64)))
		s.identity.Poke(now)
		if second++; second%10 == 0 {
			s.identity.Tick(now)
		}
	}
}

// TestSimulation runs many sensors of the real code, disks included, against
// a cluster of three, all in this process, and prints what they carry.
func TestSimulation(t *testing.T) {
	if os.Getenv("PICKET_SIM") == "" {
		t.Skip("takes minutes and the whole machine: make fleet-sim")
	}
	s := &simulation{t: t, began: time.Now().UTC().Truncate(time.Second)}
	s.dossier = json.RawMessage(`{"items":[` + strings.TrimSuffix(strings.Repeat(`{"f":"names","v":"update.intl.miui.com","first":"2026-03-02T09:00:00Z","last":"2026-03-02T09:10:00Z","n":12},`, 6), ",") + `]}`)
	dir := t.TempDir()
	urls := s.cluster(dir)
	var sensors []*simSensor
	ctx, cancel := context.WithCancel(context.Background())
	var nodes, drivers sync.WaitGroup
	driving, stopDriving := context.WithCancel(ctx)
	for i := range *simSensors {
		x := s.sensor(i, filepath.Join(dir, fmt.Sprintf("s%03d", i)), urls)
		sensors = append(sensors, x)
		nodes.Go(func() { _ = x.node.Run(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		nodes.Wait()
		for _, x := range sensors {
			x.node.Close()
		}
	})
	s.joined(sensors)
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	s.told.Store(0)
	s.arrived.Store(0)
	s.take()
	from := time.Now()
	for _, x := range sensors {
		drivers.Go(func() { x.run(driving, float64(*simRate)/float64(*simSensors)) })
	}
	s.watch(from)
	stopDriving()
	drivers.Wait()
	lasted := time.Since(from)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	told, arrived := s.told.Load(), s.arrived.Load()
	drained := s.drain(sensors)
	var refused, lost, published uint64
	for _, x := range sensors {
		v := x.node.View()
		refused, lost, published = refused+v.Refused, lost+v.Lost, published+v.Published
	}
	cpuSpent := time.Duration(used.Utime.Nano()+used.Stime.Nano()) - cpu
	fmt.Printf("told %d (%.0f/s), arrived %d (%.0f/s, each at %d sensors) within %s; afterwards all was published in %s; refused %d, lost %d, published %d\n",
		told, float64(told)/lasted.Seconds(), arrived, float64(arrived)/lasted.Seconds(), *simSensors / *simRealms - 1, lasted.Round(time.Second), drained, refused, lost, published)
	fmt.Printf("processor %.2f cores, %.1f µs an update; resident %d MiB; disk %d MiB, of it the cluster %d MiB\n",
		cpuSpent.Seconds()/lasted.Seconds(), float64(cpuSpent.Microseconds())/float64(told), used.Maxrss>>10, size(dir)>>20, size(filepath.Join(dir, "cluster"))>>20)
	if lost > 0 {
		t.Errorf("%d given up", lost)
	}
}

// cluster starts three servers and returns where they listen.
func (s *simulation) cluster(dir string) (urls []string) {
	var confs []Config
	for i := range 3 {
		confs = append(confs, Config{Mode: Embedded, Name: fmt.Sprintf("c%d", i+1), Listen: freeAddr(s.t), Cluster: freeAddr(s.t), Replicas: 3, MaxStore: 8 << 30})
		urls = append(urls, "nats://"+confs[i].Listen)
	}
	for i := range confs {
		for k := range confs {
			if i != k {
				confs[i].Routes = append(confs[i].Routes, confs[k].Cluster)
			}
		}
		n, err := NewNode(NodeConfig{Config: confs[i], Dir: filepath.Join(dir, "cluster", confs[i].Name), Key: siteKey})
		if err != nil {
			s.t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var wait sync.WaitGroup
		wait.Go(func() { _ = n.Run(ctx) })
		s.t.Cleanup(func() { cancel(); wait.Wait(); n.Close() })
	}
	return urls
}

func (s *simulation) sensor(i int, dir string, urls []string) *simSensor {
	realm := fmt.Sprintf("campus-%d", i%*simRealms)
	n, err := NewNode(NodeConfig{Config: Config{Mode: URL, Name: fmt.Sprintf("s%03d", i), URLs: urls, Share: []string{realm}, Replicas: 3, MaxStore: 8 << 30}, Dir: dir, Key: siteKey})
	if err != nil {
		s.t.Fatal(err)
	}
	share := *simDevices / *simSensors
	x := &simSensor{simulation: s, node: n, table: &simTable{sim: s, realm: realm, known: map[device.ID]time.Time{}}, rand: rand.New(rand.NewPCG(uint64(i), 7)), from: i * share, n: share}
	x.identity = NewIdentity(n, x.table, func(*device.View, time.Time) bool { return true }, nil)
	n.OnMessage = func(m *Message) {
		if m.Kind == KindDevice {
			x.identity.Receive(m)
		}
	}
	return x
}

func (s *simulation) joined(sensors []*simSensor) {
	end := time.Now().Add(3 * time.Minute)
	for _, x := range sensors {
		for known := 0; known < len(sensors); time.Sleep(100 * time.Millisecond) {
			known = 0
			for _, p := range x.node.Sensors() {
				if p.Known {
					known++
				}
			}
			if time.Now().After(end) {
				s.t.Fatalf("%s hears %d of %d sensors: %q", x.node.Name(), known, len(sensors), x.node.View().Trouble)
			}
		}
	}
}

// watch prints every ten seconds how it goes.
func (s *simulation) watch(from time.Time) {
	told, arrived := uint64(0), uint64(0)
	for time.Since(from) < *simTime {
		time.Sleep(10 * time.Second)
		p50, p99 := s.take()
		t, a := s.told.Load(), s.arrived.Load()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Printf("%4.0f s: told %d/s, arrived %d/s, p50 %s, p99 %s, heap %d MiB\n", time.Since(from).Seconds(), (t-told)/10, (a-arrived)/10,
			p50.Round(time.Millisecond), p99.Round(time.Millisecond), m.HeapAlloc>>20)
		told, arrived = t, a
	}
}

// drain waits until the cluster has all that was said.
func (s *simulation) drain(sensors []*simSensor) time.Duration {
	from := time.Now()
	for _, x := range sensors {
		for time.Since(from) < 3*time.Minute {
			if n, _, err := x.node.spool.waiting(); err == nil && n == 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return time.Since(from).Round(100 * time.Millisecond)
}

func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
