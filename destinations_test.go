package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
)

func TestDestinationsAddUp(t *testing.T) {
	var d destinations
	v := &device.View{ID: "d-a", Seq: 1}
	at := &geo.Jurisdiction{Location: "CN", Operator: geo.Party{Name: "Op", Home: "CN"}}
	for i := range 20 {
		d.add(&sensor.Transfer{Device: v, Server: netip.MustParseAddrPort("8.8.8.8:443"), Name: fmt.Sprintf("n%d.example", i/2), Sent: 10, Handshake: 3}, at)
	}
	d.add(&sensor.Transfer{Device: v, Server: netip.MustParseAddrPort("10.0.0.7:443"), Sent: 1000}, at) // placeless
	got := d.first(5)
	if len(got) != 1 || got[0].sent != 200 || got[0].handshake != 60 || len(got[0].names()) != maxNamesShown || d.to(got[0]).operator != "Op" {
		t.Errorf("%+v", got)
	}
}

func TestFirstDestinationsAreThoseOfAFullSort(t *testing.T) {
	var d destinations
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := r.Uint32N(50)
		v := &device.View{ID: device.ID(fmt.Sprintf("d-%04d", n)), Seq: n}
		d.add(&sensor.Transfer{Device: v, Server: netip.MustParseAddrPort("8.8.8.8:443"), Sent: r.Uint64N(100)}, &geo.Jurisdiction{Location: geo.Country(fmt.Sprint(r.Uint32N(30)))})
	}
	var all []*carried
	for c := range d.all {
		all = append(all, c)
	}
	slices.SortFunc(all, d.compare)
	if got := d.first(40); !slices.Equal(got, all[:40]) {
		t.Errorf("first 40 of %d differ", len(all))
	}
	if !slices.IsSortedFunc(d.first(1<<20), func(a, b *carried) int { return cmp.Compare(a.device, b.device) }) {
		t.Error("devices are mixed")
	}
}

func TestDestinationsAreBounded(t *testing.T) {
	var d destinations
	var sent uint64
	for i := range maxDestinations + 5000 {
		v := &device.View{ID: "d", Seq: uint32(i % 1000)}
		d.add(&sensor.Transfer{Device: v, Server: netip.MustParseAddrPort("8.8.8.8:443"), Sent: 1}, &geo.Jurisdiction{Location: geo.Country(fmt.Sprint(i / 1000))})
		sent++
	}
	if n := d.count; n > maxDestinations+1000 {
		t.Errorf("%d sums", n)
	}
	for c := range d.all {
		sent -= c.sent
	}
	if sent != 0 {
		t.Errorf("%d bytes lost", sent)
	}
}
