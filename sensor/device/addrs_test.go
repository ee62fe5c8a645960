package device

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// The index says what a map says, whatever is put and removed.
func TestAddrIndexIsAMap(t *testing.T) {
	x, want := newAddrIndex(), map[addrKey]int64{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range 200_000 {
		k := addrKey{addr: packet.Addr{15: byte(rnd.IntN(200)), 14: byte(rnd.IntN(5))}, realm: uint16(rnd.IntN(3))}
		since, there := want[k]
		switch b := x.get(k); {
		case there != (b != nil) || there && b.since != since:
			t.Fatalf("step %d: %v is %+v, want %d %v", n, k, b, since, there)
		case there && rnd.IntN(2) == 0:
			x.remove(k)
			delete(want, k)
		case !there:
			if b := x.at(x.put(k, binding{since: int64(n), addr: k.addr})); b.since != int64(n) {
				t.Fatal("put returns another")
			}
			want[k] = int64(n)
		}
		if x.len() != len(want) {
			t.Fatalf("step %d: %d, want %d", n, x.len(), len(want))
		}
	}
	if int(x.used) > 3*1000 {
		t.Errorf("%d bindings taken for at most 3,000 at once", x.used)
	}
}

// Looking ahead changes nothing and allocates nothing.
func TestAheadChangesNothing(t *testing.T) {
	b := newBench(t, Config{})
	var next []observation.Observation
	for n := range 100 {
		o := observation.Observation{Kind: observation.FlowReport, At: b.now, Realm: "default", ClientHome: true}
		o.Client, o.Server = ends("10.0.0."+strconv.Itoa(1+n%10), "203.0.113.7")
		next = append(next, o, observation.Observation{})
	}
	b.table.Ahead(next) // nobody is known yet
	for i := range next {
		b.table.Observe(&next[i])
	}
	before := b.table.Stats()
	if n := testing.AllocsPerRun(10, func() { b.table.Ahead(next) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if after := b.table.Stats(); after.Devices != before.Devices || after.Devices != 10 || len(b.table.Changes()) != 0 {
		t.Errorf("%+v, before %+v", after, before)
	}
}

// The cache says what a map with a queue says.
func TestNameCacheIsAMap(t *testing.T) {
	const limit = 300
	c, want := newNameCache(limit), map[nameKey]nameValue{}
	var queue []nameKey
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := range 100_000 {
		k := nameKey{packet.Addr{15: byte(rnd.IntN(100))}, uint32(rnd.IntN(10))}
		v := nameValue{name: strconv.Itoa(rnd.IntN(2)), from: uint32(n), until: uint32(n + rnd.IntN(900))}
		old, there := want[k]
		switch {
		case there && old.name == v.name && v.from <= old.until:
			v.from = old.from
		case !there:
			queue = append(queue, k)
		}
		full := !there && len(want) == limit
		if full {
			delete(want, queue[0])
			queue = queue[1:]
		}
		want[k] = v
		if evicted := c.put(k, nameValue{name: v.name, from: uint32(n), until: v.until}); evicted != full {
			t.Fatalf("step %d: evicted %v, want %v", n, evicted, full)
		}
		other := nameKey{packet.Addr{15: byte(rnd.IntN(100))}, uint32(rnd.IntN(10))}
		_, e := c.find(&other, c.hash(&other))
		if w, ok := want[other]; ok != (e != nil) || ok && e.nameValue != w {
			t.Fatalf("step %d: %v is %+v, want %+v", n, other, e, w)
		}
	}
}
