package handset

import (
	"iter"
	"strings"
)

// hit is one signature that a piece of evidence matches.
type hit struct {
	sig   uint16
	sub   uint16 // which service below a rule that has many
	model string // the part of the value that names a model
	rank  int    // how far a model name can be trusted: more is better
}

// maxHits bounds the signatures of one piece of evidence.
const maxHits = 6

// maxValue bounds what is searched in a value: a host name has at most 63
// bytes, a User-Agent seldom more than 300.
const maxValue = 512

// recognise appends the signatures that e matches.
func (s *Set) recognise(hits []hit, e *Evidence) []hit {
	v := e.Value
	if len(v) > maxValue {
		v = v[:maxValue]
	}
	switch e.Family {
	case "dns", "sni", "quic", "http":
		return s.recogniseName(hits, v)
	case "mac":
		if mac, ok := parseMAC(v); ok {
			if sig := s.hardware(mac); sig != 0 {
				hits = append(hits, hit{sig: sig - 1})
			}
		}
	case "dhcp":
		return s.recogniseDHCP(hits, e.Field, v)
	case "ua":
		hits = s.find(hits, userAgents, v, 0)
		for m := range modelsInUserAgent(v) {
			if with := s.recogniseModel(hits, m, 2); len(with) > len(hits) {
				return with
			}
		}
	case "push":
		return s.recogniseModel(hits, strings.TrimSpace(v), 3)
	case "mdns":
		hits = s.find(hits, announcements, v, 0)
		if host, _, ok := strings.Cut(v, ".local"); ok && !strings.Contains(host, "._") {
			hits = s.find(hits, announcements, host, 0)
		}
	case "ssdp":
		return s.find(hits, ssdpServers, v, 0)
	case "tls":
		return s.findExact(hits, "ja4 ", v)
	case Signature:
		return s.recogniseSignature(hits, e.Field, v)
	}
	return hits
}

func (s *Set) recogniseName(hits []hit, name string) []hit {
	if i := strings.IndexByte(name, ':'); i > 0 { // an HTTP host may carry a port
		name = name[:i]
	}
	sig, left := s.names.find(name)
	if sig == 0 {
		return hits
	}
	h := hit{sig: sig - 1}
	if s.sigs[h.sig].each {
		if left == 0 {
			left = len(name)
		}
		h.sub = serviceOf(name[:left])
	}
	return append(hits, h)
}

func (s *Set) recogniseDHCP(hits []hit, field, v string) []hit {
	switch field {
	case "vendor_class":
		return s.find(hits, vendorClasses, v, 1)
	case "hostname":
		return s.recogniseHost(hits, v)
	case "param_list":
		return s.findExact(hits, "param_list ", strings.ReplaceAll(v, " ", ""))
	}
	return hits
}

// recogniseHost matches a DHCP host name, however the client or the source
// of the evidence spells it: with blanks, underscores, or a domain.
func (s *Set) recogniseHost(hits []hit, v string) []hit {
	none := len(hits)
	if hits = s.find(hits, hostnames, v, 1); len(hits) > none {
		return hits
	}
	host, _, _ := strings.Cut(v, ".")
	if host = spelling.Replace(host); host != v {
		hits = s.find(hits, hostnames, host, 1)
	}
	return hits
}

var spelling = strings.NewReplacer(" ", "-", "_", "-", "'", "-", "’", "-")

func (s *Set) findExact(hits []hit, kind, v string) []hit {
	var room [128]byte // most are shorter: nothing is allocated
	key := append(append(room[:0], kind...), v...)
	if sig, ok := s.exact[string(key)]; ok {
		hits = append(hits, hit{sig: sig})
	}
	return hits
}

// find appends every pattern of a kind that matches. What matched names the
// model when the pattern says which part of it does, or the entry itself.
func (s *Set) find(hits []hit, kind int, v string, rank int) []hit {
	if v == "" {
		return hits
	}
	for i := range s.patterns[kind] {
		p := &s.patterns[kind][i]
		if len(hits) == maxHits {
			break
		}
		m, ok := p.find(v)
		if !ok {
			continue
		}
		h := hit{sig: p.sig, model: s.sigs[p.sig].is, rank: rank}
		if h.model == "" && p.re.get().SubexpIndex("model") > 0 {
			h.model = m
		}
		hits = append(hits, h)
	}
	return hits
}

// recogniseModel finds the entry that fits a model string best: patterns
// match from the start, and the longest match wins; of equal ones that which
// names the model, then the stronger.
func (s *Set) recogniseModel(hits []hit, model string, rank int) []hit {
	var best *pattern
	longest := 0
	for i := range s.patterns[models] {
		p := &s.patterns[models][i]
		if p.prefix != "" && !strings.HasPrefix(model, p.prefix) {
			continue
		}
		if !p.re.may(model) {
			continue
		}
		loc := p.re.get().FindStringIndex(model)
		if loc != nil && (loc[1] > longest || loc[1] == longest && best != nil && s.preferred(p, best)) {
			best, longest = p, loc[1]
		}
	}
	if best == nil {
		return hits
	}
	h := hit{sig: best.sig, model: s.sigs[best.sig].is, rank: rank}
	if h.model == "" {
		h.model = model
	}
	return append(hits, h)
}

func (s *Set) preferred(p, q *pattern) bool {
	a, b := &s.sigs[p.sig], &s.sigs[q.sig]
	if (a.is != "") != (b.is != "") {
		return a.is != ""
	}
	return a.strength > b.strength
}

// modelsInUserAgent yields what may be the model in an Android User-Agent:
// "Dalvik/2.1.0 (Linux; U; Android 13; M2101K6G Build/TKQ1)" → "M2101K6G".
// The reduced "Android 10; K" carries none.
func modelsInUserAgent(ua string) iter.Seq[string] {
	return func(yield func(string) bool) {
		_, rest, _ := strings.Cut(ua, "(")
		if i := strings.LastIndexByte(rest, ')'); i >= 0 {
			rest = rest[:i]
		}
		android := false
		for part := range strings.SplitSeq(rest, ";") {
			part = strings.TrimSpace(part)
			if !android || isLocale(part) {
				android = android || strings.HasPrefix(part, "Android")
				continue
			}
			part, last, closed := strings.Cut(part, ")")
			part, _, _ = strings.Cut(part, " Build/")
			part, _, _ = strings.Cut(part, "/")
			if part = strings.TrimSpace(part); part == "K" || part != "" && !yield(part) || closed && last != "" {
				return
			}
		}
	}
}

// isLocale reports whether s is a locale like en-us.
func isLocale(s string) bool {
	return (len(s) == 5 || len(s) == 2) && s == strings.ToLower(s) && (len(s) == 2 || s[2] == '-' || s[2] == '_')
}
