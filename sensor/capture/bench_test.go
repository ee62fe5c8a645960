package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// bulk is a capture of n frames of about 900 bytes.
func bulk(n int) []byte {
	r := make([]record, n)
	for i := range r {
		size := 60 + i*397%1440
		r[i] = record{1700000000, uint32(i), strings.Repeat("x", size), uint32(size)}
	}
	return pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, r...)
}

func bulkNg(n int) []byte {
	o := binary.LittleEndian
	var b bytes.Buffer
	b.Write(section(o))
	b.Write(description(o, 1, 0))
	for i := range n {
		size := uint32(60 + i*397%1440)
		b.Write(block(o, blockEnhanced, fields(o, uint32(0), uint32(0x60a00), uint32(i), size, size, strings.Repeat("x", int(size)))))
	}
	return b.Bytes()
}

// endless repeats the records of a file after its head.
type endless struct {
	head, body []byte
	at         int
}

func (e *endless) Read(b []byte) (int, error) {
	if len(e.head) > 0 {
		n := copy(b, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := copy(b, e.body[e.at:])
	e.at = (e.at + n) % len(e.body)
	return n, nil
}

func BenchmarkFile(b *testing.B) {
	pcap, ng := bulk(20000), bulkNg(20000)
	ngHead := len(section(le)) + len(description(le, 1, 0))
	for _, c := range []struct {
		name string
		r    endless
	}{
		{"pcap", endless{head: pcap[:24], body: pcap[24:]}},
		{"pcapng", endless{head: ng[:ngHead], body: ng[ngHead:]}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := c.r
			f, err := NewFile("bench", &r, 0)
			if err != nil {
				b.Fatal(err)
			}
			batch := make([]Frame, 256)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				k, err := f.Next(batch)
				if err != nil {
					b.Fatal(err)
				}
				n += k
			}
		})
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	pcap, ng := bulk(2000), bulkNg(2000)
	ngHead := len(section(le)) + len(description(le, 1, 0))
	for name, r := range map[string]io.Reader{
		"pcap":   &endless{head: pcap[:24], body: pcap[24:]},
		"pcapng": &endless{head: ng[:ngHead], body: ng[ngHead:]},
	} {
		f, err := NewFile(name, r, 0)
		if err != nil {
			t.Fatal(err)
		}
		batch := make([]Frame, 64)
		if allocs := testing.AllocsPerRun(2000, func() {
			if _, err := f.Next(batch); err != nil {
				t.Fatal(err)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations a batch, want none", name, allocs)
		}
	}
}
