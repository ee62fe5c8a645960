package wire

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

func tunnelHex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func padded(b []byte, n int) []byte { return append(b, make([]byte, n-len(b))...) }

var (
	wgInitiation = padded(tunnelHex("01000000 11223344 aabbccdd"), 148)
	ovpnPlainHex = "38 1122334455667788 00 00000000"
	ovpnAuth     = tunnelHex("38 1122334455667788" + strings.Repeat("ab", 20) + "00000001 5f000000 00 00000000")
	ovpnCrypt    = tunnelHex("38 1122334455667788 00000001 5f000000" + strings.Repeat("ab", 32) + "0011223344")
	ikeInit      = tunnelHex("1122334455667788 0000000000000000 21 20 22 08 00000000 00000020 00000004")
)

func TestTunnelUDP(t *testing.T) {
	for _, c := range []struct {
		what string
		b    []byte
		port uint16
		want Tunnel
	}{
		{"WireGuard initiation", wgInitiation, 51820, WireGuard},
		{"WireGuard response", padded(tunnelHex("02000000 11223344 55667788"), 92), 443, WireGuard},
		{"WireGuard cookie", padded(tunnelHex("03000000 11223344"), 64), 443, WireGuard},
		{"OpenVPN reset", tunnelHex(ovpnPlainHex), 1194, OpenVPN},
		{"OpenVPN server reset", tunnelHex("40 8877665544332211 01 00000000 1122334455667788 00000000"), 1194, OpenVPN},
		{"OpenVPN tls-auth", ovpnAuth, 443, OpenVPN},
		{"OpenVPN tls-crypt", ovpnCrypt, 443, OpenVPN},
		{"OpenVPN tls-crypt-v2", append(tunnelHex("50 1122334455667788 0f000001 5f000000"), make([]byte, 300)...), 443, OpenVPN},
		{"IKE_SA_INIT", ikeInit, 500, IKE},
		{"IKE behind NAT", append(make([]byte, 4), ikeInit...), 4500, IKE},
		{"IKEv1 main mode", tunnelHex("1122334455667788 0000000000000000 01 10 02 00 00000000 0000001c"), 500, IKE},
		{"ESP in UDP", padded(tunnelHex("c0ffee01 00000001"), 100), 4500, ESP},

		{"WireGuard, another length", wgInitiation[:147], 51820, NoTunnel},
		{"WireGuard, reserved bytes", append([]byte{1, 0, 1}, wgInitiation[3:]...), 51820, NoTunnel},
		{"NAT keepalive", []byte{0xff}, 4500, NoTunnel},
		{"ESP on another port", padded(tunnelHex("c0ffee01 00000001"), 100), 4501, NoTunnel},
		{"IKE, another length", append(ikeInit, 0), 500, NoTunnel},
		{"DNS", dnsAnswerOf(t, "a.example.", 1), 53, NoTunnel},
		{"text 8", []byte("8abcdefgh and so on, a line of text"), 1194, NoTunnel},
		{"zeros", make([]byte, 148), 51820, NoTunnel},
		{"OpenVPN reset without a session", tunnelHex("38 0000000000000000 00 00000000"), 1194, NoTunnel},
		{"QUIC", padded(tunnelHex("c3 00000001 08 1122334455667788 00 00 4496"), 1200), 443, NoTunnel},
		{"STUN", padded(tunnelHex("0001 0008 2112a442 112233445566778899aabbcc"), 28), 3478, NoTunnel},
	} {
		if got := TunnelUDP(c.b, 40000, c.port); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	if TunnelProto(50) != ESP || TunnelProto(51) != AH || TunnelProto(6) != NoTunnel {
		t.Error("IP protocol numbers")
	}
	if TunnelData(padded(tunnelHex("04000000 11223344 0100000000000000"), 128)) != WireGuard || TunnelData(padded(tunnelHex("04000000 11223344 0100000000000000"), 127)) != NoTunnel {
		t.Error("WireGuard data")
	}
}

func TestTunnelPrefixes(t *testing.T) {
	for _, whole := range [][]byte{wgInitiation, ovpnAuth, ovpnCrypt, ikeInit, tunnelHex(ovpnPlainHex)} {
		for n := range whole {
			if got := TunnelUDP(whole[:n], 40000, 40001); got != NoTunnel && n != len(whole) {
				t.Errorf("first %d of %d bytes: %q", n, len(whole), got)
			}
		}
	}
	stream := append([]byte{0, byte(len(ovpnAuth))}, ovpnAuth...)
	for n := range stream {
		if _, s := TunnelTCP(stream[:n]); s != More {
			t.Errorf("first %d bytes of a stream: %v, want More", n, s)
		}
	}
	if tunnel, s := TunnelTCP(append(stream, 1, 2, 3)); tunnel != OpenVPN || s != Whole {
		t.Errorf("stream: %v %v", tunnel, s)
	}
	for _, other := range []string{"GET / HTTP/1.1\r\n", "\x16\x03\x01\x00\x05", "\x00\x20\x12\x34\x01\x00\x00\x01", "\x00\x0e\x38\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if _, s := TunnelTCP([]byte(other)); s != Other {
			t.Errorf("%q: %v, want Other", other, s)
		}
	}
}

func FuzzTunnel(f *testing.F) {
	for _, b := range [][]byte{wgInitiation, ovpnAuth, ovpnCrypt, ikeInit, tunnelHex(ovpnPlainHex)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		TunnelUDP(b, 500, 4500)
		TunnelUDP(b, 1, 2)
		TunnelTCP(b)
		TunnelData(b)
	})
}

func BenchmarkTunnelUDPOther(b *testing.B) {
	payload := padded(tunnelHex("c3 00000001 08 1122334455667788 00 00 4496"), 1200)
	b.ReportAllocs()
	for b.Loop() {
		TunnelUDP(payload, 40000, 443)
	}
}

func radiusOf(attributes ...[]byte) []byte {
	b := []byte{4, 7, 0, 0, 15: 0, 19: 0}
	for _, a := range attributes {
		b = append(b, a...)
	}
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	return b
}

func attr(kind byte, v string) []byte { return append([]byte{kind, byte(len(v) + 2)}, v...) }

func TestRADIUS(t *testing.T) {
	whole := radiusOf(attr(40, "\x00\x00\x00\x01"), attr(1, "someone@example"), attr(8, "\xc0\x00\x02\x07"), attr(31, "64-CC-2E-01-02-03"),
		attr(30, "00-11-22-33-44-55:Campus WLAN"), attr(87, "GigabitEthernet1/0/7"), attr(32, "wlc-1"), attr(4, "\xc0\x00\x02\x01"),
		attr(97, "\x00\x40\x20\x01\x0d\xb8\x00\x00\x00\x01"), attr(168, string(netip.MustParseAddr("2001:db8::7").AsSlice())), attr(55, "\x5f\x00\x00\x00"))
	var r RADIUS
	if err := r.Parse(whole); err != nil {
		t.Fatal(err)
	}
	if r.Status != AcctStart || r.Addr.String() != "192.0.2.7" || !r.HasMAC || r.MAC != [6]byte{0x64, 0xcc, 0x2e, 1, 2, 3} || !r.HasBSSID ||
		r.BSSID[5] != 0x55 || string(r.SSID) != "Campus WLAN" || string(r.PortID) != "GigabitEthernet1/0/7" || string(r.NAS) != "wlc-1" ||
		r.NASAddr.String() != "192.0.2.1" || r.Prefix6.String() != "2001:db8:0:1::/64" || r.Addr6.String() != "2001:db8::7" || r.Event != 0x5f000000 {
		t.Errorf("%+v", r)
	}
	for n := range whole {
		if err := r.Parse(whole[:n]); err != ErrTruncated {
			t.Errorf("first %d bytes: %v, want ErrTruncated", n, err)
		}
	}
	if err := r.Parse(radiusOf(attr(1, "someone"))); err != ErrMalformed {
		t.Errorf("without a status: %v", err)
	}
	if err := r.Parse(append([]byte{1}, whole[1:]...)); err != ErrOther {
		t.Errorf("an access request: %v", err)
	}
	if a := testing.AllocsPerRun(100, func() { r.Parse(whole) }); a != 0 {
		t.Errorf("%v allocations, want none", a)
	}
}

func TestMACText(t *testing.T) {
	for text, want := range map[string]bool{
		"64:cc:2e:01:02:03": true, "64-CC-2E-01-02-03": true, "64cc.2e01.0203": true, "64CC2E010203": true,
		"64:cc:2e:01:02": false, "64:cc:2e:01:02:0": false, "6:4c:c2:e0:10:20:3": false, "64cc2e0102034": false,
		"01:00:5e:00:00:01": false, "00:00:00:00:00:00": false, "": false, ":64cc2e010203": false, "64::cc2e:01:02:03": false,
	} {
		mac, _, ok := macText([]byte(text))
		if ok != want || ok && mac != [6]byte{0x64, 0xcc, 0x2e, 1, 2, 3} {
			t.Errorf("%q: %x %v, want %v", text, mac, ok, want)
		}
	}
}

func FuzzRADIUS(f *testing.F) {
	f.Add(radiusOf(attr(40, "\x00\x00\x00\x02"), attr(31, "64cc.2e01.0203"), attr(30, "ap-1:SSID"), attr(97, "\x00\x80")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r RADIUS
		if err := r.Parse(b); err == nil && r.Status == 0 {
			t.Error("no status and no error")
		}
	})
}
