package sensor

import (
	"picket/sensor/capture"
	"picket/sensor/flow"
	"picket/sensor/packet"
	"picket/sensor/packets"
)

// What is copied of a conversation: enough for both hellos and for seeing
// that bytes went.
const (
	keptFrames = 8    // of each direction
	keptSent   = 2048 // bytes of payload of one frame, from our end
	keptBack   = 256  // and of one that comes back: a ServerHello
)

// keepsake copies the first frames of conversations into memory of its own
// and hands them to the slow side, which alone learns whose they are. The
// zero value keeps nothing.
type keepsake struct {
	to      *packets.Exchange // nil: off
	batch   *packets.Batch
	link    uint16 // of the frame being followed
	tpid    uint16
	tci     uint16
	r       packets.Record
	dropped uint64
}

// lend notes what the headers of a frame do not say.
func (k *keepsake) lend(f *capture.Frame) { k.link, k.tpid, k.tci = uint16(f.Link), f.TPID, f.TCI }

// keep copies a frame of a young conversation.
func (w *Worker) keep(f *flow.Flow, d flow.Dir, p *packet.Packet) {
	k := &w.kept
	if k.to == nil || !f.ClientHome() && !f.ServerHome() {
		return
	}
	total := f.Total(d)
	room := 0
	if k.to.Mode == packets.Payload {
		room = k.to.Payload - int(min(total.Bytes, 1<<30)) + p.PayloadLen
	}
	if total.Packets > keptFrames && room <= 0 {
		return
	}
	k.copy(f, d, p, room)
}

// copy copies the headers and what may be of use of the payload. Where a
// datagram was put together from fragments its payload is not in the frame,
// and nothing is copied.
func (k *keepsake) copy(f *flow.Flow, d flow.Dir, p *packet.Packet, room int) {
	body := cap(p.Frame) - cap(p.Payload)
	if body < 0 || body > len(p.Frame) || body == 0 || len(p.Payload) > 0 && (body == len(p.Frame) || &p.Frame[body] != &p.Payload[0]) {
		k.dropped++
		return
	}
	r := &k.r
	*r = packets.Record{At: p.At, Flow: f.ID, Home: f.ClientAddr(), Away: f.ServerAddr(), Sent: d == flow.Up,
		Wire: uint32(p.Wire), Body: uint32(body), Whole: uint32(max(p.PayloadLen, 0)), Link: k.link, TPID: k.tpid, TCI: k.tci, Realm: p.Realm,
		DNS: p.SrcPort == portDNS || p.DstPort == portDNS}
	if !f.ClientHome() {
		r.Home, r.Away, r.Sent = r.Away, r.Home, !r.Sent
	}
	size := max(room, 0)
	switch {
	case r.DNS:
		size = keptSent
	case f.Inspect == 0:
	case r.Sent:
		size = max(size, keptSent)
	default:
		size = max(size, keptBack)
	}
	r.Size = uint32(body + min(size, len(p.Payload)))
	if k.batch == nil {
		if k.batch = k.to.Spare(); k.batch == nil {
			k.dropped++
			return
		}
	}
	if k.batch.Add(r, p.Frame) {
		return
	}
	k.hand(true)
	if k.batch = k.to.Spare(); k.batch == nil || !k.batch.Add(r, p.Frame) {
		k.dropped++
	}
}

// hand gives the batch to the slow side: before observations that may be
// about it, or when it has filled up.
func (k *keepsake) hand(now bool) {
	if k.batch != nil && k.batch.Len() > 0 && (now || k.batch.Half()) {
		k.to.Give(k.batch)
		k.batch = nil
	}
}
