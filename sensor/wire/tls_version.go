package wire

// VersionName names a TLS, SSL or DTLS version as events print it: "1.3",
// "1.2", "ssl3", "dtls1.2"; drafts of TLS 1.3 are "1.3-draft"; "" for a
// number nobody assigned.
func VersionName(v uint16) string {
	switch v {
	case 0x0304:
		return "1.3"
	case 0x0303:
		return "1.2"
	case 0x0302:
		return "1.1"
	case 0x0301:
		return "1.0"
	case 0x0300:
		return "ssl3"
	case 0x0002:
		return "ssl2"
	case 0xfeff, 0x0100: // 0x0100: OpenSSL before 0.9.8f
		return "dtls1.0"
	case 0xfefd:
		return "dtls1.2"
	case 0xfefc:
		return "dtls1.3"
	}
	if v>>8 == 0x7f || v>>8 == 0x7e || v == 0xfb17 || v == 0xfb1a {
		return "1.3-draft" // 0x7e.. Google's experiments, 0xfb.. Facebook's
	}
	return ""
}
