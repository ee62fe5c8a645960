package wire

import "bytes"

const (
	postgresSSL    = "\x00\x00\x00\x08\x04\xd2\x16\x2f" // SSLRequest: code 80877103
	postgresGSS    = "\x00\x00\x00\x08\x04\xd2\x16\x30" // GSSENCRequest, asked before it
	mysqlSSLLength = 32
	mysqlSSLFlag   = 0x0800 // CLIENT_SSL
	ldapStartTLS   = "1.3.6.1.4.1.1466.20037"
)

// findBinary looks for the requests of TLS that are not text: PostgreSQL's
// SSLRequest, MySQL's SSL request packet, LDAP's StartTLS (RFC 4511, section
// 4.14), the X.224 connection request of RDP (MS-RDPBCGR, section 2.2.1.1).
func findBinary(b []byte) (u Upgrade, st Status) {
	switch b[0] {
	case 0:
		return findPostgres(b)
	case 3:
		return findRDP(b)
	case 0x20:
		return findMySQL(b)
	case 0x30:
		return findLDAP(b)
	}
	return u, Other
}

func findPostgres(b []byte) (u Upgrade, st Status) {
	u.Via = "postgresql"
	for {
		r := b[u.At:]
		n := min(len(r), len(postgresSSL))
		switch {
		case string(r[:n]) == postgresSSL[:n] && n == len(postgresSSL):
			u.At += n
			return u, upgradeTLS(b, u.At)
		case string(r[:n]) == postgresGSS && u.At == 0:
			u.At += n
		case string(r[:n]) == postgresSSL[:n]:
			return u, More
		default:
			return u, Other
		}
	}
}

// upgradeTLS says whether the hello has begun at b[at:].
func upgradeTLS(b []byte, at int) Status {
	switch {
	case len(b) <= at:
		return More
	case b[at] == tlsHandshake:
		return Whole
	}
	return Other
}

func findMySQL(b []byte) (u Upgrade, st Status) {
	u.Via, u.At = "mysql", 4+mysqlSSLLength
	if n := min(len(b), 4); string(b[:n]) != "\x20\x00\x00\x01"[:n] {
		return u, Other
	}
	if len(b) > 5 && b[5]&(mysqlSSLFlag>>8) == 0 {
		return u, Other
	}
	return u, upgradeTLS(b, u.At)
}

func findRDP(b []byte) (u Upgrade, st Status) {
	const header, request = 7, 0xe0
	u.Via = "rdp"
	if len(b) > 1 && b[1] != 0 || len(b) > 5 && b[5] != request {
		return u, Other
	}
	if len(b) < header {
		return u, More
	}
	u.At = int(b[2])<<8 | int(b[3])
	if u.At < header || u.At > maxSTARTTLS {
		return u, Other
	}
	return u, upgradeTLS(b, u.At)
}

func findLDAP(b []byte) (u Upgrade, st Status) {
	u.Via = "starttls-ldap"
	if len(b) < 2 {
		return u, More
	}
	u.At = 2 + int(b[1])
	if b[1] == 0x84 { // Active Directory writes lengths in four octets
		if len(b) < 6 {
			return u, More
		}
		u.At = 6 + int(b[4])<<8 + int(b[5])
		if b[2]|b[3] != 0 {
			return u, Other
		}
	} else if b[1] >= 0x80 {
		return u, Other
	}
	if u.At > maxPreamble {
		return u, Other
	}
	if len(b) < u.At {
		return u, More
	}
	if !bytes.Contains(b[:u.At], []byte(ldapStartTLS)) {
		return u, Other
	}
	return u, upgradeTLS(b, u.At)
}
