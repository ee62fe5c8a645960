package device

import (
	"testing"
	"time"

	"picket/sensor/observation"
)

const (
	phone  = "f4:8b:32:00:00:01" // burnt-in
	other  = "5c:0a:5b:00:00:02"
	random = "5a:11:22:33:44:01" // locally administered
	second = "da:a1:19:00:00:07"
	gate   = "00:1b:21:00:00:fe"
)

func TestRealmsNeverMeet(t *testing.T) {
	b := newBench(t, Config{})
	x := b.hello("guests", "10.1.2.3", "", "update.miui.example")
	y := b.hello("staff", "10.1.2.3", "", "push.apple.example")
	b.mustDiffer(x, y, "one address in two realms")
	b.has(x, "miui", true)
	b.has(y, "miui", false)
	if v := b.table.View(y); v.Realm != "staff" || v.Verdict.Maker != "apple" {
		t.Errorf("staff: %s in %s", v.Verdict.Maker, v.Realm)
	}
	b.mustDiffer(b.hello("guests", "10.1.2.4", phone, ""), b.hello("staff", "10.1.2.4", phone, ""), "one MAC in two realms")
}

func TestLeaseThatMovesLeavesEvidenceBehind(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", phone, "10.0.0.5", observation.DHCPMessage{})
	x := b.hello("", "10.0.0.5", phone, "update.miui.example")
	began := b.now
	b.wait(time.Minute)
	b.lease("", other, "10.0.0.5", observation.DHCPMessage{})
	y := b.hello("", "10.0.0.5", other, "push.apple.example")
	b.mustDiffer(x, y, "a lease that moved")
	b.has(x, "miui", true)
	b.has(y, "miui", false)
	b.has(x, "apple", false)
	b.mustBe(b.flowTo("", "10.0.0.5", "", "203.0.113.9", gate, began), x, "a conversation from before the move")
	b.mustBe(b.flowTo("", "10.0.0.5", "", "203.0.113.9", gate, b.now), y, "a conversation from after the move")
	if b.table.Stats().Moved != 1 {
		t.Errorf("moved: %d, want 1", b.table.Stats().Moved)
	}
}

func TestLeaseBeyondARouterMovesWithItsHolder(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", phone, "10.0.0.5", observation.DHCPMessage{})
	x := b.hello("", "10.0.0.5", "", "update.miui.example") // no MAC beyond the router
	b.wait(time.Hour)
	b.lease("", other, "10.0.0.5", observation.DHCPMessage{})
	y := b.hello("", "10.0.0.5", "", "push.apple.example")
	b.mustDiffer(x, y, "leases by relay")
	b.has(y, "miui", false)
	if v := b.table.View(x); len(v.MACs()) != 1 || v.MACs()[0] != mac(phone) {
		t.Errorf("first holder has %v", v.MACs())
	}
}

func TestRouterIsNobody(t *testing.T) {
	for name, show := range map[string]func(b *bench){
		"by the addresses its frames carry": func(b *bench) {
			for _, a := range []string{"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4"} {
				b.hello("", a, gate, "")
			}
		},
		"by a router advertisement": func(b *bench) {
			b.table.Observe(&observation.Observation{Kind: observation.ND, At: b.now, MAC: mac(gate),
				Neighbour: &observation.Neighbour{Addr: addrOf("fe80::1"), MAC: mac(gate), Op: "ra", Router: true}})
		},
		"by what it brings from outside": func(b *bench) {
			b.flowTo("", "10.0.0.5", phone, "203.0.113.1", gate, b.now)
			b.flowTo("", "10.0.0.5", phone, "203.0.113.2", gate, b.now)
		},
		"by ARP for many": func(b *bench) {
			for _, a := range []string{"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5"} {
				b.arp("", a, gate)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			show(b)
			x := b.hello("", "10.0.9.1", gate, "update.miui.example")
			y := b.hello("", "10.0.9.2", gate, "push.apple.example")
			b.mustDiffer(x, y, "two hosts behind a router")
			b.has(x, "mac/address", false)
			b.has(x, "apple", false)
			routers := 0
			b.table.Views(func(v *View) bool {
				if v.Router {
					routers++
					if v.Verdict.Maker != "" || v.Verdict.Class != "router" {
						t.Errorf("the router is called %q %q", v.Verdict.Maker, v.Verdict.Class)
					}
				}
				return true
			})
			if routers != 1 {
				t.Errorf("%d routers, want 1", routers)
			}
		})
	}
}

func TestTheFarEndOfALinkIsNoDevice(t *testing.T) {
	b := newBench(t, Config{})
	b.flowTo("", "10.0.0.5", phone, "203.0.113.1", gate, b.now)
	n := 0
	b.table.Views(func(*View) bool { n++; return true })
	if s := b.table.Stats(); n != 1 || s.Devices != 1 {
		t.Errorf("%d shown, %d counted; want 1", n, s.Devices)
	}
}

func TestTwoHostsBehindOneUnprovenMACStayApart(t *testing.T) {
	b := newBench(t, Config{})
	x := b.hello("", "10.0.1.1", gate, "update.miui.example")
	y := b.hello("", "10.0.1.2", gate, "push.apple.example")
	z := b.hello("", "10.0.1.1", gate, "find.miui.example")
	b.mustDiffer(x, y, "two addresses of one MAC, nothing proves that it is a host's")
	b.mustBe(x, z, "the first address")
	b.has(x, "apple", false)
	b.has(y, "miui", false)
	b.has(x, "mac/address", false)
}

func TestDualStackOfOneMAC(t *testing.T) {
	b := newBench(t, Config{})
	b.arp("", "192.168.1.20", random)
	x := b.hello("", "192.168.1.20", random, "")
	for _, a := range []string{"fe80::1234", "fd00::1:2", "fd00::3:4", "fd00::5:6"} {
		b.mustBe(b.hello("", a, random, ""), x, a)
	}
	if v := b.table.View(x); len(v.Addrs()) != 5 || !v.RandomMAC {
		t.Errorf("%d addresses, random %v; want 5, true", len(v.Addrs()), v.RandomMAC)
	}
	eui := b.hello("", "fd00::f68b:32ff:fe00:1", phone, "")
	b.mustBe(b.hello("", "10.0.0.9", phone, ""), eui, "an address that contains the MAC proves it")
}

func TestAddressAloneBecomesAnotherDeviceAfterSilence(t *testing.T) {
	b := newBench(t, Config{IdleAddress: time.Hour})
	x := b.hello("", "10.0.0.5", "", "update.miui.example")
	b.wait(50 * time.Minute)
	b.mustBe(b.hello("", "10.0.0.5", "", ""), x, "within the idle time")
	b.wait(61 * time.Minute)
	y := b.hello("", "10.0.0.5", "", "")
	b.mustDiffer(x, y, "after the idle time")
	b.has(y, "miui", false)
}

func TestSomebodyElsesFramesAreNoEvidence(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", phone, "10.0.0.5", observation.DHCPMessage{})
	b.lease("", other, "10.0.0.6", observation.DHCPMessage{})
	x := b.hello("", "10.0.0.5", phone, "")
	y := b.hello("", "10.0.0.6", other, "")
	b.hello("", "10.0.0.5", other, "update.miui.example") // in another's name, and the server answered
	b.has(x, "miui", false)
	b.has(y, "miui", false)
}

func TestARPTakesAnAddressAndTheEvidenceWithIt(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", phone, "10.0.0.5", observation.DHCPMessage{})
	x := b.hello("", "10.0.0.5", phone, "")
	b.wait(time.Minute)
	b.arp("", "10.0.0.5", other) // a forgery makes its own traffic its own
	y := b.hello("", "10.0.0.5", other, "update.miui.example")
	b.mustDiffer(x, y, "after ARP spoofing")
	b.has(x, "miui", false)
}

func TestARepeaterIsShared(t *testing.T) {
	b := newBench(t, Config{})
	b.arp("", "10.0.0.5", gate)
	b.wait(time.Second)
	b.arp("", "10.0.0.6", gate)
	var d *Device
	for range 2 {
		for i, a := range []string{"10.0.0.5", "10.0.0.6"} {
			b.wait(10 * time.Second)
			d = b.hello("", a, gate, []string{"update.miui.example", "find.miui.example"}[i])
		}
	}
	if v := b.table.View(d); !v.Shared || v.Verdict.Confidence.String() == "certain" {
		t.Errorf("shared %v, %v", v.Shared, v.Verdict.Confidence)
	}
}

func TestANewLeaseIsNotShared(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", phone, "10.0.0.5", observation.DHCPMessage{})
	d := b.hello("", "10.0.0.5", phone, "")
	began := b.now
	b.wait(time.Minute)
	b.lease("", phone, "10.0.0.6", observation.DHCPMessage{})
	b.mustBe(b.hello("", "10.0.0.6", phone, ""), d, "another lease")
	b.wait(time.Second)
	b.flowTo("", "10.0.0.5", phone, "203.0.113.9", "", began) // reported late
	if b.table.View(d).Shared {
		t.Error("shared")
	}
}

func TestStrongerSourceOfTheSameMomentWins(t *testing.T) {
	b := newBench(t, Config{})
	b.dhcpAck("", phone, "10.0.0.5", time.Hour)
	b.wait(time.Second)
	b.arp("", "10.0.0.5", other)
	if v := b.table.Holder("", addrOf("10.0.0.5")); v == nil || v.MACs()[0] != mac(phone) {
		t.Errorf("held by %v, want the lease's device", v)
	}
	if b.table.Stats().Refused != 1 {
		t.Errorf("refused: %d, want 1", b.table.Stats().Refused)
	}
}
