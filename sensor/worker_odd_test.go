package sensor

import (
	"bytes"
	"slices"
	"testing"

	"picket/sensor/observation"
)

// dtlsHellos is the ClientHello of one record per datagram, each with size
// octets of the message (RFC 6347, section 4.2.3).
func dtlsHellos(name string, size int) (datagrams [][]byte) {
	sni := slices.Concat([]byte{0, 0, 0, byte(len(name) + 5), 0, byte(len(name) + 3), 0, 0, byte(len(name))}, []byte(name))
	body := slices.Concat([]byte{0xfe, 0xfd}, make([]byte, 32), []byte{0, 0, 0, 2, 0xc0, 0x2b, 1, 0, 0, byte(len(sni))}, sni)
	for from := 0; from < len(body); from += size {
		part := body[from:min(len(body), from+size)]
		d := []byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, byte(from), 0, byte(12 + len(part)),
			1, 0, 0, byte(len(body)), 0, 0, 0, 0, byte(from), 0, 0, byte(len(part))}
		datagrams = append(datagrams, append(d, part...))
	}
	return datagrams
}

// TestDTLSComesLate: WebRTC looks for a path first, as long as that takes, and
// small devices send their hello in many datagrams.
func TestDTLSComesLate(t *testing.T) {
	stun := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...)
	late := newTalk("203.0.113.5:49000")
	for range 3 * maxGuesses {
		late.datagram(true, stun).datagram(false, stun)
	}
	late.datagram(true, dtlsHellos("turn.example.com", 200)[0])
	many := newTalk("203.0.113.5:5684")
	for _, d := range dtlsHellos("coap.example.com", 4) {
		many.datagram(true, d)
	}
	many.datagram(false, stun)
	for name, k := range map[string]*talk{"turn.example.com": late, "coap.example.com": many} {
		events, _ := told(observe(t, WorkerConfig{}, k.frames))
		if len(events) != 1 || !bytes.HasPrefix([]byte(events[0]), []byte("dtls sni="+name)) {
			t.Errorf("%s: %q", name, events)
		}
	}
}

// TestNameThatNamesNothing: what was sent is shown, with why it is no name, and
// the flow has none.
func TestNameThatNamesNothing(t *testing.T) {
	for sent, want := range map[string][2]string{
		"Server4:443": {"server4:443", "not-a-name"}, "a b.example": {"a b.example", "not-a-name"}, "a\x00b.example": {"", "not-a-name"},
	} {
		k := tcpTalk("203.0.113.5:443").up(bytes.Replace(helloOfChrome(t, "abcdefg.example"[:len(sent)]), []byte("abcdefg.example"[:len(sent)]), []byte(sent), 1)).down([]byte("x"))
		seen := observe(t, WorkerConfig{}, k.frames)
		hello, named := 0, ""
		for i := range seen {
			switch o := &seen[i]; o.Kind {
			case observation.TLS:
				if hello++; o.Hello.SNI != want[0] || o.Hello.SNIReason != want[1] {
					t.Errorf("%q is shown as %q, %q", sent, o.Hello.SNI, o.Hello.SNIReason)
				}
			case observation.FlowReport:
				named += o.Flow.Name
			}
		}
		if hello != 1 || named != "" {
			t.Errorf("%q: %d hellos, flow named %q", sent, hello, named)
		}
	}
}

// TestRequestOfAMissedStart: the capture begins in the middle of an upload.
func TestRequestOfAMissedStart(t *testing.T) {
	k := newTalk("203.0.113.5:80").up(make([]byte, 300), make([]byte, 300)).down([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	k.up([]byte("GET /next HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: late/1\r\n\r\n"))
	events, _ := told(observe(t, WorkerConfig{}, k.frames))
	check(t, "events", events, []string{`http GET host=www.example.com ua="late/1"`})
}

// TestDHCPCut: of a message that was cut, the options before the cut count.
func TestDHCPCut(t *testing.T) {
	b := make([]byte, 240)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[28:], []byte{2, 0, 0, 0, 0, 9})
	copy(b[236:], []byte{0x63, 0x82, 0x53, 0x63})
	b = append(b, 53, 1, 1, 12, 5, 'p', 'h', 'o', 'n', 'e', 60, 20, 'a')
	six := append([]byte{1, 0, 0, 1, 0, 1, 0, 4, 0, 3, 0, 1, 0, 6, 0, 4, 0, 23, 0, 24}, 0, 39, 0, 50, 'x')
	for server, message := range map[string][]byte{"255.255.255.255:67": b, "[ff02::1:2]:547": six} {
		var got []observation.Observation
		for n := range message {
			for _, o := range observe(t, WorkerConfig{}, newTalk(server).datagram(true, message[:n+1]).frames) {
				if o.Kind == observation.DHCP {
					got = append(got, o)
				}
			}
		}
		if len(got) == 0 {
			t.Errorf("%s: nothing is read of any part", server)
			continue
		}
		if m := got[len(got)-1].DHCP; m.Hostname != "phone" && len(m.ParamList) != 2 || m.HasVendorClass || m.FQDN != "" {
			t.Errorf("%s: %+v", server, m)
		}
	}
}

// TestAnswerComesFirst: where two taps are merged, the answer may overtake the
// hello; its bytes count and its name is read.
func TestAnswerComesFirst(t *testing.T) {
	k := newTalk("203.0.113.5:443")
	hello := helloOfChrome(t, "www.example.com")
	k.up(hello).down([]byte("\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00"))
	k.frames[0].Data, k.frames[1].Data = k.frames[1].Data, k.frames[0].Data
	k.frames[0].Wire, k.frames[1].Wire = k.frames[1].Wire, k.frames[0].Wire
	seen := observe(t, WorkerConfig{}, k.frames)
	events, _ := told(seen)
	if len(events) != 1 || !bytes.HasPrefix([]byte(events[0]), []byte("tls sni=www.example.com")) {
		t.Errorf("events %q", events)
	}
	late := tcpTalk("203.0.113.5:443").up(hello).down([]byte("\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00"))
	for _, i := range []int{1, 3} { // the server's frames come one late, then one early
		late.frames[i].Data, late.frames[i+1].Data = late.frames[i+1].Data, late.frames[i].Data
		late.frames[i].Wire, late.frames[i+1].Wire = late.frames[i+1].Wire, late.frames[i].Wire
	}
	if events, _ := told(observe(t, WorkerConfig{}, late.frames)); len(events) != 1 || !bytes.HasPrefix([]byte(events[0]), []byte("tls sni=www.example.com")) {
		t.Errorf("with a handshake: events %q", events)
	}
	var sent uint64
	for i := range seen {
		sent += seen[i].Flow.Sent
	}
	if sent != uint64(len(hello)) {
		t.Errorf("%d bytes sent, want %d", sent, len(hello))
	}
}

// TestCutDatagramIsNoTunnel: what the snap length cut is not judged by its length.
func TestCutDatagramIsNoTunnel(t *testing.T) {
	wireguard := append([]byte{1, 0, 0, 0, 9}, make([]byte, 143)...)
	k := newTalk("203.0.113.5:51820").datagram(true, append(wireguard, 1, 2, 3, 4))
	k.frames[0].Data = k.frames[0].Data[:len(k.frames[0].Data)-4]
	if events, _ := told(observe(t, WorkerConfig{}, k.frames)); len(events) != 0 {
		t.Errorf("events %q", events)
	}
}
