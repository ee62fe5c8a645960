package device

import (
	"encoding/json"
	"net/netip"
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// maxFeedLine bounds a line of the feed and of a lease file, in bytes.
const maxFeedLine = 4096

// maxPlaceText bounds each word of a place, in bytes; an SSID has 32.
const maxPlaceText = 64

// feedLine is a line of the feed. Times are RFC 3339 or seconds since 1970.
type feedLine struct {
	Realm string    `json:"realm"`
	Addr  string    `json:"addr"`
	MAC   string    `json:"mac"`
	From  feedTime  `json:"from"`
	To    feedTime  `json:"to"`
	Place feedPlace `json:"place"`
}

// ParseFeedLine reads a JSON line {realm, addr, mac, from, to, place} that a
// controller or a script sends. addr is required, mac too unless there is a
// place; a "to" that has passed ends the binding. place is a word, or an
// object of ap, ssid, switch, port and vlan. Keys not named here are ignored.
func ParseFeedLine(line []byte) (realm string, b observation.BindingSeen, err error) {
	b.Source = "feed"
	if len(line) > maxFeedLine {
		return "", b, ErrLine
	}
	var f feedLine
	if json.Unmarshal(line, &f) != nil || len(f.Realm) > maxPlaceText {
		return "", b, ErrLine
	}
	if b.Addr, err = netip.ParseAddr(f.Addr); err != nil || b.Addr.Zone() != "" {
		return "", b, ErrLine
	}
	if f.MAC != "" {
		var ok bool
		if b.MAC, ok = parseMAC(f.MAC); !ok {
			return "", b, ErrLine
		}
	}
	b.Place = observation.Place(f.Place)
	if b.MAC == (packet.MAC{}) && b.Place == (observation.Place{}) {
		return "", b, ErrLine
	}
	b.From, b.To = time.Time(f.From), time.Time(f.To)
	if !b.To.IsZero() && b.To.Before(b.From) {
		return "", b, ErrLine
	}
	if b.Place != (observation.Place{}) {
		b.Place.Source = "feed"
	}
	return f.Realm, b, nil
}

// feedTime is RFC 3339 text, or seconds since 1970.
type feedTime time.Time

func (t *feedTime) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		return nil
	case float64:
		if v < 0 || v > maxLeaseTime {
			return ErrLine
		}
		if v > 0 {
			*t = feedTime(time.Unix(0, int64(v*float64(time.Second))).UTC())
		}
		return nil
	case string:
		if v == "" {
			return nil
		}
		at, err := time.Parse(time.RFC3339, v)
		if err != nil || at.Year() < 1970 || at.Unix() > maxLeaseTime {
			return ErrLine
		}
		*t = feedTime(at.UTC())
		return nil
	}
	return ErrLine
}

// feedPlace is a place in one word, which is then the access point, or in its parts.
type feedPlace observation.Place

func (p *feedPlace) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil {
		if len(word) > maxPlaceText {
			return ErrLine
		}
		p.AccessPoint = word
		return nil
	}
	var parts struct {
		AP     string `json:"ap"`
		SSID   string `json:"ssid"`
		Switch string `json:"switch"`
		Port   string `json:"port"`
		VLAN   uint16 `json:"vlan"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return ErrLine
	}
	for _, s := range []string{parts.AP, parts.SSID, parts.Switch, parts.Port} {
		if len(s) > maxPlaceText {
			return ErrLine
		}
	}
	p.AccessPoint, p.SSID, p.Switch, p.Port, p.VLAN = parts.AP, parts.SSID, parts.Switch, parts.Port, parts.VLAN
	return nil
}
