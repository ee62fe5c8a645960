package alerts

import (
	"net/netip"
	"testing"
	"time"

	"picket/sensor/handset"
)

// plainFlow tells conversations apart by their ports.
func plainFlow(_ string, client, server netip.AddrPort, _ uint8) uint64 {
	return uint64(client.Port())<<16 | uint64(server.Port())
}

func fleetWorld(t *testing.T, store Store) *world {
	t.Helper()
	w := newWorld(t, worldConfig{store: store})
	w.judge.flowOf = plainFlow
	return w
}

// The conversations of an episode add up to what it says was sent, through
// a restart and for as long as there is room; beyond, it says until when
// some are missing.
func TestConversationsAddUpToTheEpisode(t *testing.T) {
	store := &Memory{}
	w := fleetWorld(t, store)
	v := phone("d-1", "xiaomi", handset.Certain)
	send := func(port uint16, at time.Time, n uint64) {
		tr := transfer(v, inCN, at, n)
		tr.Client = netip.AddrPortFrom(tr.Client.Addr(), port)
		tr.Flow = uint64(port)
		w.judge.Transfer(tr)
	}
	check := func(flows int, untold bool) {
		t.Helper()
		e := w.judge.Open()[0]
		var sum uint64
		for _, f := range e.Flows {
			sum += f.Sent
			if e.Servers[f.Server].Addr != inCN {
				t.Fatalf("conversation of server %d", f.Server)
			}
		}
		if len(e.Flows) != flows || !untold && sum != e.Sent || untold != !e.Untold.IsZero() || sum > e.Sent {
			t.Errorf("%d conversations of %d bytes, episode of %d, untold %v", len(e.Flows), sum, e.Sent, e.Untold)
		}
	}
	send(1000, start, 5000)
	send(1001, start.Add(time.Second), 700)
	send(1000, start.Add(2*time.Second), 300) // goes on
	check(2, false)
	w.judge.Flush()
	w = fleetWorld(t, store)
	check(2, false)
	send(1002, start.Add(3*time.Second), 50)
	check(3, false)
	for i := range maxFlows {
		send(uint16(2000+i), start.Add(time.Duration(4+i)*time.Millisecond+time.Minute), 10)
	}
	e := w.judge.Open()[0]
	if len(e.Flows) > maxFlows || e.Untold.IsZero() {
		t.Errorf("%d conversations, untold %v", len(e.Flows), e.Untold)
	}
	check(len(e.Flows), true)
}

func TestHeldConversationsAreFew(t *testing.T) {
	w := fleetWorld(t, nil)
	v := phone("d-1", "xiaomi", handset.Weak)
	for i := range 1000 {
		tr := transfer(v, inCN, start.Add(time.Duration(i)*time.Second), 10)
		tr.Client = netip.AddrPortFrom(tr.Client.Addr(), uint16(i))
		w.judge.Transfer(tr)
	}
	for d := range w.judge.dossiers.all {
		for _, a := range d.accounts() {
			if len(a.flows.of) == 0 || len(a.flows.of) > maxHeldFlows {
				t.Errorf("%d conversations held", len(a.flows.of))
			}
		}
	}
}

// A sensor alone keeps none of this.
func TestASensorAloneTellsNoConversationsApart(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.judge.Transfer(transfer(phone("d-1", "xiaomi", handset.Certain), inCN, start, 5000))
	if e := w.judge.Open()[0]; e.Flows != nil || !e.Untold.IsZero() {
		t.Errorf("%+v", e.Flows)
	}
}
