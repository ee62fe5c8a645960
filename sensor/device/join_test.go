package device

import (
	"testing"
	"time"

	"picket/sensor/observation"
)

const duid = "ff00000001000100012a3b4c5d0a1b2c3d4e5f"

func withID(id string) observation.DHCPMessage { return observation.DHCPMessage{ClientID: id} }

func TestAnotherRandomMACIsAnotherDevice(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", random, "10.0.0.5", said0("Redmi-Note-12"))
	x := b.hello("", "10.0.0.5", random, "update.miui.example")
	b.wait(time.Hour)
	b.lease("", second, "10.0.0.6", said0("Redmi-Note-12")) // a name that thousands share
	y := b.hello("", "10.0.0.6", second, "")
	b.mustDiffer(x, y, "nothing says that it is the same")
	b.has(y, "miui", false)
}

func TestClientIdentifierJoinsAndUnjoins(t *testing.T) {
	for name, say := range map[string]observation.DHCPMessage{
		"client identifier":         withID(duid),
		"host name and fingerprint": said0("Annas-Handy"),
		"serial in the host name":   said0("android-3f5e2a1b9c0d4e7f"),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			b.lease("", random, "10.0.0.5", say)
			x := b.hello("", "10.0.0.5", random, "update.miui.example")
			b.table.View(x)
			b.table.Changes()
			b.wait(time.Hour)
			b.hello("", "10.0.0.6", second, "find.miui.example") // before its lease is seen
			member := b.table.withMAC(macKey{mac(second), 0})
			b.lease("", second, "10.0.0.6", say)
			y := b.hello("", "10.0.0.6", second, "push.apple.example")
			b.mustBe(x, y, "joined")
			v := b.table.View(y)
			if len(v.MACs()) != 2 || len(v.Addrs()) != 2 {
				t.Errorf("%d MACs, %d addresses; want 2, 2", len(v.MACs()), len(v.Addrs()))
			}
			gone := false
			for _, c := range b.table.Changes() {
				if c.Gone && c.Into == x.ID() && c.Why != "" {
					gone = true
				}
			}
			if !gone {
				t.Error("the join was not told")
			}
			b.has(x, "apple", true)
			if !b.table.Unjoin(member.id(), "asked to") {
				t.Fatal("nothing to undo")
			}
			z := b.hello("", "10.0.0.6", second, "")
			b.mustDiffer(x, z, "after the join was undone")
			b.has(x, "apple", false)
			b.has(x, "update.miui", true)
			b.has(z, "apple", true)
			b.has(z, "find.miui", true)
			b.has(z, "update.miui", false)
		})
	}
}

func TestDevicesPresentTogetherAreNotJoined(t *testing.T) {
	b := newBench(t, Config{})
	b.lease("", random, "10.0.0.5", withID(duid))
	x := b.hello("", "10.0.0.5", random, "update.miui.example")
	b.wait(time.Second)
	b.lease("", second, "10.0.0.6", withID(duid)) // copied while the owner is there
	b.mustDiffer(x, b.hello("", "10.0.0.6", second, ""), "both are there")

	c := newBench(t, Config{})
	c.lease("", random, "10.0.0.5", withID(duid))
	x = c.hello("", "10.0.0.5", random, "update.miui.example")
	c.wait(time.Hour)
	c.lease("", second, "10.0.0.6", withID(duid))
	c.hello("", "10.0.0.6", second, "push.apple.example")
	for range 6 { // and then the owner is back, both talking
		c.wait(3 * time.Second)
		c.hello("", "10.0.0.5", random, "")
		c.wait(3 * time.Second)
		c.hello("", "10.0.0.6", second, "")
	}
	y := c.hello("", "10.0.0.6", second, "")
	c.mustDiffer(x, y, "both in use at the same time")
	c.has(x, "apple", false)
	c.has(y, "miui", false)
}

func TestJoinsOfSeveralAreUndoneOneByOne(t *testing.T) {
	b := newBench(t, Config{})
	macs := []string{random, second, "2a:00:00:00:00:03"}
	names := []string{"update.miui.example", "ota.vivo.example", "push.apple.example"}
	var d []*Device
	for i, m := range macs {
		a := []string{"10.0.0.5", "10.0.0.6", "10.0.0.7"}[i]
		b.lease("", m, a, withID(duid))
		b.hello("", a, m, names[i])
		d = append(d, b.table.withMAC(macKey{mac(m), 0}))
		b.wait(time.Hour)
	}
	b.mustBe(d[0], d[2], "all joined")
	b.table.Unjoin(d[1].id(), "wrong")
	b.has(d[0], "vivo", false)
	b.table.Unjoin(d[2].id(), "wrong too")
	b.has(d[0], "vivo", false)
	b.has(d[0], "apple", false)
	b.has(d[0], "miui", true)
	b.has(d[2], "apple", true)
}

func TestHostNamesThatAreShownAndThatJoin(t *testing.T) {
	for host, want := range map[string]struct {
		shown    string
		personal bool
	}{
		"Redmi-Note-12-Pro":        {"Redmi-Note-12-Pro", false},
		"Galaxy-S21-von-Anna":      {"Galaxy-S21", false},
		"Annas-iPhone":             {"", true},
		"iPhone":                   {"iPhone", false},
		"android-3f5e2a1b9c0d4e7f": {"android", true},
		"":                         {"", false},
		"--":                       {"", false},
		"mi":                       {"mi", false},
		"Mia-Laptop":               {"", true},
	} {
		if s := shownName(host); s != want.shown {
			t.Errorf("%q is shown as %q, want %q", host, s, want.shown)
		}
		if p := personal(host); p != want.personal {
			t.Errorf("%q personal: %v, want %v", host, p, want.personal)
		}
	}
}
