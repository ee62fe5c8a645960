package wire

import (
	"crypto/tls"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	utls "github.com/refraction-networking/utls"
)

// readHex reads a file of hexadecimal digits in testdata.
func readHex(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return unhex(t, string(text))
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goHello returns the first flight of crypto/tls, records and all.
func goHello(t testing.TB, c *tls.Config) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer there.Close()
	go func() {
		_ = tls.Client(here, c).Handshake() // ends when there is closed
		here.Close()
	}()
	b := make([]byte, 64<<10)
	n, err := there.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// parrot returns the ClientHello message of a client that utls imitates.
func parrot(t testing.TB, id utls.ClientHelloID, name string) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	c := utls.UClient(here, &utls.Config{ServerName: name, InsecureSkipVerify: true}, id)
	if err := c.BuildHandshakeState(); err != nil {
		t.Fatal(err)
	}
	return c.HandshakeState.Hello.Raw
}

var parrots = []utls.ClientHelloID{
	utls.HelloChrome_Auto, utls.HelloChrome_58, utls.HelloChrome_120_PQ, utls.HelloFirefox_Auto, utls.HelloFirefox_55,
	utls.HelloIOS_Auto, utls.HelloIOS_11_1, utls.HelloSafari_Auto, utls.HelloAndroid_11_OkHttp, utls.HelloEdge_Auto,
	utls.Hello360_Auto, utls.HelloQQ_Auto,
}

// records wraps msg in handshake records of at most size octets.
func records(msg []byte, size int) (b []byte) {
	for len(msg) > 0 {
		n := min(size, len(msg))
		b = append(b, tlsHandshake, 3, 1, byte(n>>8), byte(n))
		b, msg = append(b, msg[:n]...), msg[n:]
	}
	return b
}

// spec describes a ClientHello to build by hand.
type spec struct {
	legacy  uint16
	session []byte
	suites  []uint16
	exts    []ext
	noExts  bool
	cookie  []byte // DTLS
}

type ext struct {
	typ  uint16
	body []byte
}

func u16s(v ...uint16) (b []byte) {
	for _, x := range v {
		b = append(b, byte(x>>8), byte(x))
	}
	return b
}

func vec8(b []byte) []byte  { return append([]byte{byte(len(b))}, b...) }
func vec16(b []byte) []byte { return append(u16s(uint16(len(b))), b...) }

func sniExt(name string) ext {
	return ext{extServerName, vec16(append([]byte{0}, vec16([]byte(name))...))}
}

func alpnExt(names ...string) ext {
	var list []byte
	for _, n := range names {
		list = append(list, vec8([]byte(n))...)
	}
	return ext{extALPN, vec16(list)}
}

func versionsExt(v ...uint16) ext { return ext{extSupportedVersions, vec8(u16s(v...))} }

// body builds the message without its header.
func (s spec) body() []byte {
	if s.legacy == 0 {
		s.legacy = 0x0303
	}
	b := append(u16s(s.legacy), make([]byte, 32)...)
	b = append(b, vec8(s.session)...)
	if s.legacy>>8 == 0xfe {
		b = append(b, vec8(s.cookie)...)
	}
	b = append(b, vec16(u16s(s.suites...))...)
	b = append(b, 1, 0)
	if s.noExts {
		return b
	}
	var exts []byte
	for _, e := range s.exts {
		exts = append(append(exts, u16s(e.typ)...), vec16(e.body)...)
	}
	return append(b, vec16(exts)...)
}

// message builds the handshake message.
func (s spec) message() []byte {
	b := s.body()
	return append([]byte{typeClientHello, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
}
