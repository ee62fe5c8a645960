package e2e

import (
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"picket/alerts"
)

// crowd is how many handsets break the policy at once: more than are told of
// at once (200).
const crowd = 300

// storms lets a crowd of handsets become known, and then send to CN within a
// second.
func (c *campus) storms(p *phone, join func()) {
	c.t.Helper()
	known := c.record(join)
	offence := c.record(func() { p.upload("data.mistat.xiaomi.com", 3000) })
	var all, burst [][]byte
	for i := range crowd {
		mac := net.HardwareAddr{0x5a, 0x33, 0x22, 0x11, byte(i >> 8), byte(i)}
		ip := netip.AddrFrom4([4]byte{10, 20, 10 + byte(i/200), 1 + byte(i%200)})
		all = append(all, p.as(known, mac, ip)...)
		burst = append(burst, p.as(offence, mac, ip)...)
	}
	c.inject(all, 200*time.Microsecond)
	c.reaches(crowd, "picket_devices", "maker=xiaomi", "confidence=certain")
	c.inject(burst, 50*time.Microsecond)
}

func (w *walk) crowds(config string) {
	w.t.Helper()
	w.starts(config)
	w.storms(w.phone, w.joins)
}

// TestStorm: every device of a crowd breaks the policy at once. The officer
// gets a word about the storm and a few messages, not hundreds; everybody is
// told of in the end, once, and the store has all of them.
func TestStorm(t *testing.T) {
	c := newCampus(t)
	desk := c.openDesk("5s")
	c.listen("-c", c.config(true, oneKilobyteToCN[:strings.LastIndex(oneKilobyteToCN, "    quiet")]))
	phone := c.plug("redmi", "5a:11:22:33:44:01")
	c.storms(phone, func() { phone.lease("Redmi-Note-12", "android-dhcp-13"); phone.behave() })
	const devices = crowd + 1 // the phone that was recorded
	c.reaches(devices, "picket_episodes_total")
	if n := c.sum("picket_capture_dropped_frames_total"); n != 0 {
		t.Errorf("%v frames dropped", n)
	}
	c.reaches(1, "picket_notifications_held")
	until(t, "word of the storm", func() bool { return desk.heard(alerts.StormAlert, "firing") })
	atOnce := desk.messages()
	within(t, held, "everybody told of", func() bool { return len(desk.got()) >= devices })
	until(t, "end of the storm", func() bool { return desk.heard(alerts.StormAlert, "resolved") })
	told := map[string]int{}
	for _, p := range desk.got() {
		told[p.Receiver+" "+p.Status+" "+p.Labels["device"]]++
	}
	if len(told) != devices {
		t.Errorf("%d devices told of, want %d", len(told), devices)
	}
	if n := c.sum("picket_notifications_pending"); n != 0 {
		t.Errorf("%v alerts pending", n)
	}
	var stored struct{ Episodes []json.RawMessage }
	ok(t, json.Unmarshal([]byte(c.get(sensorURL+"/api/v1/episodes")), &stored))
	if n := len(stored.Episodes); n != devices {
		t.Errorf("%d episodes in the store, want %d", n, devices)
	}
	if n := desk.messages(); n > devices/3 {
		t.Errorf("%d messages about %d devices", n, devices)
	}
	t.Logf("%d devices: %d messages when the storm was told, %d in all", devices, atOnce, desk.messages())
}
