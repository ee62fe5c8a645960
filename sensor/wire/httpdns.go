package wire

import (
	"bytes"
	"net/netip"
)

// HTTPDNS is a name resolution over plain HTTP, as vendors' applications do
// it, often to fixed addresses, past the network's resolver. The zero value
// is ready for use; ParseRequest overwrites it. Its slices refer to scratch
// inside it. It is not safe for concurrent use.
type HTTPDNS struct {
	Provider string   // "xiaomi", "alibaba", "tencent"; empty: none
	Names    [][]byte // lower case
	Answers  []HTTPDNSAnswer

	scratch []byte
	names   [httpdnsMaxNames][]byte
	answers [httpdnsMaxAnswers]HTTPDNSAnswer
}

// HTTPDNSAnswer is one address that an answer gave for a name.
type HTTPDNSAnswer struct {
	Name []byte
	Addr netip.Addr
	TTL  uint32 // seconds, 0 when not given
}

const (
	httpdnsMaxNames   = 32 // Xiaomi's clients ask for up to a dozen, Alibaba allows 5
	httpdnsMaxAnswers = 128
	httpdnsMaxBody    = 16 << 10
)

// ParseRequest reads the names that the request h asks for, and reports
// whether it is a name resolution at all.
//
//   - Xiaomi: /gslb/?ver=4.0&list=name,name (read from the published push SDK)
//   - Alibaba: /{account}/d?host=name, /resolve?host=name,name and their
//     signed forms sign_d and sign_resolve (HTTPDNS documentation); and
//     /resolve?name= with uid= of its public resolver
//   - Tencent: /d?dn=name in clear; with an id the name is encrypted and only
//     the fact is reported
func (d *HTTPDNS) ParseRequest(h *HTTP) bool {
	d.Provider, d.Names, d.Answers, d.scratch = "", d.names[:0], d.answers[:0], d.scratch[:0]
	if h.Response || len(h.Query) == 0 {
		return false
	}
	path := bytes.TrimRight(h.Path, "/")
	switch {
	case isName(path, "/gslb"):
		if list := queryValue(h.Query, "list"); list != nil {
			d.Provider = "xiaomi"
			d.list(list)
		}
	case isAlibabaPath(path):
		if host := queryValue(h.Query, "host"); host != nil {
			d.Provider = "alibaba"
			d.list(host)
		}
	case string(path) == "/resolve":
		if name := queryValue(h.Query, "name"); name != nil && queryValue(h.Query, "uid") != nil {
			d.Provider = "alibaba"
			d.list(name)
		}
	case string(path) == "/d":
		d.tencent(h)
	}
	return d.Provider != ""
}

// tencent: dn holds the name, or its encryption in hexadecimal when an
// account's id goes with it.
func (d *HTTPDNS) tencent(h *HTTP) {
	dn := queryValue(h.Query, "dn")
	switch {
	case dn == nil:
	case queryValue(h.Query, "id") != nil:
		d.Provider = "tencent"
	default:
		if d.list(dn); len(d.Names) > 0 {
			d.Provider = "tencent"
		}
	}
}

// isAlibabaPath: /{account}/d, where the account is a number.
func isAlibabaPath(p []byte) bool {
	if len(p) < 2 || p[0] != '/' {
		return false
	}
	slash := bytes.IndexByte(p[1:], '/') + 1
	if slash < 5 || slash > 12 || decimal(p[1:slash]) < 0 {
		return false
	}
	switch string(p[slash+1:]) {
	case "d", "resolve", "sign_d", "sign_resolve":
		return true
	}
	return false
}

// list adds the names of a comma-separated, perhaps percent-encoded list.
func (d *HTTPDNS) list(v []byte) {
	start := len(d.scratch)
	d.scratch = unescapeURL(d.scratch, v, 2048)
	for v = d.scratch[start:]; len(v) > 0; {
		name := v
		if i := bytes.IndexByte(v, ','); i >= 0 {
			name, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		d.add(name)
	}
}

// add takes a name; a port that Xiaomi's lists may carry is cut.
func (d *HTTPDNS) add(name []byte) {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	name = bytes.TrimRight(name, ".")
	if len(d.Names) < cap(d.Names) && isHostName(name) {
		for i, c := range name {
			name[i] = lower(c) // inside scratch
		}
		d.Names = append(d.Names, name)
	}
}

// isHostName: at least two labels of letters, digits, hyphens, underscores,
// with a letter in the last.
func isHostName(name []byte) bool {
	if len(name) < 3 || len(name) > 253 {
		return false
	}
	label, dots, letter := 0, 0, false
	for _, c := range name {
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label, letter = 0, false
			dots++
			continue
		case !isNameByte[c] || c == '*':
			return false
		case !isDigit(c):
			letter = true
		}
		if label++; label > 63 {
			return false
		}
	}
	return dots > 0 && label > 0 && letter
}

// queryValue returns the raw value of a parameter of a query, or nil.
func queryValue(query []byte, name string) []byte {
	for len(query) > 0 {
		pair := query
		if i := bytes.IndexByte(query, '&'); i >= 0 {
			pair, query = query[:i], query[i+1:]
		} else {
			query = nil
		}
		if i := bytes.IndexByte(pair, '='); i >= 0 && isName(pair[:i], name) {
			return pair[i+1 : len(pair) : len(pair)]
		}
	}
	return nil
}
