package packets

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"picket/sensor/packet"
)

func record(kind byte, first byte, length int) string {
	b := append([]byte{kind, 3, 3, byte(length >> 8), byte(length)}, bytes.Repeat([]byte{'z'}, length)...)
	if length > 0 {
		b[5] = first
	}
	return string(b)
}

// payloads is what a Writer keeps of the payloads of a conversation.
func payloads(mode Mode, frames ...Frame) (out []string) {
	w := Writer{Mode: mode}
	for i := range frames {
		blocks, n := w.Append(nil, frames[i:i+1])
		if n != 1 {
			return append(out, "left out")
		}
		out = append(out, string(packetsOf(blocks)[0][frames[i].Body:]))
	}
	return out
}

func TestWriterKeeps(t *testing.T) {
	tcp := func(seq int, sent bool, port uint16, payload string) Frame {
		return frameOf(int64(seq), 5, sent, packet.ProtoTCP, port, uint32(seq), payload)
	}
	hello := record(22, 1, 300)
	for _, c := range []struct {
		name    string
		mode    Mode
		frames  []Frame
		payload []string
	}{
		{"ClientHello, then data", Handshakes, []Frame{tcp(1, true, 443, hello), tcp(306, true, 443, record(23, 0, 50))}, []string{hello, ""}},
		{"ClientHello in two segments", Handshakes, []Frame{tcp(1, true, 443, hello[:100]), tcp(101, true, 443, hello[100:]), tcp(306, true, 443, record(23, 0, 50))}, []string{hello[:100], hello[100:], ""}},
		{"ClientHello and data in one segment", Handshakes, []Frame{tcp(1, true, 443, hello+record(23, 0, 50))}, []string{hello}},
		{"a certificate of ours", Payload, []Frame{tcp(1, true, 443, hello), tcp(306, true, 443, record(22, 11, 80))}, []string{hello, ""}},
		{"ServerHello, then a certificate", Handshakes, []Frame{tcp(1, false, 443, record(22, 2, 90)+record(22, 11, 80))}, []string{record(22, 2, 90)}},
		{"sent again", Handshakes, []Frame{tcp(1, true, 443, hello), tcp(1, true, 443, hello)}, []string{hello, ""}},
		{"out of order", Handshakes, []Frame{tcp(101, true, 443, hello[100:]), tcp(1, true, 443, hello[:100])}, []string{"", ""}},
		{"data of a TLS connection", Payload, []Frame{tcp(1, true, 443, hello), tcp(306, true, 443, record(23, 0, 50))}, []string{hello, record(23, 0, 50)}},
		{"something else", Handshakes, []Frame{tcp(1, true, 5222, "\xc2\xfe\x00\x05 model=x")}, []string{""}},
		{"head of a response", Handshakes, []Frame{tcp(1, false, 80, "HTTP/1.1 200 OK\r\n\r\n")}, []string{""}},
		{"a QUIC Initial", Handshakes, []Frame{frameOf(1, 5, true, packet.ProtoUDP, 443, 0, "\xc3\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\x9e"+strings.Repeat("q", 1200))},
			[]string{"\xc3\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\x9e" + strings.Repeat("q", 1200)}},
		{"QUIC data", Handshakes, []Frame{frameOf(1, 5, true, packet.ProtoUDP, 443, 0, "\x43datadatadata")}, []string{""}},
	} {
		got := payloads(c.mode, c.frames...)
		if len(got) != len(c.payload) {
			t.Errorf("%s: %d packets", c.name, len(got))
			continue
		}
		for i := range got {
			if got[i] != c.payload[i] {
				t.Errorf("%s: packet %d keeps %d bytes %.40q, want %d bytes", c.name, i, len(got[i]), got[i], len(c.payload[i]))
			}
		}
	}
}

const request = "POST /v1/user/jane.doe/864628020123454?imei=864628020123454&lang=en&d=x HTTP/1.1\r\nHost: api.example.com\r\n" +
	"User-Agent: Dalvik/2.1.0 (Linux; U; Android 13; M2101K6G Build/TKQ1.221114.001)\r\nCookie: sid=jane\r\nAuthorization: Basic amFuZTpzZWNyZXQ=\r\n" +
	"X-Serial: 8a7b6c5d4e\r\nContent-Length: 90\r\n\r\n"

const body = `{"imei":"864628020123454","mac":"a4:50:46:01:02:03","tel":"+86 138 0013 8000","carrier":"Example Mobile","os":"13","token":"c2VjcmV0LXRva2VuMQ=="}`

// TestWriterOverwrites: nothing that tells who somebody is stays; what the
// evidence is about does.
func TestWriterOverwrites(t *testing.T) {
	secrets := []string{"864628020123454", "jane", "doe", "amFuZTpzZWNyZXQ", "8a7b6c5d4e", "a4:50:46", "138 0013", "Example Mobile", "c2VjcmV0", "sid="}
	for _, mode := range []Mode{Handshakes, Payload} {
		got := payloads(mode, frameOf(1, 5, true, packet.ProtoTCP, 80, 1, request+body))[0]
		for _, s := range secrets {
			if strings.Contains(got, s) {
				t.Errorf("%s: %q is kept", mode, s)
			}
		}
		for _, s := range []string{"POST /", "Host: api.example.com", "M2101K6G", "imei=xxx", "Content-Length: 90"} {
			if !strings.Contains(got, s) {
				t.Errorf("%s: %q is gone: %q", mode, s, got)
			}
		}
		if want := mode == Payload; strings.Contains(got, `"os":"13"`) != want {
			t.Errorf("%s: body kept: %t, want %t", mode, !want, want)
		}
	}
}

// TestChecksumIsMended: a receiver would take the packet.
func TestChecksumIsMended(t *testing.T) {
	for _, proto := range []uint8{packet.ProtoTCP, packet.ProtoUDP} {
		for _, payload := range []string{request + body, request + body + "1"} {
			f := frameOf(1, 5, true, proto, 80, 1, payload)
			w := Writer{Mode: Payload}
			blocks, _ := w.Append(nil, []Frame{f})
			if !bytes.Contains(blocks, []byte("overwritten with x")) {
				t.Fatal("nothing was overwritten, or it is not said")
			}
			data := packetsOf(blocks)[0]
			if sum := checksum(netip.MustParseAddr(client), netip.MustParseAddr(server), proto, data[34:]); sum != 0 && sum != 0xffff {
				t.Errorf("protocol %d, %d bytes: checksum is off by %#x", proto, len(payload), sum)
			}
		}
	}
}

// TestLeftOutWhenFound: what the detectors still see after overwriting is not
// kept at all.
func TestLeftOutWhenFound(t *testing.T) {
	f := frameOf(1, 5, true, packet.ProtoTCP, 8080, 1, "carrier=Vi+India&os=13")
	w := Writer{Mode: Payload}
	blocks, n := w.Append(nil, []Frame{f})
	if n != 1 || len(packetsOf(blocks)[0]) != int(f.Body) || !bytes.Contains(blocks, []byte("left out")) {
		t.Errorf("kept %q", packetsOf(blocks)[0][f.Body:])
	}
}

func TestLinks(t *testing.T) {
	f := frameOf(1, 5, true, packet.ProtoTCP, 443, 1, record(22, 1, 100))
	plain := f.Data
	tagged := f
	tagged.TPID, tagged.TCI = 0x8100, 42
	w := Writer{Mode: Handshakes}
	blocks, _ := w.Append(nil, []Frame{tagged})
	var p packet.Packet
	got := packetsOf(blocks)[0]
	if p.Decode(linkEthernet, got, 1, len(got)); p.VLAN() != 42 || p.SrcPort != 40000 {
		t.Errorf("the VLAN tag was not put back: %v", p.Stop)
	}
	raw := f // LINKTYPE_RAW: the IP packet alone
	raw.Link, raw.Data = 101, plain[14:]
	raw.Body, raw.Wire, raw.Size = raw.Body-14, raw.Wire-14, raw.Size-14
	w = Writer{Mode: Handshakes}
	blocks, _ = w.Append(nil, []Frame{raw})
	got = packetsOf(blocks)[0]
	if !bytes.Equal(got[14:], plain[14:]) || got[12] != 8 || le.Uint32(blocks[24:]) != uint32(len(plain)) {
		t.Errorf("an IP packet without link came out as % x", got[:20])
	}
}

func TestOrdered(t *testing.T) {
	w := Writer{Mode: Handshakes}
	var all []byte
	for _, at := range []int64{3e9, 1e9, 2e9} {
		all, _ = w.Append(all, []Frame{frameOf(at, uint64(at), true, packet.ProtoTCP, 443, 1, "")})
	}
	got := Ordered(append(all, 1, 2, 3))
	if len(got) != len(all) {
		t.Fatalf("%d bytes of %d", len(got), len(all))
	}
	var before uint64
	for at := 0; at < len(got); at += int(le.Uint32(got[at+4:])) {
		now := uint64(le.Uint32(got[at+12:]))<<32 | uint64(le.Uint32(got[at+16:]))
		if now < before {
			t.Error("not in the order of time")
		}
		before = now
	}
}

func FuzzWriter(f *testing.F) {
	for _, fr := range []Frame{
		frameOf(1, 5, true, packet.ProtoTCP, 80, 1, request+body), frameOf(1, 5, true, packet.ProtoTCP, 443, 1, record(22, 1, 40)),
		frameOf(1, 5, true, packet.ProtoUDP, 53, 0, "question"),
	} {
		f.Add(fr.Data, uint32(fr.Body), uint16(1), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, body uint32, link uint16, payload bool) {
		w := Writer{Mode: Handshakes}
		if payload {
			w.Mode = Payload
		}
		fr := Frame{Record{At: 1, Flow: 1, Wire: uint32(len(data)), Size: uint32(len(data)), Body: body, Whole: uint32(len(data)), Link: link, Sent: true}, data}
		blocks, _ := w.Append(nil, []Frame{fr})
		for range packetsOf(Ordered(blocks)) {
		}
	})
}
