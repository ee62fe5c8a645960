package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/miekg/dns"
)

// independent is what code that is not ours reads in a capture.
type independent struct {
	flows     map[string]conversation
	questions []string
}

// stream is one direction of a conversation.
type stream struct {
	isn   uint32
	bytes []byte // TCP: by sequence number; UDP: one datagram after the other
	long  uint64 // UDP: QUIC packets with a long header
}

// readIndependently reads a capture of Ethernet frames without loss.
func readIndependently(t *testing.T, data []byte) independent {
	t.Helper()
	r, err := pcapgo.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out := independent{flows: map[string]conversation{}}
	up, down := map[string]*stream{}, map[string]*stream{}
	for {
		frame, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
		ip, ok := p.NetworkLayer().(*layers.IPv4)
		if !ok {
			continue
		}
		switch l := p.TransportLayer().(type) {
		case *layers.TCP:
			tcpSegment(up, down, ip, l)
		case *layers.UDP:
			out.datagram(t, up, down, ip, l)
		}
	}
	for key, s := range up {
		out.flows[key] = judgeStreams(t, key, s, down[key])
	}
	slices.Sort(out.questions)
	return out
}

// ends orders the ends of a packet: the client is the one with the high port.
func ends(proto string, ip *layers.IPv4, sport, dport uint16) (key string, upward bool) {
	src, dst := fmt.Sprintf("%s:%d", ip.SrcIP, sport), fmt.Sprintf("%s:%d", ip.DstIP, dport)
	if upward = sport > dport; upward {
		return proto + " " + src + " " + dst, true
	}
	return proto + " " + dst + " " + src, false
}

func at(m map[string]*stream, key string) *stream {
	if m[key] == nil {
		m[key] = &stream{}
	}
	return m[key]
}

func tcpSegment(up, down map[string]*stream, ip *layers.IPv4, l *layers.TCP) {
	key, upward := ends("tcp", ip, uint16(l.SrcPort), uint16(l.DstPort))
	s, _ := at(up, key), at(down, key)
	if !upward {
		s = at(down, key)
	}
	if l.SYN {
		s.isn = l.Seq + 1
		return
	}
	if from := int(l.Seq - s.isn); len(l.Payload) > 0 {
		if need := from + len(l.Payload) - len(s.bytes); need > 0 {
			s.bytes = append(s.bytes, make([]byte, need)...)
		}
		copy(s.bytes[from:], l.Payload)
	}
}

func (o *independent) datagram(t *testing.T, up, down map[string]*stream, ip *layers.IPv4, l *layers.UDP) {
	t.Helper()
	if l.SrcPort == 67 || l.DstPort == 67 {
		return // DHCP: compared by the tests of its parser
	}
	key, upward := ends("udp", ip, uint16(l.SrcPort), uint16(l.DstPort))
	s, _ := at(up, key), at(down, key)
	if !upward {
		s = at(down, key)
	}
	s.bytes = append(s.bytes, l.Payload...)
	if l.SrcPort == 443 || l.DstPort == 443 {
		s.long += longHeaders(l.Payload)
	}
	if l.SrcPort != 53 && l.DstPort != 53 {
		return
	}
	var m dns.Msg
	if err := m.Unpack(l.Payload); err != nil {
		t.Errorf("%s: %v", key, err)
		return
	}
	client := strings.Fields(key)[1]
	text := client + " " + dns.TypeToString[m.Question[0].Qtype] + " " + strings.TrimSuffix(m.Question[0].Name, ".")
	if m.Response {
		text += " ="
	}
	for _, rr := range m.Answer {
		h := rr.Header()
		value := strings.TrimSuffix(strings.TrimPrefix(rr.String(), h.String()), ".")
		text += " " + strings.TrimSuffix(h.Name, ".") + " " + dns.TypeToString[h.Rrtype] + " " + value
	}
	o.questions = append(o.questions, text)
}

// judgeStreams finds name and handshake of a conversation.
func judgeStreams(t *testing.T, key string, up, down *stream) conversation {
	t.Helper()
	c := conversation{sent: uint64(len(up.bytes)), received: uint64(len(down.bytes))}
	switch {
	case strings.HasSuffix(key, ":443") && strings.HasPrefix(key, "tcp"):
		c.name, c.handshake = serverName(up.bytes), notApplicationData(up.bytes)
	case strings.HasSuffix(key, ":80"):
		if r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(up.bytes))); err == nil {
			c.name = r.Host
		}
	case strings.HasSuffix(key, ":53"):
		c.handshake = c.sent
	case strings.HasSuffix(key, ":443"):
		c.handshake = up.long
		for _, w := range readTruth(t) { // nobody but the client has the keys: take its word for the name
			if w.Proto+" "+w.Client+" "+w.Server == key {
				c.name = w.Name
			}
		}
	}
	return c
}

// serverName lets crypto/tls, as a server, read a client's bytes.
func serverName(b []byte) (name string) {
	_ = tls.Server(&recorded{r: bytes.NewReader(b)}, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		name = h.ServerName
		return nil, io.EOF
	}}).Handshake()
	return name
}

// notApplicationData adds up the TLS records that are not application data
// (RFC 8446, section 5.1), their headers included.
func notApplicationData(b []byte) (n uint64) {
	for len(b) >= 5 {
		size := min(5+int(binary.BigEndian.Uint16(b[3:])), len(b))
		if b[0] != 23 {
			n += uint64(size)
		}
		b = b[size:]
	}
	return n
}

// longHeaders adds up the long-header packets of a QUIC datagram, which may
// end with a short-header one (RFC 9000, sections 12.2 and 17.2).
func longHeaders(b []byte) (n uint64) {
	for len(b) > 6 && b[0]&0x80 != 0 {
		initial := b[0]>>4&3 == 0
		at := 5
		at += 1 + int(b[at]) // destination connection id
		at += 1 + int(b[at]) // source connection id
		if initial {
			token, size := varint(b[at:])
			at += size + token
		}
		length, size := varint(b[at:])
		at += size + length
		n += uint64(at)
		b = b[at:]
	}
	return n
}

// varint reads a variable-length integer (RFC 9000, section 16).
func varint(b []byte) (value, size int) {
	size = 1 << (b[0] >> 6)
	value = int(b[0] & 0x3f)
	for _, x := range b[1:size] {
		value = value<<8 | int(x)
	}
	return value, size
}

// recorded is a connection that says what was recorded and hears nothing.
type recorded struct {
	net.Conn
	r io.Reader
}

func (r *recorded) Read(b []byte) (int, error)       { return r.r.Read(b) }
func (r *recorded) Write(b []byte) (int, error)      { return len(b), nil }
func (r *recorded) SetWriteDeadline(time.Time) error { return nil }
func (r *recorded) Close() error                     { return nil }
