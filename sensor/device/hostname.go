package device

import (
	"slices"
	"strings"
)

// defaultNames begin the host names that makers or systems give: thousands of
// devices share each, so they join nobody, and may be shown.
var defaultNames = []string{"android", "localhost", "iphone", "ipad", "redmi", "xiaomi", "mi", "poco",
	"galaxy", "sm", "samsung", "huawei", "honor", "oppo", "realme", "vivo", "iqoo", "oneplus", "pixel", "moto",
	"motorola", "nokia", "zte", "nubia", "meizu", "tecno", "infinix", "itel", "tcl", "sony", "xperia", "nothing",
	"asus", "lg", "lenovo", "fairphone", "phone", "tablet", "desktop", "laptop", "macbook", "linux", "raspberrypi",
	"debian", "ubuntu", "esp", "unknown", "none", "user", "admin", "m", "cph", "rmx", "mate", "nova"}

// modelWords may follow in such a name.
var modelWords = []string{"note", "pro", "max", "ultra", "lite", "plus", "mini", "pad", "fold", "flip", "edge",
	"tablet", "tv", "phone", "watch", "band", "fe", "neo", "gt", "nord", "power", "prime", "play", "zoom", "air",
	"mix", "civi", "black", "shark", "speed", "racing", "explorer", "hot", "spark", "camon", "pova", "zero", "smart",
	"5g", "4g", "go", "core", "ace", "turbo", "xl", "se", "mate", "nova", "magic"}

func hostWords(host string) []string {
	return strings.FieldsFunc(strings.ToLower(host), func(r rune) bool { return r == '-' || r == '_' || r == ' ' || r == '.' })
}

func isOneOf(word string, list []string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// shownName returns what of a host name says maker and model, and nothing of
// its owner: people name phones after themselves.
func shownName(host string) string {
	words := hostWords(host)
	if len(words) == 0 || !isOneOf(words[0], defaultNames) && !isOneOf(strings.TrimRight(words[0], "0123456789"), defaultNames) {
		return ""
	}
	n := 1
	for n < len(words) && n < 6 && (isOneOf(words[n], defaultNames) || isOneOf(words[n], modelWords) || modelCode(words[n])) {
		n++
	}
	end := 0 // in the original spelling
	for i := range n {
		end += strings.Index(strings.ToLower(host[end:]), words[i]) + len(words[i])
	}
	return host[:end]
}

// maxHostnames bounds the distinct names that may be shown.
const maxHostnames = 4096

func (t *Table) hostnameIndex(shown string) uint16 {
	if shown == "" {
		return 0
	}
	if i := slices.IndexFunc(t.hostnames, func(x *details) bool { return x.hostname == shown }); i >= 0 {
		return uint16(i + 1)
	}
	if len(t.hostnames) >= maxHostnames {
		t.stats.Evicted["hostname"]++
		return 0
	}
	t.hostnames = append(t.hostnames, &details{hostname: strings.Clone(shown)})
	return uint16(len(t.hostnames))
}

func (t *Table) hostname(n uint16) string {
	if n == 0 {
		return ""
	}
	return t.hostnames[n-1].hostname
}

// modelCode reports whether a word looks like 12, s21, 12t, a5: short, with a
// digit. A longer one may be a serial number.
func modelCode(w string) bool {
	return len(w) <= 6 && strings.ContainsAny(w, "0123456789") || len(w) == 1
}

// personal reports whether a host name can be expected to be one device's:
// it carries a serial (eight hexadecimal digits, as Android before 8 gave)
// or does not begin like one that a maker gives.
func personal(host string) bool {
	if len(host) < 5 {
		return false
	}
	if serial(strings.ToLower(host)) {
		return true
	}
	words := hostWords(host)
	if len(words) == 0 {
		return false
	}
	word := strings.TrimRight(words[0], "0123456789")
	return word != "" && !isOneOf(word, defaultNames) && !isOneOf(words[0], defaultNames)
}

// serial reports a run of eight hexadecimal digits with a decimal one in it.
func serial(h string) bool {
	run, digits := 0, false
	for i := 0; i < len(h); i++ {
		c := h[i]
		if c < '0' || c > '9' && c < 'a' || c > 'f' {
			run, digits = 0, false
			continue
		}
		run++
		digits = digits || c <= '9'
		if run >= 8 && digits {
			return true
		}
	}
	return false
}
