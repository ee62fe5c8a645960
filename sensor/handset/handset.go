// Package handset says what a device is: evidence × signatures → verdict,
// with its reasons. It knows no address, no country and no policy.
//
// The rules of accusation are in docs/accusation.md; every number that
// decides is in the signature set, so that a verdict can be replayed: the
// same evidence and the same set (by hash) give the same verdict.
package handset

import "time"

// Confidence is the band of a verdict.
type Confidence uint8

// The bands (docs/accusation.md): Weak from 0.60, Likely from 0.90, Certain
// from 0.99 with two families of weight, no conflict and no shared address.
const (
	None Confidence = iota
	Weak
	Likely
	Certain
)

var confidenceNames = [...]string{"none", "weak", "likely", "certain"}

// String returns none, weak, likely or certain.
func (c Confidence) String() string { return confidenceNames[c] }

// Plane says who asks a name: see docs/accusation.md.
type Plane uint8

// The planes. Only OS can lift a verdict above Weak.
const (
	Web Plane = iota // anyone's browser
	App              // any phone with that maker's app or SDK
	OS               // that maker's firmware alone
)

var planeNames = [...]string{"web", "app", "os"}

// String returns web, app or os.
func (p Plane) String() string { return planeNames[p] }

// Evidence is one observed fact about a device, in the words of
// `picket classify`: family and field are mac/address,
// dhcp/vendor_class|param_list|hostname, dns/qname, sni/server_name,
// quic/server_name, http/host, ua/user_agent, mdns/name, ssdp/server,
// push/model, tls/ja4.
type Evidence struct {
	At     time.Time
	Family string
	Field  string
	Value  string // empty: the option was sent, empty
	// Visit marks a name that was asked within seconds of a web visit: it
	// counts as web plane, so that nobody can be framed by a web page.
	Visit bool
}

// Reason is one line of a verdict's explanation.
type Reason struct {
	*Said
	Weight float64 // log-odds as counted, after caps and decay
}

// Said is what a reason says, whatever it weighs: one for all verdicts of a
// set in which the same speaks. It never changes.
type Said struct {
	Signature string // id of the signature entry, empty for a rule
	Family    string // hardware dhcp names user-agent local push tls
	Maker     string // whom it speaks for
	Text      string // in words an officer reads
}

// Candidate is a maker for whom any evidence speaks.
type Candidate struct {
	Maker      string
	Posterior  float64 // 0 to 1
	Confidence Confidence
}

// Verdict says what a device is and how sure that is.
type Verdict struct {
	Maker      string // best-supported candidate at every confidence; empty only when nothing speaks for anyone
	Class      string // handset tablet laptop tv wearable iot router server unknown
	Confidence Confidence
	Posterior  float64 // 1/(1+e^-L) at the time of the last evidence
	Handset    string  // yes, no, unknown
	Shared     bool    // several devices behind one address
	Model      string
	Reasons    []Reason
	Against    []Reason
	Also       []Candidate
	Signatures string // hash of the signature set
	// WouldChange says in words what further evidence would change the verdict.
	WouldChange []string
}
