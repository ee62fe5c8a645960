package device

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"picket/sensor/packet"
)

// A device that was let go is not found any more, and who is put in its place
// later is not taken for it.
func TestAPlaceIsUsedAgain(t *testing.T) {
	const most = 4
	b := newBench(t, Config{MaxDevices: most})
	b.table.realm("default")
	var refs []ref
	for i := range 3*resting + most {
		m := packet.MAC{2}
		binary.BigEndian.PutUint32(m[2:], uint32(i))
		d := b.table.add(0, m, macIdentity(m), b.now.Add(time.Duration(i)*time.Second).UnixNano())
		for _, r := range refs[max(0, len(refs)-most-resting+1):] {
			if r.n == d.self {
				t.Fatalf("device %d lies where one lay that was let go a moment ago", i)
			}
		}
		refs = append(refs, d.ref())
		if b.table.byID.count > most || b.table.byMAC.count > most {
			t.Fatalf("%d devices, %d MACs", b.table.byID.count, b.table.byMAC.count)
		}
	}
	for i, r := range refs {
		d := b.table.slab.get(r)
		if there := i >= len(refs)-most; there != (d != nil) || there && d.seq != r.seq {
			t.Fatalf("device %d of %d: found %v", i, len(refs), d != nil)
		}
	}
	if n := b.table.slab.used; n > most+resting+1 {
		t.Errorf("%d places for %d devices", n, most)
	}
	var alive []uint32
	for d := range b.table.slab.all {
		alive = append(alive, d.seq)
	}
	slices.Sort(alive)
	if want := refs[len(refs)-most:]; len(alive) != most || alive[0] != want[0].seq || alive[most-1] != want[most-1].seq {
		t.Errorf("alive are %v, want %v", alive, want)
	}
}
