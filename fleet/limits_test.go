package fleet

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"
)

// noise is a body of n bytes that does not pack.
func noise(r *rand.Rand, n int) json.RawMessage {
	b := make([]byte, n/2)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return json.RawMessage(`{"x":"` + hex.EncodeToString(b) + `"}`)
}

// A stream that is full drops what is oldest; what is new arrives, nothing is
// counted as lost, and the sensor has its own state on its own disk.
func TestAFullStreamDropsTheOldestAlone(t *testing.T) {
	if os.Getenv("PICKET_E2E") == "" || testing.Short() {
		t.Skip("fills a stream: set PICKET_E2E=1")
	}
	addr := freeAddr(t)
	one := runs(t, Config{Mode: Embedded, Name: "s1", Listen: addr, MaxStore: minStore, Share: []string{"default"}})
	box := &inbox{seen: map[string]int{}}
	other, err := NewNode(NodeConfig{Config: Config{Mode: URL, Name: "s2", URLs: []string{"nats://" + addr}, MaxStore: minStore, Share: []string{"default"}}, Dir: t.TempDir(), Key: siteKey})
	if err != nil {
		t.Fatal(err)
	}
	other.OnMessage = box.take
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _ = other.Run(ctx) })
	t.Cleanup(func() { cancel(); wait.Wait(); other.Close() })
	eventually(t, "both have the streams", func() bool { return one.View().Connected && other.View().Connected })
	r := rand.New(rand.NewPCG(5, 6))
	const n, each = 45_000, 2000 // 45 MiB packed, into a stream of 32
	for i := range n {
		one.Say(&Message{Kind: KindDevice, Scope: "default", ID: fmt.Sprintf("d-%012x", i), Body: noise(r, each)})
		if i%500 == 499 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	last := fmt.Sprintf("s1/device/d-%012x/", n-1)
	eventually(t, "the last arrives", func() bool { v, _ := box.has(last); return v > 0 })
	eventually(t, "nothing waits", func() bool { w, _, err := one.spool.waiting(); return err == nil && w == 0 })
	info, err := one.at.Load().state.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if most := uint64(minStore) / stateShare; info.State.Bytes > most || info.State.FirstSeq == 1 {
		t.Errorf("stream of %d bytes from %d on, at most %d", info.State.Bytes, info.State.FirstSeq, most)
	}
	own := 0
	if err := one.spool.devices(func(*Message) { own++ }); err != nil || own != n || one.spool.dropped.Load() != 0 {
		t.Errorf("%d devices on the sensor's own disk, %d lost, %v", own, one.spool.dropped.Load(), err)
	}
}

// A sensor that is slow delays nobody else, and gets everything in the end.
func TestASlowSensorDelaysNobody(t *testing.T) {
	c := newCluster(t)
	c.joined(3)
	c.kill(2)
	slow := make(chan struct{})
	n, err := NewNode(NodeConfig{Config: c.confs[2], Dir: c.dirs[2], Key: siteKey})
	if err != nil {
		t.Fatal(err)
	}
	n.OnMessage = func(m *Message) {
		<-slow
		c.heard[2].take(m)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _ = n.Run(ctx) })
	c.nodes[2], c.stop[2] = n, func() { cancel(); wait.Wait(); n.Close() }
	quick := sync.OnceFunc(func() { close(slow) })
	t.Cleanup(quick) // before the cluster ends
	c.joined(3)
	const most = 20_000
	for i := range most {
		c.nodes[0].Say(&Message{Kind: KindDevice, Scope: "default", ID: fmt.Sprintf("d-%012d", i), Body: json.RawMessage(`{"record":{}}`)})
	}
	all := func(k int) func() bool {
		return func() bool {
			c.heard[k].mu.Lock()
			defer c.heard[k].mu.Unlock()
			return len(c.heard[k].seen) >= most
		}
	}
	eventually(t, "the quick one has all", all(1))
	if all(2)() {
		t.Fatal("the slow one is not slow")
	}
	quick()
	eventually(t, "the slow one has all, later", all(2))
}
