// Package geo answers under whose law a server is: four bases, each with its
// source, and their disagreement said, not hidden.
package geo

import (
	"net/netip"
	"time"
)

// Country is an ISO 3166-1 alpha-2 code in capitals; empty is "not known".
// HK, MO and TW are codes of their own.
type Country string

// Basis is one of the four ways to say whose law applies.
type Basis string

// The bases (contract, DESIGN section 3). LocationSuspected is reported as a
// hit of its own when the location is known at low confidence only.
const (
	Location          Basis = "location"
	Registration      Basis = "registration"
	Operator          Basis = "operator"
	Owner             Basis = "owner"
	LocationSuspected Basis = "location-suspected"
)

// Confidence says how well a location is known.
type Confidence string

// The location confidences.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
	NoIdea Confidence = "none"
)

// Query is what the wire showed of a server.
type Query struct {
	Addr     netip.Addr // address connected to; zero when only a name is known
	Name     string     // as that conversation showed it
	CNAMEs   []string   // chain from Name to Addr
	PTRs     []string   // reverse names of Addr, when an answer to that question was seen
	Tunnel   bool       // the conversation is a tunnel or relay: its place says nothing
	Question bool       // a name was asked, no flow was seen
}

// Party is an operator or an owner with the home of its ultimate parent.
type Party struct {
	ASN  uint32  `json:"asn,omitempty"` // operators only
	Name string  `json:"name"`
	Home Country `json:"home"`
}

// Source is a database that an answer rests on.
type Source struct {
	DB    string    `json:"db"`
	Built time.Time `json:"built"`
}

// Jurisdiction is the answer by four bases.
type Jurisdiction struct {
	Addr               netip.Addr // the address judged: inner IPv4 of NAT64, 6to4, Teredo
	Outer              netip.Addr // the address on the wire, when another
	Location           Country
	LocationConfidence Confidence
	LocationFrom       string // region label, operator range, database, override
	Registration       Country
	Operator           Party
	OperatorFrom       string // cname, asn, range, registry, override
	Owner              Party
	OwnerFrom          string // signatures, owners, cctld, override
	CloudOwner         bool   // the name belongs to a public cloud or CDN: it owns nothing
	Anycast            bool
	MultiSite          bool   // one network, many places: the place depends on the address
	Relay              bool   // tunnel or relay: what lies behind is not to be seen
	Agree              bool   // the bases that answered say the same country
	Disagreement       string // who says what, when not
	Sources            []Source
}
