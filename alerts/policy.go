package alerts

import (
	"time"

	"picket/geo"
)

// Policy is one sentence: prohibited devices × restricted places × threshold,
// with its exemptions. The zero value restricts nothing. Validate checks it,
// Compile makes it ready to judge.
type Policy struct {
	Name       string                 `yaml:"name"`
	Severity   Severity               `yaml:"severity,omitempty"`    // default observe
	SeverityAt map[string]Severity    `yaml:"severity_at,omitempty"` // by confidence: {likely: ticket}; the milder of it and the condition's holds
	Severities map[Condition]Severity `yaml:"severities,omitempty"`  // by condition; see condition
	Devices    Devices                `yaml:"devices"`
	Restricted Restricted             `yaml:"restricted"`
	Threshold  Threshold              `yaml:"threshold"`
	Hidden     Hidden                 `yaml:"hidden,omitempty"`
	Quiet      Duration               `yaml:"quiet,omitempty"` // without data before it resolves; default 2h
	Hours      *Hours                 `yaml:"hours,omitempty"`
	Zones      Zones                  `yaml:"zones,omitempty"`
	Except     Except                 `yaml:"except,omitempty"`
	Examples   []Example              `yaml:"examples,omitempty"`
}

// Devices says which devices are prohibited: any of makers, models and
// groups; and all of the rest.
type Devices struct {
	Makers     OneOrMore[string] `yaml:"makers,omitempty"`     // maker names, or any
	Models     OneOrMore[string] `yaml:"models,omitempty"`     // shell patterns, case ignored: "Redmi*"
	Groups     OneOrMore[string] `yaml:"groups,omitempty"`     // names of groups of makers
	Class      OneOrMore[Class]  `yaml:"class,omitempty"`      // default handset
	Confidence Confidence        `yaml:"confidence,omitempty"` // at least; default certain
	Families   OneOrMore[Family] `yaml:"families,omitempty"`   // evidence from every one of these is asked for
}

// Restricted says where data may not go.
type Restricted struct {
	Countries          geo.CountrySet    `yaml:"countries"`
	Basis              OneOrMore[Basis]  `yaml:"basis,omitempty"`               // default location, operator, owner
	Match              string            `yaml:"match,omitempty"`               // any-of (default): one basis suffices; all-of: every one
	LocationConfidence string            `yaml:"location_confidence,omitempty"` // at least low, medium (default) or high
	Owners             OneOrMore[string] `yaml:"owners,omitempty"`              // same-as-maker, or names of owners; default any
	Plane              OneOrMore[Plane]  `yaml:"plane,omitempty"`               // default os, app and web
}

// Threshold says how much is too much.
type Threshold struct {
	Sent   Size     `yaml:"sent,omitempty"`   // default 1 KiB
	Within Duration `yaml:"within,omitempty"` // default 10m
	Count  string   `yaml:"count,omitempty"`  // payload (default): handshakes apart; all
}

// Hidden says when the traffic of a prohibited device is mostly hidden:
// tunnelled or unnamed.
type Hidden struct {
	Share float64 `yaml:"share,omitempty"` // of the bytes sent within an hour; default 0.5
	Sent  Size    `yaml:"sent,omitempty"`  // at least so many of them; default 1 MiB
}

// Hours limits a policy to times of the week. Outside them nothing is judged.
type Hours struct {
	Days     OneOrMore[string] `yaml:"days,omitempty"` // mon tue ... or mon-fri; default every day
	From     string            `yaml:"from,omitempty"` // 08:00; default 00:00
	To       string            `yaml:"to,omitempty"`   // 18:00, exclusive; default 24:00; before From: over midnight
	Timezone string            `yaml:"timezone,omitempty"`
}

// Zones limits a policy to parts of the network; empty is everywhere.
type Zones struct {
	VLANs    []uint16          `yaml:"vlans,omitempty"`
	Networks OneOrMore[Prefix] `yaml:"networks,omitempty"` // of the device
	Realms   OneOrMore[string] `yaml:"realms,omitempty"`
}

// Except lists what a policy leaves alone.
type Except struct {
	MACs     []Exemption `yaml:"macs,omitempty"`
	Networks []Exemption `yaml:"networks,omitempty"` // of the device
	Names    []Exemption `yaml:"names,omitempty"`    // a name of a server and all below it
	Devices  []Exemption `yaml:"devices,omitempty"`  // ids
	Servers  []Exemption `yaml:"servers,omitempty"`  // addresses or networks
}

// Exemption is one entry of Except: a bare value, or with an end and a comment.
type Exemption struct {
	Value   string `yaml:"value"`
	Until   Date   `yaml:"until,omitempty"`
	Comment string `yaml:"comment,omitempty"`
}

// The defaults of a policy.
const (
	defaultSent       = Size(1 << 10)
	defaultWithin     = Duration(10 * time.Minute)
	defaultQuiet      = Duration(2 * time.Hour)
	defaultShare      = 0.5
	defaultHiddenSent = Size(1 << 20)

	payload = "payload"
	all     = "all"
	anyOf   = "any-of"
	allOf   = "all-of"

	sameAsMaker = "same-as-maker"
)
