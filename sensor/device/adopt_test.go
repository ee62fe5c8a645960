package device

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"picket/sensor/packet"
)

// Merge implements merger for the Judge of tests.
func (p *pieces) Merge(saved []byte) (changed bool, err error) {
	var o pieces
	if err := json.Unmarshal(saved, &o.Seen); err != nil {
		return false, err
	}
	for _, s := range o.Seen {
		found := false
		for _, mine := range p.Seen {
			found = found || mine == s
		}
		if !found {
			p.Seen, changed = append(p.Seen, s), true
		}
	}
	return changed, nil
}

var (
	adoptStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	adoptAddr  = netip.MustParseAddr("10.1.2.3")
)

func adoptTable() *Table { return New(Config{Key: []byte("k"), Judge: counted{}}) }

// told is a record as an access sensor gives it: MAC and lease.
func told(mac string, since time.Duration, evidence ...string) Record {
	b, _ := json.Marshal(evidence)
	return Record{Version: recordVersion, ID: "d-000000000001", Realm: "r", MAC: mac, Proven: true, Leased: true, First: adoptStart.Add(since),
		Last: adoptStart.Add(since + time.Minute), Addrs: []AddrRecord{{Addr: adoptAddr, Since: adoptStart.Add(since), Source: "dhcp"}}, Dossier: b}
}

// bare is a record as an edge sensor gives it: an address and what it said.
func bare(since time.Duration, evidence ...string) Record {
	r := told("", since, evidence...)
	r.Proven, r.Leased, r.Addrs[0].Source = false, false, "frame"
	return r
}

func mustAdopt(t *testing.T, x *Table, list ...Record) {
	t.Helper()
	for _, r := range list {
		if _, err := x.Adopt(r); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	phoneA = "28:6c:07:01:02:03"
	phoneB = "28:6c:07:0a:0b:0c"
)

func TestAdoptGivesTheSameInAnyOrderAndTwice(t *testing.T) {
	access := told(phoneA, 0, "dhcp/hostname=Redmi", "sni/server_name=update.miui.example")
	edge := bare(time.Second, "sni/server_name=find.miui.example")
	for name, list := range map[string][]Record{
		"access first": {access, edge}, "edge first": {edge, access, edge}, "twice": {access, access, edge, edge, access},
	} {
		x := adoptTable()
		mustAdopt(t, x, list...)
		v := x.Holder("r", adoptAddr)
		if v == nil || len(v.MACs()) != 1 || v.MACs()[0] != (packet.MAC{0x28, 0x6c, 0x07, 1, 2, 3}) || v.Verdict.Maker != "xiaomi" || v.Verdict.Confidence.String() != "certain" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestAdoptNeverGivesADeviceAnothersEvidence(t *testing.T) {
	x := adoptTable()
	mustAdopt(t, x, told(phoneB, time.Hour)) // it has had the address since ten
	_, err := x.Adopt(bare(0, "sni/server_name=find.miui.example", "sni/server_name=update.miui.example"))
	if !errors.Is(err, ErrHeldElse) {
		t.Errorf("evidence from nine o'clock: %v, want ErrHeldElse", err)
	}
	if v := x.Holder("r", adoptAddr); v.Verdict.Maker != "" {
		t.Errorf("accused of %s by what another sent", v.Verdict.Maker)
	}
}

func TestALeaseThatMovedWinsByTimeInAnyOrder(t *testing.T) {
	first, second := told(phoneA, 0), told(phoneB, time.Hour)
	for name, list := range map[string][]Record{"in order": {first, second}, "late": {second, first}, "again": {first, second, first}} {
		x := adoptTable()
		mustAdopt(t, x, list...)
		if v := x.Holder("r", adoptAddr); v == nil || v.MACs()[0] != (packet.MAC{0x28, 0x6c, 0x07, 0x0a, 0x0b, 0x0c}) {
			t.Errorf("%s: %+v holds it, want the second", name, v)
		}
	}
}

func TestReleaseEndsWhatWasHeldBeforeAlone(t *testing.T) {
	x := adoptTable()
	mustAdopt(t, x, told(phoneA, time.Minute))
	id := x.Holder("r", adoptAddr).ID
	if x.Release("r", adoptAddr, id, adoptStart) {
		t.Error("released as of a time before it was given")
	}
	if x.Release("r", adoptAddr, "d-ffffffffffff", adoptStart.Add(time.Hour)) {
		t.Error("released for another device")
	}
	if !x.Release("r", adoptAddr, id, adoptStart.Add(time.Hour)) {
		t.Error("not released")
	}
	if v := x.Holder("r", adoptAddr); v == nil || v.ID == id || len(v.MACs()) != 0 {
		t.Errorf("held by %+v, want somebody unknown", v)
	}
}

func TestRealmsAndRoutersAreLeftAlone(t *testing.T) {
	x := adoptTable()
	r := told(phoneA, 0)
	r.Router = true
	if _, err := x.Adopt(r); !errors.Is(err, ErrNobody) {
		t.Errorf("a router: %v, want ErrNobody", err)
	}
	mustAdopt(t, x, told(phoneA, 0))
	if v := x.Holder("other", adoptAddr); v != nil {
		t.Errorf("known in another realm: %+v", v)
	}
	outside := told(phoneB, 0)
	outside.Addrs[0].Addr = netip.MustParseAddr("203.0.113.9")
	mustAdopt(t, x, outside)
	if v := x.Holder("r", outside.Addrs[0].Addr); v != nil {
		t.Errorf("an address outside home is held by %s", v.ID)
	}
}
