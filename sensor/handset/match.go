package handset

// Strength says how much one piece of evidence proves.
type Strength uint8

// The strengths, from nothing to proof of the maker's firmware or hardware.
const (
	Nothing   Strength = iota
	Weakly             // compatible with many others
	Copied             // a probe host that third parties have copied: once, and little
	Mostly             // mostly that maker's system (os-likely)
	Exclusive          // only that maker's system (os-exclusive)
)

var strengthNames = [...]string{"none", "weak", "copied", "likely", "exclusive"}

// String returns none, weak, copied, likely or exclusive.
func (s Strength) String() string { return strengthNames[s] }

// Match is what a name says: who owns it, who asks it, and which signature
// says so. The zero Match is "nobody known".
type Match struct {
	ID       string // id of the signature entry
	Maker    string
	Plane    Plane
	Strength Strength
	Form     string // product that asks it: phone tv router iot pc any ...
	Service  string // names of one service are one piece of evidence
	Owner    string // company that can read what is sent there
	Home     string // country of that company, ISO 3166-1
}

// Owner is the company behind a registrable domain.
type Owner struct {
	Domain  string
	Company string
	Home    string // ISO 3166-1 alpha-2
	Source  string
}
