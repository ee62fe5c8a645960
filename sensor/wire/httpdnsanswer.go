package wire

import (
	"bytes"
	"net/netip"
)

// ParseAnswer reads the body that answered the request read last: Provider
// and Names say how. The body may be cut short; its first 16 KiB are read.
// It reports whether any address was found.
func (d *HTTPDNS) ParseAnswer(body []byte) bool {
	d.Answers = d.answers[:0]
	body = body[:min(len(body), httpdnsMaxBody)]
	switch d.Provider {
	case "xiaomi":
		d.xiaomiAnswer(body)
	case "alibaba":
		d.alibabaAnswer(body)
	case "tencent":
		d.tencentAnswer(body)
	}
	return len(d.Answers) > 0
}

func (d *HTTPDNS) answer(name []byte, addr netip.Addr, ttl uint32) {
	if len(d.Answers) < cap(d.Answers) && addr.IsValid() && isHostName(name) {
		d.Answers = append(d.Answers, HTTPDNSAnswer{name, addr.Unmap(), ttl})
	}
}

// xiaomiAnswer: {"R":{"ttl":3600,"wifi":{"name":["addr:port",...]},"wap":{...}}}.
func (d *HTTPDNS) xiaomiAnswer(body []byte) {
	j := jsonReader{b: body}
	ttl := uint32(0)
	for {
		switch j.next() {
		case jsonEnd:
			return
		case jsonOther:
			if string(j.key()) == "ttl" {
				ttl = answerTTL(j.value)
			}
		case jsonString:
			if j.list[j.depth] {
				d.answer(j.key(), answerAddr(j.value), ttl)
			}
		}
	}
}

// alibabaAnswer: {"host":"name","ips":[...],"ipsv6":[...],"ttl":60}, or a
// list of those under "dns"; members in any order. Of the public resolver
// {"Answer":[{"name":"name.","type":1,"TTL":60,"data":"addr"}]}.
func (d *HTTPDNS) alibabaAnswer(body []byte) {
	j := jsonReader{b: body}
	var host []byte
	var ttl uint32
	first := 0 // answers from here on wait for the host and ttl of their object
	for {
		switch j.next() {
		case jsonEnd:
			d.settle(first, host, ttl)
			return
		case jsonOpen:
			if !j.list[j.depth] {
				d.settle(first, host, ttl)
				host, ttl, first = nil, 0, len(d.Answers)
			}
		case jsonOther:
			if isName(j.key(), "ttl") {
				ttl = answerTTL(j.value)
			}
		case jsonString:
			switch string(j.key()) {
			case "host", "name":
				host = bytes.TrimRight(j.value, ".")
			case "ips", "ipsv6", "data":
				if addr := answerAddr(j.value); addr.IsValid() && len(d.Answers) < cap(d.Answers) {
					d.Answers = append(d.Answers, HTTPDNSAnswer{Addr: addr})
				}
			}
		}
	}
}

// settle gives the answers from first on their name and lifetime, or drops
// them when there is no name: of a question for one name it is that name.
func (d *HTTPDNS) settle(first int, host []byte, ttl uint32) {
	if !isHostName(host) {
		if len(d.Names) != 1 {
			d.Answers = d.Answers[:first]
			return
		}
		host = d.Names[0]
	}
	for i := first; i < len(d.Answers); i++ {
		d.Answers[i].Name, d.Answers[i].TTL = host, ttl
	}
}

// tencentAnswer: "addr;addr,ttl" for one name, "name.:addr;addr" a line for several.
func (d *HTTPDNS) tencentAnswer(body []byte) {
	for len(body) > 0 {
		line, rest := httpLine(body)
		body = rest
		var name []byte
		if len(d.Names) == 1 {
			name = d.Names[0]
		}
		if i := bytes.Index(line, []byte(".:")); i > 0 {
			name, line = line[:i], line[i+2:]
		}
		ttl := uint32(0)
		if i := bytes.LastIndexByte(line, ','); i >= 0 {
			line, ttl = line[:i], answerTTL(line[i+1:])
		}
		for len(line) > 0 {
			addr := line
			if i := bytes.IndexByte(line, ';'); i >= 0 {
				addr, line = line[:i], line[i+1:]
			} else {
				line = nil
			}
			d.answer(name, answerAddr(addr), ttl)
		}
	}
}

func answerTTL(b []byte) uint32 {
	if n := decimal(b); n > 0 && n <= 1<<31 {
		return uint32(n)
	}
	return 0
}

// answerAddr reads "addr", "addr:port" or "[addr]:port"; the zero Addr: it is
// none of them. Nothing is allocated: the text is copied to the stack.
func answerAddr(v []byte) netip.Addr {
	if len(v) < 3 || len(v) > 47 {
		return netip.Addr{}
	}
	if v[0] == '[' {
		end := bytes.IndexByte(v, ']')
		if end < 0 {
			return netip.Addr{}
		}
		v = v[1:end]
	} else if i := bytes.IndexByte(v, ':'); i >= 0 && bytes.IndexByte(v, '.') >= 0 && bytes.LastIndexByte(v, ':') == i {
		v = v[:i]
	}
	for _, c := range v {
		if !isDigit(c) && c != '.' && c != ':' && (lower(c) < 'a' || lower(c) > 'f') {
			return netip.Addr{} // spares ParseAddr making an error
		}
	}
	addr, err := netip.ParseAddr(string(v))
	if err != nil {
		return netip.Addr{}
	}
	return addr
}
