package device

import (
	"encoding/json"
	"testing"
	"time"

	"picket/sensor/observation"
)

func TestDevicesSurviveARestart(t *testing.T) {
	b := newBench(t, Config{Key: []byte("site")})
	b.lease("lab", random, "10.0.0.5", withID(duid))
	x := b.hello("lab", "10.0.0.5", random, "update.miui.example")
	b.wait(time.Hour)
	b.lease("lab", second, "10.0.0.6", withID(duid))
	b.hello("lab", "10.0.0.6", second, "push.apple.example")
	alone := b.hello("lab", "10.9.9.9", "", "find.miui.example")
	b.table.Observe(&observation.Observation{Kind: observation.ND, At: b.now, Realm: "lab", MAC: mac(gate),
		Neighbour: &observation.Neighbour{Addr: addrOf("fe80::1"), MAC: mac(gate), Op: "ra", Router: true}})
	members := b.table.byID.count

	c := newBench(t, Config{Key: []byte("site")})
	if err := b.table.Export(func(r Record) bool {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Record
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if err := c.table.Import(back); err != nil {
			t.Fatal(err)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if c.table.byID.count != members {
		t.Errorf("%d devices came back of %d", c.table.byID.count, members)
	}
	c.now = b.now.Add(time.Minute)
	y := c.hello("lab", "10.0.0.6", second, "")
	if y.ID() != x.ID() {
		t.Errorf("id %s, was %s", y.ID(), x.ID())
	}
	c.has(y, "miui", true)
	c.has(y, "apple", true)
	if !c.table.View(y).Leased {
		t.Error("the lease is forgotten")
	}
	if z := c.hello("lab", "10.9.9.9", "", ""); z.ID() != alone.ID() {
		t.Errorf("the address alone: id %s, was %s", z.ID(), alone.ID())
	}
	c.mustDiffer(c.hello("lab", "10.7.0.1", gate, ""), c.hello("lab", "10.7.0.2", gate, ""), "behind a router of before")
	if !c.table.Unjoin(c.table.withMAC(macKey{mac(second), 0}).id(), "asked to") {
		t.Fatal("the join is forgotten")
	}
	c.has(y, "miui", false)
	c.has(c.table.find(x.ID()), "apple", false)
}

func TestImportRefuses(t *testing.T) {
	good := Record{Version: 1, ID: "d-0123456789ab", MAC: phone}
	for what, spoil := range map[string]func(*Record){
		"a later version": func(r *Record) { r.Version = 2 },
		"no id":           func(r *Record) { r.ID = "" },
		"a strange id":    func(r *Record) { r.ID = "d-0123456789xy" },
		"a strange MAC":   func(r *Record) { r.MAC = "xx" },
		"a strange mark":  func(r *Record) { r.ClientID = "zz" },
		"broken evidence": func(r *Record) { r.Dossier = json.RawMessage(`{`) },
	} {
		b := newBench(t, Config{})
		r := good
		spoil(&r)
		if b.table.Import(r) == nil || b.table.byID.count != 0 {
			t.Errorf("%s: taken", what)
		}
	}
	b := newBench(t, Config{})
	if err := b.table.Import(good); err != nil {
		t.Error(err)
	}
	if b.table.Import(good) == nil {
		t.Error("twice the same: taken")
	}
}

func TestIDsAreStableSecretAndDistinct(t *testing.T) {
	id := func(key, realm, addr, m string) ID {
		return newBench(t, Config{Key: []byte(key)}).hello(realm, addr, m, "").ID()
	}
	if a, b := id("k", "", "10.0.0.5", phone), id("k", "", "10.0.0.99", phone); a != b {
		t.Errorf("%s and %s: the MAC is the identity", a, b)
	}
	if a, b := id("k", "", "10.0.0.5", phone), id("other", "", "10.0.0.5", phone); a == b {
		t.Error("the key does not matter")
	}
	if a := id("k", "", "10.0.0.5", ""); len(a) != 14 || a[:2] != "d-" {
		t.Errorf("id %q", a)
	}
	b := newBench(t, Config{})
	x := b.hello("", "10.0.0.5", phone, "")
	if b.table.newID(0, macIdentity(mac(phone))) == x.num {
		t.Error("two devices would have one id")
	}
}
