package wire

import (
	"bytes"
	"encoding/base64"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Client is what a client sends: preface, settings, a request whose
// header block is split over two frames, and a body.
func http2Client(t testing.TB, fields ...[2]string) []byte {
	t.Helper()
	var b, block bytes.Buffer
	b.WriteString(http2.ClientPreface)
	e := hpack.NewEncoder(&block)
	for _, f := range fields {
		if err := e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	f := http2.NewFramer(&b, nil)
	h := block.Bytes()
	half := len(h) / 2
	for _, err := range []error{
		f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535}),
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: h[:half], PadLength: 3, Priority: http2.PriorityParam{Weight: 3}}),
		f.WriteContinuation(1, true, h[half:]),
		f.WriteDataPadded(1, true, []byte("body"), make([]byte, 5)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// readHTTP2 returns the events of a client's bytes.
func readHTTP2(b []byte) (events []HTTP2Event, s Status) {
	n, s := HTTP2Preface(b)
	if s != Whole {
		return nil, s
	}
	h := NewHTTP2()
	for b = b[n:]; ; b = b[n:] {
		if n, s = h.Parse(b); s != Whole {
			return events, s
		}
		if h.Event.Stream != 0 {
			e := h.Event
			e.Data = bytes.Clone(e.Data)
			events = append(events, e)
		}
	}
}

func TestHTTP2(t *testing.T) {
	question := []byte("\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01")
	whole := http2Client(t, [2]string{":method", "GET"}, [2]string{":authority", "Dns.Example:8053"},
		[2]string{":path", "/dns-query?dns=" + base64.RawURLEncoding.EncodeToString(question)}, [2]string{"user-agent", "Dalvik/2.1.0 (Linux; MI 9)"}, [2]string{"content-type", DoHMessage})
	events, s := readHTTP2(whole)
	if s != More || len(events) != 2 {
		t.Fatalf("%v %+v", s, events)
	}
	e := &events[0]
	if !e.Head || e.End || e.Method != "GET" || e.Host != "dns.example" || e.UserAgent != "Dalvik/2.1.0 (Linux; MI 9)" || e.ContentType != DoHMessage || !bytes.Equal(e.DoHQuestion(), question) {
		t.Errorf("%+v", e)
	}
	if e = &events[1]; e.Head || !e.End || string(e.Data) != "body" || e.Stream != 1 {
		t.Errorf("%+v", e)
	}
	for n := range whole {
		if events, s := readHTTP2(whole[:n]); s != More || len(events) > 1 {
			t.Fatalf("first %d bytes: %v %+v", n, s, events)
		}
	}
}

func TestHTTP2Bounds(t *testing.T) {
	frame := func(typ, flags byte, stream byte, size int) []byte {
		return append([]byte{byte(size >> 16), byte(size >> 8), byte(size), typ, flags, 0, 0, 0, stream}, make([]byte, min(size, 1<<15))...)
	}
	flood := frame(frameHeaders, 0, 1, 1<<14)
	for range 3 {
		flood = append(flood, frame(frameContinuation, 0, 1, 1<<14)...)
	}
	for what, b := range map[string][]byte{
		"a header block without end":     flood,
		"a continuation of nothing":      frame(frameContinuation, 4, 1, 1),
		"headers longer than is allowed": frame(frameHeaders, 4, 1, 1<<15),
		"headers of no stream":           frame(frameHeaders, 4, 0, 1),
		"padding longer than the frame":  append([]byte{0, 0, 2, frameData, flagPadded, 0, 0, 0, 1}, 9, 0),
		"a type that nobody knows":       frame(0x77, 0, 0, 5),
	} {
		if _, s := readHTTP2(append([]byte(http2Preface), b...)); s != Bad {
			t.Errorf("%s: %v, want Bad", what, s)
		}
	}
	long := append(frame(frameData, 0, 1, 1<<15), http2Client(t, [2]string{":method", "PUT"})[len(http2Preface):]...)
	if events, s := readHTTP2(append([]byte(http2Preface), long...)); s != More || len(events) != 2 || events[0].Method != "PUT" {
		t.Errorf("behind a long frame: %v %+v", s, events)
	}
}

func FuzzHTTP2(f *testing.F) {
	f.Add(http2Client(f, [2]string{":method", "POST"}, [2]string{":authority", "a.example"}, [2]string{"content-type", DoHMessage}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := NewHTTP2()
		for {
			n, s := h.Parse(b)
			if n > len(b) || (s == Whole) != (n > 0) || len(h.block) > http2MaxBlock {
				t.Fatalf("%d of %d, %v", n, len(b), s)
			}
			if s != Whole {
				return
			}
			h.Event.DoHQuestion()
			b = b[n:]
		}
	})
}
