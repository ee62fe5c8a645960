package alerts

import (
	"fmt"
	"testing"

	"picket/sensor/device"
)

func TestNearDossiersFindTheRightOneOrNone(t *testing.T) {
	var n nearDossiers
	var all []*dossier
	var views []*device.View
	for i := range 3000 {
		v := &device.View{ID: device.ID(fmt.Sprintf("d-%d", i)), Seq: uint32(i + 1)}
		d := &dossier{id: v.ID}
		all, views = append(all, d), append(views, v)
		n.put(v.Seq, d, len(all))
	}
	for i, v := range views {
		if d := n.get(v); d != all[i] {
			t.Fatalf("%s: %+v", v.ID, d)
		}
	}
	again := &device.View{ID: "d-7", Seq: 5000} // let go, and seen again under another number
	n.put(again.Seq, all[7], len(all))
	if n.get(again) != all[7] || n.get(views[7]) != nil {
		t.Error("seen again: not found by the new number, or still by the old")
	}
	n.remove(all[7])
	if n.get(again) != nil {
		t.Error("found after it was removed")
	}
	other := &device.View{ID: "d-other", Seq: 1}
	if d := n.get(other); d != nil {
		t.Errorf("%s has the dossier of %s", other.ID, d.id)
	}
	if n.get(&device.View{ID: "d-1"}) != nil {
		t.Error("a view without a number found one")
	}
	if len(n) > 8192 {
		t.Errorf("%d slots for %d dossiers", len(n), len(all))
	}
}
