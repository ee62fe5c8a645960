package fleet

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"picket/alerts"
)

// cluster is three sensors with an embedded server each, on loopback. Each
// hears the others by way of a proxy, so that a cable can be cut.
type cluster struct {
	t      testing.TB
	dirs   []string
	confs  []Config
	nodes  []*Node
	desks  []*Desk
	phones []*phone // what each one's Alertmanager was told
	heard  []*inbox
	judges []*alerts.Judge
	stores []*alerts.Memory
	stop   []func()
	cables map[[2]int]*cable
}

// phone records notices.
type phone struct {
	mu    sync.Mutex
	lines []alerts.Notice
}

func (p *phone) Announce(n alerts.Notice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, n)
}

func (p *phone) count(k alerts.NoticeKind) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if l.Kind == k {
			n++
		}
	}
	return n
}

func (p *phone) last(k alerts.NoticeKind) (n alerts.Notice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if l.Kind == k {
			n = l
		}
	}
	return n
}

// inbox records messages.
type inbox struct {
	mu   sync.Mutex
	seen map[string]int // by id and version
}

func (i *inbox) take(m *Message) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen[m.msgID()]++
}

func (i *inbox) has(thing string) (versions, most int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for id, n := range i.seen {
		if len(id) > len(thing) && id[:len(thing)] == thing {
			versions++
			most = max(most, n)
		}
	}
	return versions, most
}

// cable forwards connections until it is cut, and again once it is mended.
type cable struct {
	to   string
	l    net.Listener
	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

func newCable(t testing.TB) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{l: l, open: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); c.set(true) })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			c.join(in)
		}
	}()
	return c
}

func (c *cable) join(in net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		in.Close()
		return
	}
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		in.Close()
		return
	}
	c.open[in], c.open[out] = true, true
	go func() { _, _ = io.Copy(out, in); in.Close(); out.Close() }()
	go func() { _, _ = io.Copy(in, out); in.Close(); out.Close() }()
}

func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.open {
			conn.Close()
		}
		clear(c.open)
	}
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	if os.Getenv("PICKET_E2E") == "" || testing.Short() {
		t.Skip("starts a cluster: set PICKET_E2E=1")
	}
	c := &cluster{t: t, cables: map[[2]int]*cable{}}
	for i := range 3 {
		c.confs = append(c.confs, Config{
			Mode: Embedded, Name: fmt.Sprintf("s%d", i+1), Cluster: freeAddr(t), MaxStore: 64 << 20, Share: []string{"default"}, Replicas: 3,
		})
		c.dirs = append(c.dirs, t.TempDir())
		c.phones, c.heard = append(c.phones, &phone{}), append(c.heard, &inbox{seen: map[string]int{}})
		c.stores = append(c.stores, &alerts.Memory{})
	}
	for i := range 3 {
		for k := range 3 {
			if i != k {
				w := newCable(t)
				w.to = c.confs[k].Cluster
				c.cables[[2]int{i, k}] = w
				c.confs[i].Routes = append(c.confs[i].Routes, w.l.Addr().String())
			}
		}
	}
	c.nodes, c.desks, c.stop, c.judges = make([]*Node, 3), make([]*Desk, 3), make([]func(), 3), make([]*alerts.Judge, 3)
	for i := range 3 {
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range 3 {
			c.kill(i)
		}
	})
	return c
}

var siteKey = []byte("one key for all three sensors...")

func (c *cluster) start(i int) {
	c.t.Helper()
	n, err := NewNode(NodeConfig{Config: c.confs[i], Dir: c.dirs[i], Key: siteKey})
	if err != nil {
		c.t.Fatal(err)
	}
	n.claimWait = time.Minute // the machine may be busy: who tells is the question here, not when
	d := NewDesk(n, c.phones[i], nil)
	judge := judgeOf(c.t, n.Name(), d, c.stores[i])
	sums, err := NewSums(n, judge, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	n.OnMessage = func(m *Message) {
		c.heard[i].take(m)
		switch m.Kind {
		case KindEpisode:
			d.Receive(m)
		case KindPartial:
			sums.Receive(m)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := n.Run(ctx); err != nil {
			c.t.Errorf("node %d: %v", i, err)
		}
	})
	wait.Go(func() { _ = d.Run(ctx) })
	wait.Go(func() { _ = sums.Run(ctx) })
	c.nodes[i], c.desks[i], c.judges[i] = n, d, judge
	c.stop[i] = func() {
		cancel()
		wait.Wait()
		if err := n.Close(); err != nil {
			c.t.Errorf("node %d: %v", i, err)
		}
	}
}

func (c *cluster) kill(i int) {
	if c.stop[i] != nil {
		c.stop[i]()
		c.stop[i] = nil
	}
}

// isolate cuts a sensor off from both others, or mends that.
func (c *cluster) isolate(i int, cut bool) {
	for ends, w := range c.cables {
		if ends[0] == i || ends[1] == i {
			w.set(cut)
		}
	}
}

// eventually waits for what other goroutines bring about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after three minutes still not: %s", what)
}

func (c *cluster) joined(n int) {
	c.t.Helper()
	eventually(c.t, "everybody hears everybody", func() bool {
		for _, x := range c.nodes {
			up := 0
			for _, s := range x.Sensors() {
				if s.State == "up" && s.Known {
					up++
				}
			}
			if up < n {
				return false
			}
		}
		return true
	})
}

func secretFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
