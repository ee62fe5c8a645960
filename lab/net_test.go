package lab

import (
	"os"
	"testing"
)

// network returns a net for the test, or skips when namespaces cannot be made.
func network(t *testing.T) *Net {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	n, err := New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(n.Close)
	return n
}

func TestSpanShowsBothDirections(t *testing.T) {
	n := network(t)
	phone, gw := host(t, n, "phone"), host(t, n, "gw")
	ok(t, n.Link(phone, "wlan0", gw, "port0"))
	ok(t, gw.IP("link add span0 type veth peer name span1"))
	ok(t, gw.IP("link set span0 up"))
	ok(t, gw.IP("link set span1 up"))
	ok(t, phone.IP("addr add 10.1.0.2/24 dev wlan0"))
	ok(t, gw.IP("addr add 10.1.0.1/24 dev port0"))
	ok(t, gw.Span("span0", "port0"))

	server, err := gw.ListenPacket("udp", "10.1.0.1:9999")
	ok(t, err)
	defer server.Close()
	spy, err := gw.Sniff("span1")
	ok(t, err)
	defer spy.Close()

	conn, err := phone.Dial("udp", "10.1.0.1:9999")
	ok(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("there"))
	ok(t, err)
	buf := make([]byte, 64)
	k, from, err := server.ReadFrom(buf)
	ok(t, err)
	_, err = server.WriteTo([]byte("back"), from)
	ok(t, err)
	if string(buf[:k]) != "there" {
		t.Fatalf("server read %q", buf[:k])
	}
	spy.Want(t, "there")
	spy.Want(t, "back")
}

func host(t *testing.T, n *Net, name string) *Host {
	t.Helper()
	h, err := n.Host(name)
	ok(t, err)
	return h
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
