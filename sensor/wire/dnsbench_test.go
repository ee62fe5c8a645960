package wire

import (
	"bytes"
	"testing"

	"github.com/miekg/dns"
)

func BenchmarkDNSAnswer(b *testing.B) {
	message := dnsAnswerOf(b, "www.example.com.", dns.TypeA,
		"www.example.com. 60 IN CNAME edge.example.net.", "edge.example.net. 20 IN A 192.0.2.1", "edge.example.net. 20 IN A 192.0.2.2")
	var d DNS
	b.ReportAllocs()
	for b.Loop() {
		d.Parse(message, UnicastDNS)
	}
}

func BenchmarkLooksLikeDNSOther(b *testing.B) {
	payload := bytes.Repeat([]byte{0x17, 0x80, 0x33}, 400)
	b.ReportAllocs()
	for b.Loop() {
		LooksLikeDNS(payload)
	}
}
