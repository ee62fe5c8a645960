package geo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"picket/spellcheck"
)

// codes is how many pairs of letters there are.
const codes = 26 * 26

// assigned are the officially assigned codes of ISO 3166-1 and XK, which the
// databases use for Kosovo.
const assigned = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ " +
	"NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"

// ParseCountry reads a country code in capitals. What databases write for
// "no country" (EU, AP, A1, A2, O1, XX, ZZ, T1) is an error here.
func ParseCountry(s string) (Country, error) {
	c := Country(s)
	if c.Valid() {
		return c, nil
	}
	if up := Country(strings.ToUpper(s)); up.Valid() {
		return "", fmt.Errorf("country %q: write %s in capitals (ISO 3166-1)", s, up)
	}
	switch s {
	case "UK":
		return "", fmt.Errorf("country %q is not a code of ISO 3166-1; did you mean GB?", s)
	case "EU":
		return "", fmt.Errorf("country %q is not a code of ISO 3166-1; did you mean the group eu?", s)
	}
	return "", fmt.Errorf("country %q is not a code of ISO 3166-1%s", s, nearestCode(s))
}

// assignedAt has, for every pair of letters, where in assigned it stands, plus 1.
var assignedAt = func() (at [codes]uint16) {
	for i := 0; i+2 <= len(assigned); i += 3 {
		at[Country(assigned[i:i+2]).index()] = uint16(i + 1)
	}
	return at
}()

// Valid reports whether c is an assigned code.
func (c Country) Valid() bool {
	i := c.index()
	return i >= 0 && assignedAt[i] != 0
}

// UnmarshalText reads a code and checks it; nothing is "not known".
func (c *Country) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*c = ""
		return nil
	}
	got, err := ParseCountry(string(b))
	*c = got
	return err
}

// knownCountry is the country a database means by s: empty for EU, AP, A1,
// A2, O1, XX, ZZ, T1 and everything else that is no country.
func knownCountry(s string) Country {
	if len(s) != 2 {
		return ""
	}
	i := Country([]byte{upper(s[0]), upper(s[1])}).index()
	if i < 0 || assignedAt[i] == 0 {
		return ""
	}
	at := assignedAt[i] - 1
	return Country(assigned[at : at+2]) // s may be cut out of something larger
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// index is the place of c among all pairs of letters, -1 for no pair.
func (c Country) index() int {
	if len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
		return -1
	}
	return int(c[0]-'A')*26 + int(c[1]-'A')
}

func allCountries() []Country {
	var out []Country
	for _, w := range strings.Fields(assigned) {
		out = append(out, Country(w))
	}
	return out
}

// looksLikeCode reports whether w is meant as a country code.
func looksLikeCode(w string) bool { return len(w) == 2 && w != "eu" }

// nearestCode proposes the assigned codes that share a letter in its place.
func nearestCode(s string) string {
	if len(s) != 2 {
		return "; want two capital letters"
	}
	up := strings.ToUpper(s)
	if up[0] == up[1] { // nothing sensible shares a letter with XX
		return ""
	}
	if swapped := Country([]byte{up[1], up[0]}); swapped.Valid() {
		return fmt.Sprintf("; did you mean %s?", swapped)
	}
	for _, c := range allCountries() {
		if c[0] == up[0] {
			return fmt.Sprintf("; did you mean %s?", c)
		}
	}
	return ""
}

// nearestWord proposes the group whose name is nearest to name.
func nearestWord(name string, g Groups) string {
	best := spellcheck.Nearest(name, slices.Sorted(maps.Keys(g)))
	if best == "" {
		return "; want a code of two capital letters or the name of a group"
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
