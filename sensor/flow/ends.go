package flow

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"picket/sensor/packet"
)

// Key names a conversation: both ends in a fixed order, whoever sends. It
// holds no pointers.
type Key struct {
	A, B         packet.Addr
	APort, BPort uint16
	Realm        uint16
	Proto        uint8
	_            uint8
}

var le = binary.LittleEndian

// is is ==, in line: the compiler's own calls a function for each address.
func (k *Key) is(o *Key) bool {
	return le.Uint64(k.A[:8]) == le.Uint64(o.A[:8]) && le.Uint64(k.A[8:]) == le.Uint64(o.A[8:]) &&
		le.Uint64(k.B[:8]) == le.Uint64(o.B[:8]) && le.Uint64(k.B[8:]) == le.Uint64(o.B[8:]) &&
		k.APort == o.APort && k.BPort == o.BPort && k.Realm == o.Realm && k.Proto == o.Proto
}

// of makes k the key of p's conversation and returns which end of it sent p: 0
// for A, 1 for B. Which way a frame goes is anyone's guess, so there is no
// branch for it; and it copies by words: a processor that is asked for sixteen
// bytes just after it stored them as two times eight waits for both.
func (k *Key) of(p *packet.Packet) (from uint8) {
	s0, s1 := le.Uint64(p.Src[:8]), le.Uint64(p.Src[8:])
	d0, d1 := le.Uint64(p.Dst[:8]), le.Uint64(p.Dst[8:])
	_, swap := bits.Sub64(uint64(p.DstPort), uint64(p.SrcPort), 0)
	_, swap = bits.Sub64(d0, s0, swap)
	_, swap = bits.Sub64(d1, s1, swap) // 1: the destination is less than the source
	x0, x1, xp := (s0^d0)&-swap, (s1^d1)&-swap, (p.SrcPort^p.DstPort)&-uint16(swap)
	le.PutUint64(k.A[:8], s0^x0)
	le.PutUint64(k.A[8:], s1^x1)
	le.PutUint64(k.B[:8], d0^x0)
	le.PutUint64(k.B[8:], d1^x1)
	k.APort, k.BPort, k.Realm, k.Proto = p.SrcPort^xp, p.DstPort^xp, p.Realm, p.Proto
	return uint8(swap)
}

// opener returns the index of the end that opened f.
func (f *Flow) opener() uint8 { return uint8(f.flags & openerB) }

// side returns the sender of a direction.
func (f *Flow) side(d Dir) *side { return &f.sides[(uint8(d)^f.opener())&1] }

// end returns address and port of the opener (0) or the other end (1).
func (f *Flow) end(i uint8) (packet.Addr, uint16) {
	if (i^f.opener())&1 == 0 {
		return f.key.A, f.key.APort
	}
	return f.key.B, f.key.BPort
}

// Key returns the conversation's key.
func (f *Flow) Key() Key { return f.key }

// Proto returns the IP protocol number.
func (f *Flow) Proto() uint8 { return f.key.Proto }

// Realm returns the realm of both addresses.
func (f *Flow) Realm() uint16 { return f.key.Realm }

// Client returns the end that opened the conversation, as far as can be
// told: the sender of the SYN or of the first datagram; where the start was
// missed, the end with the higher port.
func (f *Flow) Client() netip.AddrPort {
	a, p := f.end(0)
	return netip.AddrPortFrom(a.Netip(), p)
}

// Server returns the other end.
func (f *Flow) Server() netip.AddrPort {
	a, p := f.end(1)
	return netip.AddrPortFrom(a.Netip(), p)
}

// ClientAddr returns Client's address in its flat form.
func (f *Flow) ClientAddr() packet.Addr { a, _ := f.end(0); return a }

// ServerAddr returns Server's address in its flat form.
func (f *Flow) ServerAddr() packet.Addr { a, _ := f.end(1); return a }

// ClientPort returns Client's port.
func (f *Flow) ClientPort() uint16 { _, p := f.end(0); return p }

// ServerPort returns Server's port.
func (f *Flow) ServerPort() uint16 { _, p := f.end(1); return p }

// home reports that the opener (0) or the other end (1) is ours.
func (f *Flow) home(i uint8) bool { return f.flags&(homeA<<((i^f.opener())&1)) != 0 }

// ClientHome reports that Client lies in the home networks.
func (f *Flow) ClientHome() bool { return f.home(0) }

// ServerHome reports that Server lies in the home networks.
func (f *Flow) ServerHome() bool { return f.home(1) }

// ClientMAC returns the link-layer source of the frames that Client sent,
// zero when none was seen.
func (f *Flow) ClientMAC() packet.MAC { return f.macs[f.opener()&1] }

// ServerMAC is ClientMAC for Server.
func (f *Flow) ServerMAC() packet.MAC { return f.macs[(f.opener()^1)&1] }

// Ours returns the direction in which our end sends: what it carries is
// "sent" of a flow line, the other "received". Where both or neither end is
// at home it is that of the opener, Up.
func (f *Flow) Ours() Dir {
	if f.ServerHome() && !f.ClientHome() {
		return Down
	}
	return Up
}
