package wire

import (
	"bytes"
	"net/netip"
)

// Upgrade is what came in a client's TCP stream before the conversation that
// matters: a request to a proxy, or a protocol that turned to TLS.
type Upgrade struct {
	// Via names it: "connect" "socks5" "socks4" "proxy", "starttls-smtp" and
	// its relatives for imap pop3 ftp nntp irc sieve xmpp ldap, "starttls" where
	// the protocol is unclear, "postgresql" "mysql" "rdp".
	Via  string
	Host []byte     // name asked of a proxy, as sent; nil elsewhere
	Addr netip.Addr // address asked of a proxy by number
	Port uint16     // asked of a proxy
	At   int        // where the inner stream starts in the client's stream
}

const (
	// maxPreamble bounds what may come before the inner stream.
	maxPreamble = 8 << 10
	maxSOCKSID  = 255 // SOCKS4 gives its user id no bound; RFC 1929 gives names this one
)

// FindUpgrade looks through the contiguous first bytes b of a client's TCP
// stream for a request to a proxy or a change to TLS in mid-stream.
//
// Whole: found; the inner stream starts at b[u.At:]. After a request to a
// proxy that may still be empty, and FindUpgrade may be asked again about it,
// for a proxy behind a proxy or STARTTLS through one. More: a protocol that
// may still turn to TLS. Other: none that can, or that has not within its
// bound.
func FindUpgrade(b []byte) (u Upgrade, st Status) {
	if len(b) == 0 {
		return u, More
	}
	switch b[0] {
	case 5:
		return findSOCKS5(b)
	case 4:
		return findSOCKS4(b)
	case 'C':
		if u, st = findConnect(b); st != Other {
			return u, st
		}
	case 'P', '\r':
		if u, st = findPROXY(b); st != Other {
			return u, st
		}
	case '<':
		return findXMPP(b)
	case 0, 3:
		return findBinary(b)
	}
	if u, st = findBinary(b); st != Other {
		return u, st // MySQL and LDAP begin with a printable octet
	}
	if b[0] < ' ' {
		return u, Other
	}
	return findSTARTTLS(b)
}

// findSOCKS5 reads greeting, optional user and password (RFC 1929) and
// request (RFC 1928, sections 3 and 4) of a client. Only CONNECT is followed.
func findSOCKS5(b []byte) (u Upgrade, st Status) {
	u.Via = "socks5"
	if len(b) < 2 {
		return u, More
	}
	at := 2 + int(b[1])
	for i, m := range b[2:min(len(b), at)] {
		if m > 9 && m < 0x80 || m == 0xff || i > 15 { // IANA assigned 0 to 9; 0x80 to 0xfe are private
			return u, Other
		}
	}
	if at == 2 {
		return u, Other
	}
	if len(b) > at && b[at] == 1 { // user and password
		for range 2 {
			if at++; len(b) > at {
				at += int(b[at])
			}
		}
		at++
	}
	if len(b) < at+4 {
		return u, More
	}
	r := b[at:]
	if r[0] != 5 || r[1] != 1 || r[2] != 0 {
		return u, Other
	}
	n := 0
	switch r[3] {
	case 1:
		n = 4
	case 4:
		n = 16
	case 3:
		if len(r) < 5 {
			return u, More
		}
		n = 1 + int(r[4])
	default:
		return u, Bad
	}
	if len(r) < 4+n+2 {
		return u, More
	}
	if r[3] == 3 {
		u.Host = r[5 : 4+n]
	} else {
		u.Addr, _ = netip.AddrFromSlice(r[4 : 4+n])
	}
	u.Port = uint16(r[4+n])<<8 | uint16(r[5+n])
	u.At = at + 4 + n + 2
	return u, Whole
}

// findSOCKS4 reads a CONNECT request of SOCKS 4 and 4A.
func findSOCKS4(b []byte) (u Upgrade, st Status) {
	u.Via = "socks4"
	if len(b) > 1 && b[1] != 1 {
		return u, Other
	}
	if len(b) < 9 {
		return u, More
	}
	u.Port = uint16(b[2])<<8 | uint16(b[3])
	at, st := proxyZero(b, 8)
	if st != Whole {
		return u, st
	}
	if b[4]|b[5]|b[6] == 0 && b[7] != 0 {
		from := at
		if at, st = proxyZero(b, from); st != Whole {
			return u, st
		}
		u.Host = b[from : at-1]
	} else {
		u.Addr = netip.AddrFrom4([4]byte(b[4:8]))
	}
	u.At = at
	return u, Whole
}

// proxyZero returns where the zero-terminated text at from ends.
func proxyZero(b []byte, from int) (int, Status) {
	for i, c := range b[from:] {
		switch {
		case c == 0:
			return from + i + 1, Whole
		case c < ' ' || i > maxSOCKSID:
			return 0, Other
		}
	}
	return 0, More
}

// findConnect reads an HTTP CONNECT request (RFC 9110, section 9.3.6).
func findConnect(b []byte) (u Upgrade, st Status) {
	const method = "CONNECT "
	u.Via = "connect"
	if n := min(len(b), len(method)); string(b[:n]) != method[:n] {
		return u, Other
	}
	if len(b) < len(method) {
		return u, More
	}
	line := b[len(method):]
	end := bytes.IndexByte(line[:min(len(line), maxPreamble)], '\n')
	if end < 0 {
		return u, proxyShort(b)
	}
	target, version, ok := bytes.Cut(bytes.TrimRight(line[:end], "\r"), []byte(" "))
	if !ok || !bytes.HasPrefix(version, []byte("HTTP/")) {
		return u, Other
	}
	u.Host, u.Addr, u.Port = proxyAuthority(target)
	at, st := proxyHeadEnd(b)
	if st != Whole {
		return u, st
	}
	u.At = at
	return u, Whole
}

// proxyShort is the answer to bytes that end before what they began does.
func proxyShort(b []byte) Status {
	if len(b) > maxPreamble {
		return Bad
	}
	return More
}

// proxyHeadEnd returns where the empty line ends that closes a head.
func proxyHeadEnd(b []byte) (int, Status) {
	head := b[:min(len(b), maxPreamble)]
	crlf, lf := bytes.Index(head, []byte("\r\n\r\n")), bytes.Index(head, []byte("\n\n"))
	switch {
	case crlf >= 0 && (lf < 0 || crlf < lf):
		return crlf + 4, Whole
	case lf >= 0:
		return lf + 2, Whole
	}
	return 0, proxyShort(b)
}

// proxyAuthority splits host and port.
func proxyAuthority(target []byte) (host []byte, addr netip.Addr, port uint16) {
	host = target
	if i := bytes.LastIndexByte(target, ':'); i >= 0 && len(target)-i <= 6 {
		n := 0
		for _, c := range target[i+1:] {
			if c < '0' || c > '9' {
				return target, addr, 0
			}
			n = n*10 + int(c-'0')
		}
		host, port = target[:i], uint16(n)
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	if nameIsIP(host) {
		addr, _ = netip.ParseAddr(string(host))
		return nil, addr, port
	}
	return host, addr, port
}

// findPROXY reads the header of the PROXY protocol, version 1 or 2, that a
// load balancer puts before a client's stream.
func findPROXY(b []byte) (u Upgrade, st Status) {
	const (
		v1, v1Longest = "PROXY ", 107
		v2            = "\r\n\r\n\x00\r\nQUIT\n"
	)
	u.Via = "proxy"
	if n := min(len(b), len(v1)); string(b[:n]) == v1[:n] {
		end := bytes.IndexByte(b[:min(len(b), v1Longest)], '\n')
		if end < 0 {
			if len(b) >= v1Longest {
				return u, Other
			}
			return u, More
		}
		u.At = end + 1
		return u, Whole
	}
	n := min(len(b), len(v2))
	if string(b[:n]) != v2[:n] {
		return u, Other
	}
	if len(b) < len(v2)+4 {
		return u, More
	}
	u.At = len(v2) + 4 + int(b[14])<<8 + int(b[15])
	if u.At > maxPreamble {
		return u, Bad
	}
	if len(b) < u.At {
		return u, More
	}
	return u, Whole
}
