package wire

import "bytes"

const (
	// maxSTARTTLS bounds what a client says in clear before it changes to TLS.
	// Greeting and capabilities take a few dozen octets.
	maxSTARTTLS      = 4 << 10
	maxSTARTTLSLines = 64
)

// TLSStart returns where the first TLS handshake record that begins a
// ClientHello or a ServerHello starts in b, -1 when there is none: for the
// server's stream after STARTTLS, whose text has no form to follow.
func TLSStart(b []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], tlsHandshake)
		if i < 0 {
			return -1
		}
		from += i
		r := b[from:]
		if len(r) < tlsRecordHeader+1 {
			return -1
		}
		if _, ok := IsTLSRecord(r); ok && (r[5] == typeClientHello || r[5] == typeServerHello) {
			return from
		}
		from++
	}
}

// findSTARTTLS follows the lines of a client that may ask for TLS: SMTP (RFC
// 3207), IMAP and POP3 (RFC 2595), FTP (RFC 4217), NNTP (RFC 4642), IRC,
// ManageSieve (RFC 5804).
func findSTARTTLS(b []byte) (u Upgrade, st Status) {
	seen := lineOther
	at := 0
	for range maxSTARTTLSLines {
		if at >= maxSTARTTLS {
			return u, Other
		}
		end := bytes.IndexByte(b[at:min(len(b), maxSTARTTLS)], '\n')
		if end < 0 {
			return u, startTLSPartial(b[at:], at == 0)
		}
		line := b[at : at+end]
		at += end + 1
		kind := startTLSLine(line)
		if kind == lineOther && seen == lineOther || !startTLSText(line) {
			return u, Other
		}
		if kind >= lineAsks {
			u.Via, u.At = startTLSVia(kind, seen), at
			if at == len(b) {
				return u, More // the server may refuse
			}
			if b[at] == tlsHandshake || b[at] == 0x80 {
				return u, Whole
			}
		}
		if seen == lineOther || seen == lineKnown {
			seen = kind
		}
	}
	return u, Other
}

// startTLSPartial judges a line whose end has not come yet.
func startTLSPartial(line []byte, first bool) Status {
	if !startTLSText(line) || first && !startTLSBegins(line) {
		return Other
	}
	return More
}

// startTLSText reports whether line is printable ASCII.
func startTLSText(line []byte) bool {
	for _, c := range line {
		if c < ' ' && c != '\r' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// startTLSBegins reports whether a first line that is not complete may still
// become a command: a word that is known, a tag of IMAP before one, or the
// start of either.
func startTLSBegins(line []byte) bool {
	word, rest, whole := bytes.Cut(line, []byte(" "))
	if len(word) > 16 {
		return false
	}
	if !whole || startTLSVerb(word) != lineOther {
		return true
	}
	verb, _, _ := bytes.Cut(rest, []byte(" "))
	verb = bytes.TrimRight(verb, "\r")
	for _, v := range startTLSIMAP {
		if len(verb) <= len(v) && startTLSEqual(verb, v[:len(verb)]) {
			return true
		}
	}
	return false
}

// startTLSIMAP are the commands a client gives before TLS (RFC 9051, section 6).
var startTLSIMAP = [...]string{"STARTTLS", "CAPABILITY", "ID", "NOOP", "LOGIN", "AUTHENTICATE", "ENABLE", "LOGOUT"}

// startTLSKind says what a line is.
type startTLSKind uint8

const (
	lineOther startTLSKind = iota
	lineKnown              // a command shared by several protocols
	lineSMTP
	lineIMAP
	lineIRC
	lineNNTP
	lineAsks // and above: asks for TLS
	lineAsksIMAP
	lineAsksPOP3
	lineAsksFTP
)

// startTLSLine judges one line, its LF left out.
func startTLSLine(line []byte) startTLSKind {
	line = bytes.TrimRight(line, "\r ")
	word, rest, _ := bytes.Cut(line, []byte(" "))
	switch {
	case startTLSEqual(line, "STARTTLS"):
		return lineAsks
	case startTLSEqual(line, "STLS"):
		return lineAsksPOP3
	case startTLSEqual(word, "AUTH") && (startTLSEqual(rest, "TLS") || startTLSEqual(rest, "SSL") ||
		startTLSEqual(rest, "TLS-C") || startTLSEqual(rest, "TLS-P")):
		return lineAsksFTP
	}
	if k := startTLSVerb(word); k != lineOther {
		return k
	}
	if len(word) == 0 || len(word) > 16 {
		return lineOther
	}
	if startTLSEqual(rest, "STARTTLS") {
		return lineAsksIMAP
	}
	verb, _, _ := bytes.Cut(rest, []byte(" "))
	for _, v := range startTLSIMAP {
		if startTLSEqual(verb, v) {
			return lineIMAP
		}
	}
	return lineOther
}

// startTLSVerb knows the first words of clients.
func startTLSVerb(word []byte) startTLSKind {
	if len(word) < 3 || len(word) > 12 {
		return lineOther
	}
	var up [12]byte
	for i, c := range word {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		up[i] = c
	}
	switch string(up[:len(word)]) {
	case "EHLO", "HELO", "LHLO", "XCLIENT", "XFORWARD":
		return lineSMTP
	case "CAP", "NICK":
		return lineIRC
	case "CAPABILITIES", "MODE":
		return lineNNTP
	case "CAPA", "USER", "PASS", "AUTH", "FEAT", "NOOP", "RSET", "QUIT", "HELP", "SYST", "HOST", "CLNT", "OPTS", "CAPABILITY":
		return lineKnown
	}
	return lineOther
}

// startTLSVia names the protocol by the line that asked and the line before.
func startTLSVia(asks, seen startTLSKind) string {
	switch {
	case asks == lineAsksIMAP:
		return "starttls-imap"
	case asks == lineAsksPOP3:
		return "starttls-pop3"
	case asks == lineAsksFTP:
		return "starttls-ftp"
	case seen == lineSMTP:
		return "starttls-smtp"
	case seen == lineIRC:
		return "starttls-irc"
	case seen == lineNNTP:
		return "starttls-nntp"
	}
	return "starttls"
}

// startTLSEqual compares without regard to case; want is in upper case.
func startTLSEqual(b []byte, want string) bool {
	if len(b) != len(want) {
		return false
	}
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// findXMPP follows the XML of a client until it asks for TLS (RFC 6120,
// section 5.4.2) and the hello comes.
func findXMPP(b []byte) (u Upgrade, st Status) {
	u.Via = "starttls-xmpp"
	head := b[:min(len(b), maxSTARTTLS)]
	trim := bytes.TrimLeft(head, " \r\n\t")
	begins := false
	for _, w := range [...]string{"<?xml", "<stream:stream", "<starttls"} {
		n := min(len(trim), len(w))
		begins = begins || string(trim[:n]) == w[:n]
	}
	if !begins {
		return u, Other
	}
	i := bytes.Index(head, []byte("<starttls"))
	if i < 0 {
		return u, startTLSMore(b)
	}
	for i < len(head) && head[i] != tlsHandshake {
		if head[i] < ' ' && head[i] != '\n' && head[i] != '\r' && head[i] != '\t' {
			return u, Other
		}
		i++
	}
	if i == len(head) {
		return u, startTLSMore(b)
	}
	u.At = i
	return u, Whole
}

func startTLSMore(b []byte) Status {
	if len(b) >= maxSTARTTLS {
		return Other
	}
	return More
}
