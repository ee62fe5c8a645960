package sensor

import (
	"testing"

	"picket/sensor/capture"
)

// FuzzWorker feeds frames of any content to a worker with small bounds: the
// input is cut into frames at each byte pair that gives a length.
func FuzzWorker(f *testing.F) {
	seed := func(frames []capture.Frame) {
		var b []byte
		for _, x := range frames {
			b = append(be.AppendUint16(b, uint16(len(x.Data))), x.Data...)
		}
		f.Add(byte(1), b)
	}
	hello := helloOfChrome(f, "www.example.com")
	seed(tcpTalk("203.0.113.5:443").reordered(hello[:700], hello[700:]).frames)
	seed(tcpTalk("203.0.113.5:8080").up([]byte("CONNECT a.example:443 HTTP/1.1\r\n\r\n"), hello).frames)
	seed(tcpTalk("203.0.113.5:80").up([]byte("POST /d?host=a.example HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\nimei=1234")).frames)
	seed(tcpTalk("203.0.113.53:53").up(framed(query(f, "a.example", 1))).frames)
	seed(tcpTalk("203.0.113.5:5222").up(pushOpening()).frames)
	seed(newTalk("203.0.113.53:53").datagram(true, query(f, "a.example", 65)).frames)
	quics := initials(f, "quic.example.com", 2)
	seed(newTalk("203.0.113.5:443").datagram(true, quics[1]).datagram(true, quics[0]).frames)
	f.Fuzz(func(t *testing.T, link byte, b []byte) {
		bench := newBench(t, WorkerConfig{MaxConversations: 4, Decrypts: 16})
		at := int64(1_700_000_000e9)
		for len(b) >= 2 {
			n := min(int(be.Uint16(b)), len(b)-2)
			frame := capture.Frame{Data: b[2 : 2+n], At: at, Wire: n, Link: capture.LinkType(link)}
			at += 100 * millisecond
			b = b[2+n:]
			bench.play([]capture.Frame{frame})
		}
		bench.end()
		if bench.w.convos.used != 0 || bench.w.table.Stats().Flows != 0 {
			t.Errorf("%d conversations, %d flows left", bench.w.convos.used, bench.w.table.Stats().Flows)
		}
	})
}
