package main

import (
	"testing"
	"time"

	"picket/alerts"
	"picket/sensor/packet"
)

// TestTwoCampusesNeverAccuseEachOthersPhones: the same private address is a
// Redmi on one campus and an iPhone on the other, where it sends to China. As
// the realms are not shared, nobody is told of either; were the address alone
// enough, the second campus would page about the first one's phone.
func TestTwoCampusesNeverAccuseEachOthersPhones(t *testing.T) {
	north, south := campusPair(t)
	now := time.Now().UTC()
	north.see(dhcpOf(redmi, redmiAddr, "RedmiNote9Pro-Redmi", now)...)
	iphone := packet.MAC{0xa4, 0x83, 0xe7, 1, 2, 3}
	lease := dhcpOf(iphone, redmiAddr, "iPhone", now)
	lease[0].DHCP.VendorClass, lease[0].DHCP.HasVendorClass = "", false
	lease[0].DHCP.ParamList = []int{1, 121, 3, 6, 15, 108, 114, 119, 252}
	south.see(lease...)
	edgeTraffic(south, now.Add(50*time.Millisecond))
	passed := time.Now().Add(4 * time.Second)
	eventually(t, "time passes", func() bool { return time.Now().After(passed) }, north, south)
	for name, o := range map[string]*outpost{"north": north, "south": south} {
		if n, e := o.count(alerts.Opened); n != 0 && e.AlertedAs == "page" {
			t.Errorf("%s pages about %s %s", name, e.Maker, e.Device)
		}
	}
	if v := south.a.table.Holder("default", redmiAddr); v == nil || len(v.MACs()) > 0 && v.MACs()[0] == redmi {
		t.Errorf("the south holds %+v", v)
	}
	for _, s := range south.member.node.Sensors() {
		if len(s.Realms) != 0 {
			t.Errorf("%s shares %q", s.Name, s.Realms)
		}
	}
}
