package device

import (
	"strings"
	"time"

	"picket/sensor/handset"
)

// A page can make any browser ask for any name. A system name that is seen
// for the first time within visitWindow of the start of a web visit therefore
// counts as web plane, until it is seen again apart from visits: firmware
// asks again by itself, a page does not once it is closed. docs/identity.md
// weighs both errors.
const (
	visitWindow = 3 * time.Second
	apart       = time.Minute // sightings closer than this are one
	burstWithin = 2 * time.Second
	maxDoubtful = 8
	burstNames  = 8 // names unknown to the signatures, within burstWithin
)

// visit is what a device remembers of its web visits. Times are seconds; the
// lists are rings, the oldest entry giving way.
type visit struct {
	start   int64 // nanoseconds
	burst   int64 // when the first name of the present burst was seen
	unknown uint32
	names   uint8 // of the burst
	goodAt  uint8
	doubtAt uint8
	good    [6]uint32 // names seen apart from visits
}

type doubt struct{ name, at uint32 }

// sight takes one more name and reports whether it counts as web plane.
func (d *Device) sight(s sighting, m NameMatch) (web bool) {
	v, at := &d.visit, s.at.UnixNano()
	system := m.Known && m.Plane == handset.OS
	if !system && v.begins(s, m, at) {
		v.start = at
	}
	if !m.Known || m.Plane == handset.Web {
		return false // it is anyway
	}
	inside := s.browser || at >= v.start && at-v.start < int64(visitWindow)
	h := fold(s.name)
	for _, g := range v.good {
		if g == h {
			return false
		}
	}
	sec := uint32(at / int64(time.Second))
	if x := d.doubted(h); x != nil {
		if inside || sec-x.at < uint32(apart/time.Second) {
			return true
		}
		*x = doubt{}
	} else if inside {
		d.doubt(h, sec)
		return true
	}
	v.remember(h)
	return false
}

func (d *Device) doubted(name uint32) *doubt {
	list := d.odd().doubtful
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	return nil
}

func (d *Device) doubt(name, sec uint32) {
	r, v := d.makeOdd(), &d.visit
	if len(r.doubtful) < maxDoubtful {
		r.doubtful = append(r.doubtful, doubt{name, sec})
		return
	}
	r.doubtful[v.doubtAt] = doubt{name, sec}
	v.doubtAt = (v.doubtAt + 1) % maxDoubtful
}

func (v *visit) remember(h uint32) {
	v.good[v.goodAt] = h
	v.goodAt = (v.goodAt + 1) % uint8(len(v.good))
}

// begins reports whether a name that is no system name starts a web visit.
func (v *visit) begins(s sighting, m NameMatch, at int64) bool {
	if systemProbe(s.name) {
		return false
	}
	if s.browser || m.Known && m.Plane == handset.Web || !m.Known && pageName(s.name) {
		return true
	}
	return !m.Known && v.bursts(s.name, at)
}

// bursts counts unknown names in quick succession: a page full of third parties.
func (v *visit) bursts(name string, at int64) bool {
	if at-v.burst > int64(burstWithin) || at < v.burst {
		v.burst, v.names, v.unknown = at, 0, 0
	}
	if h := fold(name); h != v.unknown {
		v.unknown = h
		v.names++
	}
	return v.names >= burstNames
}

// pageName reports whether a host is named as sites are that people visit:
// www.example.org, m.example.org, example.org. Services of apps seldom are.
func pageName(name string) bool {
	first, rest, ok := strings.Cut(name, ".")
	if !ok {
		return false
	}
	return first == "www" || first == "m" || first == "wap" || !strings.Contains(rest, ".")
}

// systemProbe reports names that look like sites and that systems themselves
// ask when they join a network: connectivity checks of Android, iOS, Windows.
func systemProbe(name string) bool {
	switch name {
	case "www.google.com", "www.gstatic.com", "www.googleapis.com", "google.com",
		"www.apple.com", "www.msftconnecttest.com", "www.msftncsi.com":
		return true
	}
	return strings.HasSuffix(name, ".local") || strings.HasSuffix(name, ".arpa") || strings.HasSuffix(name, ".lan")
}

// browserCiphers are the second parts of JA4 that Chromium, Firefox and
// Safari have in common over many versions (FoxIO, JA4 technical details).
var browserCiphers = [...]string{"8daaf6152771", "5b57614c22b0", "a09f3c656075"}

// browserJA4 reports whether a ClientHello over TCP is a browser's. That of
// QUIC is the same in apps that use Chromium's network stack, and says nothing.
func browserJA4(ja4 string) bool {
	if len(ja4) < 23 || ja4[0] != 't' || ja4[10] != '_' {
		return false
	}
	for _, c := range browserCiphers {
		if ja4[11:23] == c {
			return true
		}
	}
	return false
}

// browserAgent reports whether a User-Agent is a browser's; those of Android's
// own HTTP client begin with Dalvik.
func browserAgent(ua string) bool {
	return strings.HasPrefix(ua, "Mozilla/") && !strings.Contains(ua, "CaptiveNetworkSupport") &&
		(strings.Contains(ua, "Safari/") || strings.Contains(ua, "Firefox/"))
}
