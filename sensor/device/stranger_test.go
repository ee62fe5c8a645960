package device

import (
	"testing"
	"time"

	"picket/sensor/observation"
)

// What another MAC does with the address of a leaseholder is not counted to
// the leaseholder, in bytes no more than in evidence.
func TestStrangerOnALeasedAddress(t *testing.T) {
	const phone, other, addr = "5a:11:22:33:44:01", "5a:11:22:33:44:02", "10.0.0.7"
	b := newBench(t, Config{})
	b.lease("", phone, addr, observation.DHCPMessage{Hostname: "Redmi-Note-12", HasHostname: true})
	holder := b.hello("", addr, phone, "os.example")
	b.wait(5 * time.Second)
	stranger := b.flowTo("", addr, other, "198.51.100.9", "", b.now)
	b.mustDiffer(holder, stranger, "its bytes are its own")
	b.mustDiffer(holder, b.hello("", addr, other, "app.example"), "its names are its own")
	b.mustBe(holder, b.hello("", addr, phone, "os.example"), "the leaseholder goes on")
}
