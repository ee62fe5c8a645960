package device

import (
	"encoding/binary"
	"testing"
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

func said0(host string) observation.DHCPMessage {
	return observation.DHCPMessage{Hostname: host, HasHostname: true, VendorClass: "android-dhcp-13", HasVendorClass: true,
		ParamList: []int{1, 3, 6, 15}}
}

func TestDHCPCountsOnceAcknowledged(t *testing.T) {
	b := newBench(t, Config{})
	d := b.hello("", "10.0.0.5", phone, "")
	b.dhcpAsk("", phone, said0("Redmi-Note-12"))
	b.has(d, "dhcp/", false)
	b.wait(time.Second)
	b.dhcpAck("", phone, "10.0.0.5", time.Hour)
	for _, e := range []string{"dhcp/hostname=Redmi-Note-12", "dhcp/vendor_class=android-dhcp-13", "dhcp/param_list=1,3,6,15", "mac/address=" + phone} {
		b.has(d, e, true)
	}
	if v := b.table.View(d); !v.Leased || v.Hostname() != "Redmi-Note-12" {
		t.Errorf("leased %v, host name %q", v.Leased, v.Hostname())
	}
}

func TestDHCPThatNobodyAcknowledgesIsNothing(t *testing.T) {
	b := newBench(t, Config{})
	d := b.hello("", "10.0.0.5", phone, "")
	b.dhcpAsk("", phone, said0("Redmi-Note-12"))
	b.wait(2 * time.Minute)
	b.dhcpAck("", phone, "10.0.0.5", time.Hour) // to another request
	b.has(d, "dhcp/", false)
}

func TestDHCPOnAOneWaySpanCountsWhenTheAddressIsTaken(t *testing.T) {
	b := newBench(t, Config{})
	m := said0("Redmi-Note-12")
	m.Requested = addrOf("10.0.0.5")
	b.dhcpAsk("", phone, m)
	d := b.say("", "10.0.0.5", phone, "", false)
	b.has(d, "dhcp/", false)
	b.mustBe(b.hello("", "10.0.0.5", phone, ""), d, "the same MAC")
	b.has(d, "dhcp/hostname=Redmi-Note-12", true)
}

// A flood of requests from a million MACs, each acknowledged, neither grows
// the table nor pushes out a device that is known.
func TestDHCPStarvation(t *testing.T) {
	if testing.Short() {
		t.Skip("a million MACs: not with -short")
	}
	cfg := Config{MaxDevices: 1000, MaxPending: 256}
	b := newBench(t, cfg)
	known := b.hello("", "10.0.0.5", phone, "update.miui.example")
	for i := range 1_000_000 {
		var m packet.MAC
		m[0] = 2
		binary.BigEndian.PutUint32(m[2:], uint32(i))
		msg := &observation.DHCPMessage{Version: 4, Type: "request", MAC: m, Hostname: "x", HasHostname: true}
		b.table.Observe(&observation.Observation{Kind: observation.DHCP, At: b.now, DHCP: msg})
		if i%10 == 0 {
			given := addrOf("10.1.0.0").As4()
			binary.BigEndian.PutUint16(given[2:], uint16(i))
			ack := &observation.DHCPMessage{Version: 4, Type: "ack", FromServer: true, MAC: m, Given: packet.AddrFrom(addrOf("10.1.0.0")).Netip(), Lease: time.Hour}
			b.table.Observe(&observation.Observation{Kind: observation.DHCP, At: b.now, Answered: true, DHCP: ack})
		}
		b.now = b.now.Add(time.Millisecond)
	}
	s := b.table.Stats()
	if s.Devices > cfg.MaxDevices || len(b.table.pending.by) > cfg.MaxPending || b.table.byMAC.count > cfg.MaxDevices || b.table.byAddr.len() > cfg.MaxDevices {
		t.Errorf("%d devices, %d requests, %d MACs, %d addresses", s.Devices, len(b.table.pending.by), b.table.byMAC.count, b.table.byAddr.len())
	}
	if s.Evicted["full"] == 0 || s.Evicted["dhcp"] == 0 {
		t.Errorf("evictions are not counted: %v", s.Evicted)
	}
	b.mustBe(b.hello("", "10.0.0.5", phone, ""), known, "the known device")
	b.has(known, "miui", true)
}

func TestDHCPv6WithoutAMACIsKnownByItsDUID(t *testing.T) {
	b := newBench(t, Config{})
	reply := func(addr string) {
		b.table.Observe(&observation.Observation{Kind: observation.DHCP, At: b.now, Answered: true,
			DHCP: &observation.DHCPMessage{Version: 6, Type: "reply", FromServer: true, ClientID: "00040123456789abcdef0123456789abcdef", Given: addrOf(addr), Lease: time.Hour}})
	}
	reply("fd00::10")
	x := b.hello("", "fd00::10", "", "update.miui.example")
	b.wait(time.Hour)
	reply("fd00::20")
	b.mustBe(b.hello("", "fd00::20", "", ""), x, "one DUID")
}

func TestPlaceFromOption82(t *testing.T) {
	b := newBench(t, Config{})
	d := b.hello("", "10.0.0.5", phone, "")
	if w := b.table.View(d).Where(); w != "place unknown: no source" {
		t.Errorf("place %q", w)
	}
	b.table.Observe(&observation.Observation{Kind: observation.DHCP, At: b.now, DHCP: &observation.DHCPMessage{Version: 4, Type: "request",
		MAC: mac(phone), CircuitID: "ge-0/0/12", RemoteID: "sw-lib-2"}})
	want := "switch sw-lib-2, port ge-0/0/12 (option82, 2026-03-02 08:00:00Z)"
	if w := b.table.View(d).Where(); w != want {
		t.Errorf("place %q, want %q", w, want)
	}
}
