package wire

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/insomniacslk/dhcp/rfc1035label"
)

var handsetMAC = net.HardwareAddr{0x02, 0x00, 0x5e, 0x10, 0x00, 0x01}

func dhcpRequest(t testing.TB, more ...dhcpv4.Modifier) []byte {
	t.Helper()
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{
		dhcpv4.WithHwAddr(handsetMAC),
		dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest),
		dhcpv4.WithOption(dhcpv4.OptHostName("Redmi-Note-9")),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("android-dhcp-11")),
		dhcpv4.WithOption(dhcpv4.OptParameterRequestList(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer)),
		dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.IPv4(192, 0, 2, 7))),
		dhcpv4.WithOption(dhcpv4.OptClientIdentifier([]byte{1, 2, 0, 0x5e, 0x10, 0, 1})),
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.ToBytes()
}

func TestDHCP4Request(t *testing.T) {
	var d DHCP
	if err := d.Parse4(dhcpRequest(t)); err != nil {
		t.Fatal(err)
	}
	if d.Version != 4 || d.TypeName() != "request" || d.FromServer || !d.HasMAC || !bytes.Equal(d.MAC[:], handsetMAC) ||
		string(d.Hostname) != "Redmi-Note-9" || string(d.VendorClass) != "android-dhcp-11" ||
		!slices.Equal(d.ParamList, []uint16{1, 3, 6}) || d.Requested != netip.MustParseAddr("192.0.2.7") ||
		!bytes.Equal(d.ClientID, []byte{1, 2, 0, 0x5e, 0x10, 0, 1}) || d.HasFQDN || d.Given.IsValid() {
		t.Errorf("%+v", d)
	}
}

func TestDHCP4Ack(t *testing.T) {
	b := dhcpRequest(t, func(m *dhcpv4.DHCPv4) {
		m.OpCode = dhcpv4.OpcodeBootReply
		m.YourIPAddr = net.IPv4(192, 0, 2, 7)
		m.GatewayIPAddr = net.IPv4(192, 0, 2, 1)
		m.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeAck))
		m.UpdateOption(dhcpv4.OptIPAddressLeaseTime(time.Hour))
		m.UpdateOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 0, 2, 2)))
		m.UpdateOption(dhcpv4.OptRelayAgentInfo(
			dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(1), []byte("Gi1/0/7")), dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(2), []byte{0, 6, 1, 2})))
	})
	var d DHCP
	if err := d.Parse4(b); err != nil {
		t.Fatal(err)
	}
	if !d.FromServer || d.TypeName() != "ack" || d.Given != netip.MustParseAddr("192.0.2.7") || d.Lease != 3600 ||
		d.Relay != netip.MustParseAddr("192.0.2.1") || d.Server != netip.MustParseAddr("192.0.2.2") ||
		Printable(d.CircuitID) != "Gi1/0/7" || Printable(d.RemoteID) != "00060102" {
		t.Errorf("%+v", d)
	}
}

// rawDHCP is a message with options as given, in raw form.
func rawDHCP(options ...byte) []byte {
	b := make([]byte, dhcpFixed)
	b[0], b[1], b[2] = 1, 1, 6
	copy(b[28:], handsetMAC)
	return append(append(b, 0x63, 0x82, 0x53, 0x63), options...)
}

func TestDHCP4Options(t *testing.T) {
	var d DHCP
	long := append([]byte{12, 3, 'a', 'b', 'c', 55, 1, 1, 12, 2, 'd', 'e', 55, 2, 3, 6}, 255)
	if err := d.Parse4(rawDHCP(long...)); err != nil || string(d.Hostname) != "abcde" || !slices.Equal(d.ParamList, []uint16{1, 3, 6}) ||
		!slices.Equal(d.Options, []uint16{12, 55, 12, 55}) {
		t.Errorf("split options: %v %q %v %v", err, d.Hostname, d.ParamList, d.Options)
	}

	overload := rawDHCP(53, 1, 1, 52, 1, 3, 255)
	copy(overload[108:], []byte{60, 4, 'M', 'S', 'F', 'T', 255})
	copy(overload[44:], []byte{12, 2, 'p', 'c', 255})
	if err := d.Parse4(overload); err != nil || string(d.VendorClass) != "MSFT" || string(d.Hostname) != "pc" || d.Type != 1 {
		t.Errorf("overload: %v %q %q", err, d.VendorClass, d.Hostname)
	}

	if err := d.Parse4(rawDHCP(12, 0, 60, 0, 255)); err != nil || !d.HasHostname || !d.HasVendorClass || len(d.Hostname)+len(d.VendorClass) != 0 {
		t.Errorf("empty options: %v %+v", err, d)
	}
	if err := d.Parse4(rawDHCP(12, 3, 'a', 0, 0, 255)); err != nil || string(d.Hostname) != "a" {
		t.Errorf("NUL at the end: %v %q", err, d.Hostname)
	}
	fqdn := rfc1035label.NewLabels()
	fqdn.Labels = []string{"phone.example"}
	wire := append([]byte{81, byte(3 + fqdn.Length()), 4, 0, 0}, fqdn.ToBytes()...)
	if err := d.Parse4(rawDHCP(append(wire, 255)...)); err != nil || string(d.FQDN) != "phone.example" {
		t.Errorf("FQDN in wire form: %v %q", err, d.FQDN)
	}
	if err := d.Parse4(rawDHCP(81, 8, 0, 0, 0, 'p', 'h', 'o', 'n', 'e', 255)); err != nil || string(d.FQDN) != "phone" {
		t.Errorf("FQDN in ASCII: %v %q", err, d.FQDN)
	}

	bootp := rawDHCP()[:dhcpFixed]
	if err := d.Parse4(bootp); err != nil || d.TypeName() != "bootrequest" || !d.HasMAC {
		t.Errorf("BOOTP: %v %+v", err, d)
	}
	if err := d.Parse4(append([]byte{9}, bootp[1:]...)); err != ErrOther {
		t.Errorf("op 9: %v", err)
	}
	many := rawDHCP()
	for range dhcpMaxPieces + 1 {
		many = append(many, 224, 0)
	}
	if err := d.Parse4(many); err != ErrTooLong || len(d.Options) != dhcpMaxPieces {
		t.Errorf("%d options: %v, %d kept", dhcpMaxPieces+1, err, len(d.Options))
	}
}

func TestDHCP4Prefixes(t *testing.T) {
	whole := dhcpRequest(t)
	end := bytes.LastIndexByte(whole, 255)
	var d, all DHCP
	if err := all.Parse4(whole); err != nil {
		t.Fatal(err)
	}
	for n := range end {
		err := d.Parse4(whole[:n])
		if n < dhcpFixed && err != ErrTruncated {
			t.Errorf("first %d bytes: %v, want ErrTruncated", n, err)
		}
		// A cut between two options cannot be told from a message without
		// end option; what was read must be right.
		if len(d.Options) > len(all.Options) || !slices.Equal(d.Options, all.Options[:len(d.Options)]) {
			t.Errorf("first %d bytes: options %v", n, d.Options)
		}
	}
}

func solicit(t testing.TB) *dhcpv6.Message {
	t.Helper()
	m, err := dhcpv6.NewSolicit(handsetMAC,
		dhcpv6.WithRequestedOptions(dhcpv6.OptionDNSRecursiveNameServer, dhcpv6.OptionDomainSearchList),
		dhcpv6.WithFQDN(0, "redmi.example"),
		dhcpv6.WithOption(&dhcpv6.OptVendorClass{EnterpriseNumber: 311, Data: [][]byte{[]byte("MSFT 5.0")}}))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDHCP6Solicit(t *testing.T) {
	var d DHCP
	if err := d.Parse6(solicit(t).ToBytes()); err != nil {
		t.Fatal(err)
	}
	if d.Version != 6 || d.TypeName() != "solicit" || d.FromServer || !d.HasMAC || !bytes.Equal(d.MAC[:], handsetMAC) ||
		string(d.FQDN) != "redmi.example" || string(d.VendorClass) != "MSFT 5.0" || d.Enterprise != 311 || len(d.ClientID) == 0 {
		t.Errorf("%+v", d)
	}
	if !slices.Contains(d.ParamList, 23) || !slices.Contains(d.ParamList, 24) {
		t.Errorf("option request: %v", d.ParamList)
	}
}

func TestDHCP6RelayedReply(t *testing.T) {
	m := solicit(t)
	m.MessageType = dhcpv6.MessageTypeReply
	m.AddOption(&dhcpv6.OptIANA{IaId: [4]byte{1}, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{
		&dhcpv6.OptIAAddress{IPv6Addr: net.ParseIP("2001:db8::7"), PreferredLifetime: time.Minute, ValidLifetime: time.Hour}}}})
	m.AddOption(&dhcpv6.OptIAPD{Options: dhcpv6.PDOptions{Options: dhcpv6.Options{
		&dhcpv6.OptIAPrefix{Prefix: &net.IPNet{IP: net.ParseIP("2001:db8:1::"), Mask: net.CIDRMask(56, 128)}}}}})
	relay, err := dhcpv6.EncapsulateRelay(m, dhcpv6.MessageTypeRelayReply, net.ParseIP("2001:db8::1"), net.ParseIP("fe80::1"))
	if err != nil {
		t.Fatal(err)
	}
	relay.AddOption(dhcpv6.OptInterfaceID([]byte("ge-0/0/1")))
	relay.AddOption(dhcpv6.OptClientLinkLayerAddress(iana.HWTypeEthernet, net.HardwareAddr{2, 0, 0x5e, 0x10, 0, 9}))
	outer, err := dhcpv6.EncapsulateRelay(relay, dhcpv6.MessageTypeRelayReply, net.IPv6zero, net.ParseIP("fe80::2"))
	if err != nil {
		t.Fatal(err)
	}
	var d DHCP
	if err := d.Parse6(outer.ToBytes()); err != nil {
		t.Fatal(err)
	}
	if d.TypeName() != "reply" || !d.FromServer || d.Given != netip.MustParseAddr("2001:db8::7") || d.Lease != 3600 ||
		d.Relay != netip.MustParseAddr("2001:db8::1") || string(d.CircuitID) != "ge-0/0/1" || d.MAC[5] != 9 ||
		!slices.Equal(d.Prefixes, []netip.Prefix{netip.MustParsePrefix("2001:db8:1::/56")}) {
		t.Errorf("%+v", d)
	}
	whole := outer.ToBytes()
	for n := range whole {
		if err := d.Parse6(whole[:n]); err != ErrTruncated && err != ErrMalformed {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
}

func TestDHCP6Loops(t *testing.T) {
	message := dhcpv6.DHCPv6(solicit(t))
	for range dhcp6MaxRelays + 1 {
		relay, err := dhcpv6.EncapsulateRelay(message, dhcpv6.MessageTypeRelayForward, net.IPv6loopback, net.IPv6loopback)
		if err != nil {
			t.Fatal(err)
		}
		message = relay
	}
	var d DHCP
	if err := d.Parse6(message.ToBytes()); err != ErrTooLong {
		t.Errorf("%d relays: %v, want ErrTooLong", dhcp6MaxRelays+1, err)
	}
	if err := d.Parse6([]byte{99, 0, 0, 1}); err != ErrOther {
		t.Errorf("type 99: %v", err)
	}
}

func TestDHCPAllocatesNothing(t *testing.T) {
	four, six := dhcpRequest(t), solicit(t).ToBytes()
	var d DHCP
	if n := testing.AllocsPerRun(100, func() { d.Parse4(four); d.Parse6(six) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzDHCP4(f *testing.F) {
	f.Add(dhcpRequest(f))
	f.Add(rawDHCP(52, 1, 3, 255))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d DHCP
		err := d.Parse4(b)
		if len(d.Options) > dhcpMaxPieces {
			t.Error("over the bound")
		}
		m, oracle := dhcpv4.FromBytes(b)
		if oracle != nil || err != nil || d.TypeName() == "bootrequest" {
			return
		}
		if got := m.Options.Get(dhcpv4.OptionHostName); d.HasHostname && !slices.Contains(d.Options, 52) && string(trimNUL(got)) != string(d.Hostname) {
			t.Errorf("host name %q, want %q", d.Hostname, got)
		}
	})
}

func FuzzDHCP6(f *testing.F) {
	f.Add(solicit(f).ToBytes())
	relay, _ := dhcpv6.EncapsulateRelay(solicit(f), dhcpv6.MessageTypeRelayForward, net.IPv6loopback, net.IPv6loopback)
	f.Add(relay.ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		var d DHCP
		d.Parse6(b)
		if len(d.Options) > dhcpMaxPieces || len(d.Addrs) > dhcpMaxAddrs || len(d.Prefixes) > dhcpMaxAddrs || len(d.ParamList) > 2*dhcpMaxPieces {
			t.Error("over a bound")
		}
	})
}

func BenchmarkDHCP4(b *testing.B) {
	message := dhcpRequest(b)
	var d DHCP
	b.ReportAllocs()
	for b.Loop() {
		d.Parse4(message)
	}
}
