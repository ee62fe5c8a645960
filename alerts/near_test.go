package alerts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"picket/sensor/device"
)

func TestDossiersAreFoundByShortNumber(t *testing.T) {
	x := newDossiers()
	var all []*dossier
	var views []*device.View
	for i := range 3000 {
		v := &device.View{ID: device.ID(fmt.Sprintf("d-%d", i)), Seq: uint32(i + 1)}
		d := x.add(v.ID)
		all, views = append(all, d), append(views, v)
		x.bringNear(v.Seq, d)
	}
	for i, v := range views {
		if d := x.of(v); d != all[i] {
			t.Fatalf("%s: %+v", v.ID, d)
		}
	}
	again := &device.View{ID: "d-7", Seq: 5000} // let go, and seen again under another number
	x.bringNear(again.Seq, all[7])
	if x.of(again) != all[7] || x.of(views[7]) != nil {
		t.Error("seen again: not found by the new number, or still by the old")
	}
	x.remove(all[7])
	if x.of(again) != nil || x.get("d-7") != nil {
		t.Error("found after it was removed")
	}
	other := &device.View{ID: "d-other", Seq: 1}
	if d := x.of(other); d != nil {
		t.Errorf("%s has the dossier of %s", other.ID, d.id)
	}
	if x.of(&device.View{ID: "d-1"}) != nil {
		t.Error("a view without a number found one")
	}
	if len(x.near) > 8192 {
		t.Errorf("%d slots for %d dossiers", len(x.near), len(all))
	}
}

// Dossiers are a map with an order, whatever is added, touched and removed.
func TestDossiersAreAMapWithAnOrder(t *testing.T) {
	x := newDossiers()
	var order []device.ID
	rnd := rand.New(rand.NewPCG(5, 6))
	for step := range 50_000 {
		id := device.ID(fmt.Sprintf("d-%03d", rnd.IntN(700)))
		d, at := x.get(id), slices.Index(order, id)
		switch {
		case (d != nil) != (at >= 0) || d != nil && d.id != id:
			t.Fatalf("step %d: %s found %v, want %v", step, id, d != nil, at >= 0)
		case d == nil:
			x.add(id)
			order = append(order, id)
		case rnd.IntN(2) == 0:
			x.remove(d)
			order = slices.Delete(order, at, at+1)
		default:
			x.unlink(d)
			x.push(d)
			order = append(slices.Delete(order, at, at+1), id)
		}
		if x.count != len(order) {
			t.Fatalf("step %d: %d, want %d", step, x.count, len(order))
		}
	}
	var got []device.ID
	for d := range x.all {
		got = append(got, d.id)
	}
	if !slices.Equal(got, order) {
		t.Error("the order is another")
	}
	if x.used > 700 {
		t.Errorf("%d places for 700 dossiers", x.used)
	}
}
