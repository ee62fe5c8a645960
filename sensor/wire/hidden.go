package wire

import (
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"
)

// HiderKind is a kind of service that hides names from a passive sensor.
type HiderKind uint8

// The kinds, spelt as in the data files.
const (
	NotHidden HiderKind = iota
	DoT
	DoH
	DoQ
	Relay
	VPN
	Tor
	WiFiCalling // not a suspicion: it proves a SIM phone
)

var hiderKinds = [...]string{"", "dot", "doh", "doq", "relay", "vpn", "tor", "wificalling"}

// String returns the spelling of the data files and tunnel observations.
func (k HiderKind) String() string {
	if int(k) < len(hiderKinds) {
		return hiderKinds[k]
	}
	return ""
}

// Hider is one listed service.
type Hider struct {
	Kind  HiderKind // the first that is listed
	Kinds uint16    // all kinds: bit 1<<Kind
	Name  string    // of the service: "Quad9"
}

// Seen returns what a flow to the service on a port hides: a public resolver
// on port 53 hides nothing, on 853 it is DoT (TCP) or DoQ (UDP), elsewhere
// DoH. NotHidden: the service offers no such thing on that port.
func (h Hider) Seen(udp bool, port uint16) HiderKind {
	const resolver = 1<<DoT | 1<<DoH | 1<<DoQ
	if h.Kinds&resolver == 0 {
		return h.Kind
	}
	kind := DoH
	switch {
	case port == 53 || port == 80:
		return NotHidden
	case port == 853 && udp:
		kind = DoQ
	case port == 853:
		kind = DoT
	}
	if h.Kinds&(1<<kind) == 0 {
		return NotHidden
	}
	return kind
}

// Hiders answers whether a name or an address is a listed service. It is
// immutable: share it freely, swap it on reload. A nil Hiders lists nothing.
type Hiders struct {
	names map[string]hiderName
	addrs bart.Table[Hider]
}

// hiderName is what is listed for one name.
type hiderName struct {
	exact, below  Hider // below: for the name and all under it
	isExact, tree bool
}

// ByName returns the service that name (lower case, no trailing dot) belongs
// to: the longest listed name wins. Gateways of Wi-Fi calling are told by the
// form of their name (3GPP TS 23.003, section 19.4.2.9) and need no list.
func (h *Hiders) ByName(name string) (Hider, bool) {
	if isEPDG(name) {
		return Hider{WiFiCalling, 1 << WiFiCalling, "ePDG"}, true
	}
	if h == nil || len(name) > dnsMaxName {
		return Hider{}, false
	}
	if n := h.names[name]; n.isExact {
		return n.exact, true
	} else if n.tree {
		return n.below, true
	}
	for rest := name; ; {
		dot := strings.IndexByte(rest, '.')
		if dot < 0 {
			return Hider{}, false
		}
		rest = rest[dot+1:]
		if n := h.names[rest]; n.tree {
			return n.below, true
		}
	}
}

// ByAddr returns the service at addr: the longest listed prefix wins.
func (h *Hiders) ByAddr(addr netip.Addr) (Hider, bool) {
	if h == nil || !addr.IsValid() {
		return Hider{}, false
	}
	return h.addrs.Lookup(addr.Unmap())
}

// isEPDG: [label.]epdg.epc.mncNNN.mccNNN.pub.3gppnetwork.org, also with a
// country or tracking area before it.
func isEPDG(name string) bool {
	const root = ".pub.3gppnetwork.org"
	if len(name) < len("epdg.epc.mnc001.mcc001")+len(root) || !strings.HasSuffix(name, root) {
		return false
	}
	name = name[:len(name)-len(root)]
	mcc := len(name) - len("mnc001.mcc001")
	if mcc < 0 || name[mcc:mcc+3] != "mnc" || name[mcc+6:mcc+10] != ".mcc" {
		return false
	}
	host := name[:mcc]
	return strings.HasSuffix(host, "epdg.epc.") && (len(host) == 9 || host[len(host)-10] == '.')
}
