package sensor

import (
	"net/netip"
	"time"

	"picket/sensor/device"
	"picket/sensor/handset"
	"picket/sensor/observation"
)

// A Sink takes what the sensor learnt. Its methods are called by one
// goroutine, in packet-time order, and must not block for long; what they
// are given is theirs to keep and never changes.
type Sink interface {
	Transfer(Transfer)
	Verdict(VerdictChange)
	Identifier(Identifier)
	Question(Question)
	Tick(now time.Time) // packet time; at least once a second of it
}

// Transfer is what one device did in one conversation since the report
// before: counts are increases.
type Transfer struct {
	Device     *device.View // who; never nil
	Client     netip.AddrPort
	Server     netip.AddrPort
	Proto      uint8
	Flow       uint64 // id of the flow
	Name       string // as this conversation showed it; may be empty
	CNAMEs     []string
	Visibility observation.Visibility
	Tunnel     string
	Plane      handset.Plane // who asks Name, by the signature set; Web when unknown
	NameMaker  string        // maker whose signature Name matched, empty for none

	Sent, Handshake, Received uint64 // L4 payload bytes; Handshake is part of Sent
	Packets                   uint64
	First, Last               time.Time // of the conversation
	Attempt, OneWay, Final    bool
	VLAN                      uint16
}

// VerdictChange says that what is known of a device changed: maker, class,
// confidence, shared, identity (a lease moved, devices were joined).
type VerdictChange struct {
	At     time.Time
	Device *device.View
	Before handset.Verdict
	Gone   bool      // the device was evicted, or joined into another
	Into   device.ID // the device it was joined into
	Why    string
}

// Identifier is an identifier sent in clear by a device to a public address.
type Identifier struct {
	At     time.Time
	Device *device.View
	Server netip.AddrPort
	Name   string
	Found  observation.IdentifierFound

	Plane     handset.Plane // who asks Name, as in Transfer
	NameMaker string
}

// Question is a DNS question of a device, answered or not: an intention,
// never a transfer.
type Question struct {
	At        time.Time
	Device    *device.View
	Name      string
	Answered  bool
	Plane     handset.Plane
	NameMaker string
}
