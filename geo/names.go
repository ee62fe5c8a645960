package geo

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// searchSuffixes are appended by some resolvers and belong to no one: the
// special-use names of RFC 6761, RFC 6762, RFC 8375, RFC 9476 and what
// routers use for the local network.
var searchSuffixes = [...]string{".local", ".lan", ".home", ".home.arpa", ".localdomain", ".internal", ".intranet", ".fritz.box", ".corp", ".alt"}

// searchEndings are the last letters of searchSuffixes: most names end in
// another.
var searchEndings = func() (last [256]bool) {
	for _, s := range searchSuffixes {
		last[s[len(s)-1]] = true
	}
	return last
}()

// canonical is name in lower case without the final dot and without a search
// suffix that was appended to a whole name.
func canonical(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if n := len(name); n == 0 || !searchEndings[name[n-1]] {
		return name
	}
	for _, s := range searchSuffixes {
		if rest, ok := strings.CutSuffix(name, s); ok && strings.Contains(rest, ".") {
			return rest
		}
	}
	return name
}

// ASCII is name as it stands on the wire: a person writes пример.рф where a
// query says xn--e1afmkfd.xn--p1ai (RFC 5891). What is no such name stays as
// it is.
func ASCII(name string) string {
	for i := range len(name) {
		if name[i] < utf8.RuneSelf {
			continue
		}
		a, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
		if err != nil || !utf8.ValidString(name) {
			break
		}
		return a
	}
	return name
}

// parent is the domain above name, empty above a top-level domain.
func parent(name string) string {
	_, above, _ := strings.Cut(name, ".")
	return above
}

// leftOf is what name has below domain.
func leftOf(name, domain string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, domain), ".")
}

// registrable is the domain under which name was registered; empty for a
// public suffix itself and for what is no domain name.
func registrable(name string) string {
	if strings.IndexByte(name, '.') < 0 || isAddress(name) {
		return ""
	}
	d, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return ""
	}
	return d
}

// isAddress reports whether name is an IPv4 address in dots: no top-level
// domain is a number (RFC 3696, section 2).
func isAddress(name string) bool {
	c := name[len(name)-1]
	return c >= '0' && c <= '9'
}

// tld is the last label.
func tld(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// countryOf is the country whose code domain name stands under, empty for
// generic domains and for codes that are sold to anybody.
func countryOf(name string) Country {
	if strings.IndexByte(name, '.') < 0 || isAddress(name) {
		return ""
	}
	last := tld(name)
	if len(last) > 2 {
		return codeInScript[last]
	}
	if len(last) != 2 {
		return ""
	}
	switch last {
	case "uk":
		return "GB"
	case "su": // not in ISO 3166-1 any more; run by the registry of .ru under the same law
		return "RU"
	}
	if _, sold := soldCodes[last]; sold {
		return ""
	}
	return knownCountry(last)
}

// soldCodes are country-code domains whose registries sell to anybody as a
// generic ending, so that they say nothing about an owner's home. First the
// codes that Google treats as generic in its documentation on geotargeting,
// then Freenom's, which were free of charge, and others whose names are
// mostly held abroad because of what the letters spell.
var soldCodes = map[string]struct{}{
	"ad": {}, "ai": {}, "as": {}, "bz": {}, "cc": {}, "cd": {}, "co": {}, "dj": {}, "fm": {}, "io": {},
	"la": {}, "me": {}, "ms": {}, "nu": {}, "sc": {}, "sr": {}, "tv": {}, "tk": {}, "ws": {},
	"cf": {}, "ga": {}, "gq": {}, "ml": {}, "pw": {},
	"ac": {}, "ag": {}, "am": {}, "cx": {}, "gg": {}, "gl": {}, "gs": {}, "im": {}, "je": {}, "lc": {}, "li": {}, "ly": {},
	"mn": {}, "mu": {}, "nf": {}, "sh": {}, "so": {}, "st": {}, "tc": {}, "to": {}, "vc": {}, "vg": {}, "vu": {}, "eu": {},
}

// codeInScript are country-code domains in their own script (IANA root zone).
var codeInScript = map[string]Country{
	"xn--fiqs8s": "CN", "xn--fiqz9s": "CN", // China
	"xn--j6w193g": "HK", "xn--mix891f": "MO",
	"xn--kpry57d": "TW", "xn--kprw13d": "TW",
	"xn--p1ai": "RU", "xn--3e0b707e": "KR", "xn--90ais": "BY", "xn--j1amh": "UA", "xn--80ao21a": "KZ",
	"xn--90a3ac": "RS", "xn--e1a4c": "", "xn--qxam": "GR", "xn--node": "GE", "xn--y9a3aq": "AM",
	"xn--h2brj9c": "IN", "xn--mgbbh1a71e": "IN", "xn--fpcrj9c3d": "IN", "xn--gecrj9c": "IN", "xn--s9brj9c": "IN", "xn--xkc2dl3a5ee0h": "IN", "xn--45brj9c": "IN",
	"xn--mgba3a4f16a": "IR", "xn--mgbai9azgqp6j": "PK", "xn--mgbaam7a8h": "AE", "xn--mgberp4a5d4ar": "SA", "xn--wgbh1c": "EG", "xn--wgbl6a": "QA",
	"xn--o3cw4h": "TH", "xn--clchc0ea0b2g2a9gcd": "SG", "xn--yfro4i67o": "SG", "xn--fzc2c9e2c": "LK", "xn--54b7fta0cc": "BD", "xn--l1acc": "MN",
}
