package fleet

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"
)

func TestEverythingIsSaidAgainToAClusterThatLostIt(t *testing.T) {
	if os.Getenv("PICKET_E2E") == "" || testing.Short() {
		t.Skip("waits for the next look at the streams: set PICKET_E2E=1")
	}
	c := &cluster{t: t}
	addr := freeAddr(t)
	for i, conf := range []Config{
		{Mode: Embedded, Name: "s1", Listen: addr, MaxStore: 64 << 20, Share: []string{"default"}},
		{Mode: URL, Name: "s2", URLs: []string{"nats://" + addr}, MaxStore: 64 << 20, Share: []string{"default"}},
	} {
		c.confs, c.dirs = append(c.confs, conf), append(c.dirs, t.TempDir())
		c.phones, c.heard = append(c.phones, &phone{}), append(c.heard, &inbox{seen: map[string]int{}})
		c.nodes, c.desks, c.stop = append(c.nodes, nil), append(c.desks, nil), append(c.stop, nil)
		c.start(i)
	}
	t.Cleanup(func() { c.kill(1); c.kill(0) })
	c.joined(2)
	say := func(id string) {
		c.nodes[0].Say(&Message{Kind: KindDevice, Scope: "default", ID: id, Body: json.RawMessage(`{}`)})
	}
	arrived := func(id string) func() bool {
		return func() bool { v, _ := c.heard[1].has("s1/device/" + id + "/"); return v > 0 }
	}
	say("d-before")
	eventually(t, "it arrives", arrived("d-before"))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.nodes[1].at.Load().js.DeleteStream(ctx, StateStream); err != nil {
		t.Fatal(err)
	}
	say("d-after")
	eventually(t, "what is said afterwards arrives", arrived("d-after"))
	eventually(t, "what was said before is on the new stream", func() bool {
		get, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s, err := c.nodes[1].at.Load().js.Stream(get, StateStream)
		if err != nil {
			return false
		}
		info, err := s.Info(get)
		if err != nil {
			return false
		}
		for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
			raw, err := s.GetMsg(get, seq)
			if err != nil {
				continue
			}
			if m, err := c.nodes[1].spool.pack.decode(raw.Data); err == nil {
				for _, d := range m.devices() {
					if d.ID == "d-before" {
						return true
					}
				}
			}
		}
		return false
	})
}
