package device

import (
	"encoding/json"
	"net/netip"
	"time"

	"picket/sensor/observation"
)

// recordVersion is the version of Record that this build writes.
const recordVersion = 1

// Record is one device as a store keeps it: identity, bindings, joins and
// evidence. Import of what Export gave restores all of them.
type Record struct {
	Version  int                `json:"version"`
	ID       ID                 `json:"id"`
	Realm    string             `json:"realm"`
	MAC      string             `json:"mac,omitempty"`
	ClientID string             `json:"client_id,omitempty"` // keyed hash, never the value
	Host     string             `json:"host,omitempty"`      // keyed hash of host name and fingerprint
	Router   bool               `json:"router,omitempty"`
	Leased   bool               `json:"leased,omitempty"`
	Proven   bool               `json:"proven,omitempty"`   // the MAC was seen to be on the link
	Hardware bool               `json:"hardware,omitempty"` // the MAC is among the evidence
	Hostname string             `json:"hostname,omitempty"` // what of the host name may be shown
	First    time.Time          `json:"first"`
	Last     time.Time          `json:"last"`
	Addrs    []AddrRecord       `json:"addrs,omitempty"`
	Place    *observation.Place `json:"place,omitempty"`
	Into     ID                 `json:"into,omitempty"` // joined into this device
	Why      string             `json:"why,omitempty"`  // reason of the join
	Joined   time.Time          `json:"joined,omitzero"`
	Before   json.RawMessage    `json:"before,omitempty"` // evidence of Into before the join
	Dossier  json.RawMessage    `json:"dossier,omitempty"`
}

// AddrRecord is an address that a device holds.
type AddrRecord struct {
	Addr   netip.Addr `json:"addr"`
	Since  time.Time  `json:"since"`
	Until  time.Time  `json:"until,omitzero"` // end of the lease, when known
	Source string     `json:"source"`         // dhcp arp nd radius lease-file feed frame eui64
}
