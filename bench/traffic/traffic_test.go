package traffic

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
)

func newGenerator() *generator {
	g := &generator{Config: Config{Devices: 10, FramesPerFlow: 50}, rand: rand.New(rand.NewPCG(1, 2)), noise: make([]byte, 1<<16)}
	for i := range g.noise {
		g.noise[i] = byte(g.rand.Uint32())
	}
	return g
}

// make a capture, its flows and its frames without encapsulation.
func capture(t *testing.T, c Config) (file []byte, flows map[string]*Flow, s Summary) {
	t.Helper()
	var b bytes.Buffer
	flows = map[string]*Flow{}
	s, err := Generate(c, &b, func(f *Flow) {
		k := fmt.Sprint(f.Client, f.ClientPort, f.Server, f.ServerPort, f.Proto)
		if flows[k] != nil {
			t.Errorf("two flows %s", k)
		}
		flows[k] = f
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), flows, s
}

func TestSameSeedSameBytes(t *testing.T) {
	c := Config{Seed: 7, Devices: 50, Frames: 20000}
	a, _, _ := capture(t, c)
	b, _, _ := capture(t, c)
	c.Seed = 8
	other, _, _ := capture(t, c)
	if sha256.Sum256(a) != sha256.Sum256(b) || bytes.Equal(a, other) {
		t.Error("the seed does not decide the bytes")
	}
}

// counted is what a reader that keeps every byte range finds.
type counted struct {
	ranges map[bool][][2]uint32
	udp    map[bool]uint64
	base   map[bool]uint32
	isSet  map[bool]bool
}

// The truth is what somebody finds who reads the frames and marks every byte
// that he has seen, for each encapsulation.
func TestTruth(t *testing.T) {
	for _, c := range []Config{
		{Seed: 1, Devices: 40, Frames: 30000},
		{Seed: 2, Devices: 3000, Frames: 30000},
		{Seed: 3, Devices: 40, Frames: 10000, Encap: ERSPAN},
		{Seed: 4, Devices: 40, Frames: 10000, Encap: CAPWAP},
	} {
		file, flows, s := capture(t, c)
		if int(s.Frames) != c.Frames || s.Flows != len(flows) {
			t.Errorf("%+v: %+v, %d flows told", c, s, len(flows))
		}
		seen := map[string]*counted{}
		frames := 0
		for b := file[24:]; len(b) > 0; frames++ {
			n := int(b[8]) | int(b[9])<<8
			if ip := inner(t, c.Encap, b[16:16+n]); ip != nil {
				tally(t, seen, ip)
			}
			b = b[16+n:]
		}
		if frames != c.Frames || len(seen) != len(flows) {
			t.Errorf("%+v: %d frames, %d flows of %d in the file", c, frames, len(seen), len(flows))
		}
		for k, f := range flows {
			if got := seen[k]; got == nil || got.sum(true) != f.Sent || got.sum(false) != f.Received {
				t.Fatalf("%+v: %+v; in the file %+v", c, *f, got)
			}
			if f.Handshake > f.Sent || f.Name == "" && f.Visibility == "sni" {
				t.Errorf("%+v", *f)
			}
		}
	}
}

// inner cuts off what is before the IP header; nil for what is of no
// conversation.
func inner(t *testing.T, e Encap, b []byte) []byte {
	b = behindLink(e, b)
	if be.Uint16(b) == 1 { // ARP begins with its hardware type
		return nil
	}
	if b[0]>>4 == 6 && b[6] == 58 {
		if checksum := checksum6(netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40])), 58, b[40:]); checksum != 0 || b[7] != 255 {
			t.Fatalf("neighbour discovery: checksum off by %#x, hop limit %d", checksum, b[7])
		}
		return nil
	}
	return b
}

func behindLink(e Encap, b []byte) []byte {
	switch e {
	case ERSPAN:
		b = b[14+20+8+8:]
	case CAPWAP:
		return b[14+20+8+8+26+8:]
	}
	if be.Uint16(b[12:]) == 0x8100 {
		return b[18:]
	}
	return b[14:]
}

func tally(t *testing.T, seen map[string]*counted, b []byte) {
	var src, dst netip.Addr
	var proto byte
	if b[0]>>4 == 4 {
		if int(be.Uint16(b[2:])) != len(b) {
			t.Fatalf("IPv4 length %d of %d", be.Uint16(b[2:]), len(b))
		}
		src, _ = netip.AddrFromSlice(b[12:16])
		dst, _ = netip.AddrFromSlice(b[16:20])
		proto, b = b[9], b[20:]
	} else {
		if int(be.Uint16(b[4:]))+40 != len(b) {
			t.Fatalf("IPv6 length %d of %d", be.Uint16(b[4:]), len(b))
		}
		src, _ = netip.AddrFromSlice(b[8:24])
		dst, _ = netip.AddrFromSlice(b[24:40])
		proto, b = b[6], b[40:]
	}
	sport, dport, up := be.Uint16(b), be.Uint16(b[2:]), true
	if sport < 30000 {
		src, dst, sport, dport, up = dst, src, dport, sport, false
	}
	name, head := "tcp", int(b[12%len(b)]>>4)*4
	if proto == 17 {
		name, head = "udp", 8
	}
	k := fmt.Sprint(src, sport, dst, dport, name)
	c := seen[k]
	if c == nil {
		c = &counted{map[bool][][2]uint32{}, map[bool]uint64{}, map[bool]uint32{}, map[bool]bool{}}
		seen[k] = c
	}
	payload := uint32(len(b) - head)
	if proto == 17 {
		c.udp[up] += uint64(payload)
		return
	}
	seq := be.Uint32(b[4:])
	if !c.isSet[up] {
		c.isSet[up], c.base[up] = true, seq-1<<20
	}
	if b[13]&syn != 0 {
		seq++
	}
	at := seq - c.base[up]
	c.ranges[up] = append(c.ranges[up], [2]uint32{at, at + payload})
}

// sum counts each byte once. A keep-alive repeats a byte that was sent, or the
// SYN's own number, which is no byte.
func (c *counted) sum(up bool) uint64 {
	r := c.ranges[up]
	slices.SortFunc(r, func(a, b [2]uint32) int { return int(a[0]) - int(b[0]) })
	total, end := c.udp[up], uint32(0)
	for _, x := range r {
		from := max(x[0], end)
		if x[1] > from {
			if x[1]-x[0] == 1 && end == 0 {
				continue
			}
			total += uint64(x[1] - from)
			end = x[1]
		} else if end == 0 {
			end = x[1]
		}
	}
	return total
}

// RFC 9001, appendix A.1 and A.2.
func TestInitialKeys(t *testing.T) {
	dcid, _ := hex.DecodeString("8394c8f03e515708")
	k := newInitialKeys(dcid, "client in")
	if got := hex.EncodeToString(k.iv); got != "fa044b2f42a3fd3b46fb255c" {
		t.Errorf("iv %s", got)
	}
	sample, _ := hex.DecodeString("d1b1c98dd7689fb8ec11d242b123dc9b")
	var mask [16]byte
	k.header.Encrypt(mask[:], sample)
	if got := hex.EncodeToString(mask[:5]); got != "437b9aec36" {
		t.Errorf("mask %s", got)
	}
}

// crypto/tls reads the hello that we write.
func TestHelloIsReadByCryptoTLS(t *testing.T) {
	g := newGenerator()
	for _, postQuantum := range []bool{false, true} {
		hello := g.clientHello("host1.example.net", false, postQuantum)
		if postQuantum != (len(hello) > mss) {
			t.Errorf("post-quantum %v: hello of %d bytes", postQuantum, len(hello))
		}
		client, server := net.Pipe()
		var info *tls.ClientHelloInfo
		stop := errors.New("seen")
		done := make(chan error)
		go func() {
			done <- tls.Server(server, &tls.Config{GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
				info = i
				return nil, stop
			}}).Handshake()
		}()
		go func() { _, _ = client.Write(tlsRecord(22, hello)) }()
		go func() { _, _ = client.Read(make([]byte, 100)) }() // the alert
		if err := <-done; !errors.Is(err, stop) || info.ServerName != "host1.example.net" || !slices.Contains(info.SupportedVersions, tls.VersionTLS13) {
			t.Errorf("%v, %+v", err, info)
		}
		client.Close()
	}
}

// Initials are opened again with their keys, and give the hello.
func TestInitials(t *testing.T) {
	g := newGenerator()
	for range 200 {
		dcid, hello := g.random(8), g.clientHello("host1.example.net", true, true)
		k := newInitialKeys(dcid, "client in")
		got := make([]byte, len(hello))
		datagrams := g.clientInitials(dcid, []byte{1, 2, 3, 4}, hello)
		if len(datagrams) != 2 {
			t.Fatalf("%d datagrams", len(datagrams))
		}
		for _, d := range datagrams {
			if len(d) != initialSize {
				t.Fatalf("datagram of %d bytes", len(d))
			}
			at := 1 + 4 + 1 + 8 + 1 + 4 + 1 + 2
			var mask [16]byte
			k.header.Encrypt(mask[:], d[at+4:at+20])
			d[0] ^= mask[0] & 0xf
			d[at] ^= mask[1]
			nonce := bytes.Clone(k.iv)
			nonce[11] ^= d[at]
			plain, err := k.aead.Open(nil, nonce, d[at+1:], d[:at+1])
			if err != nil {
				t.Fatal(err)
			}
			for len(plain) > 0 {
				if plain[0] != 6 {
					plain = plain[1:]
					continue
				}
				off, n := int(be.Uint16(plain[1:])&0x3fff), int(be.Uint16(plain[3:])&0x3fff)
				copy(got[off:], plain[5:5+n])
				plain = plain[5+n:]
			}
		}
		if !bytes.Equal(got, hello) {
			t.Fatal("the pieces do not make the hello")
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	_, err := Generate(Config{Seed: 1, Devices: 500, Frames: b.N + 1000}, discard{}, func(*Flow) {})
	if err != nil {
		b.Fatal(err)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
