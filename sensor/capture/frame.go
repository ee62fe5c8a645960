// Package capture lends frames: from capture files, from an interface by
// libpcap, or from an interface by TPACKET_V3 rings of its own. It never
// sends, and it interprets nothing beyond the record around a frame.
//
// It is the only package that uses cgo and gopacket, and of gopacket only the
// binding to libpcap: no frame from the wire ever meets gopacket's decoders.
package capture

import "encoding/binary"

// LinkType says which link-layer header a frame begins with: a LINKTYPE_ value
// of the registry at https://www.tcpdump.org/linktypes.html. Values that are
// not named here are passed on as they are.
type LinkType uint16

// The link types that span ports, access points and routers deliver.
const (
	LinkNull        LinkType = 0   // BSD loopback: address family in host order
	LinkEthernet    LinkType = 1   // IEEE 802.3
	LinkPPP         LinkType = 9   // PPP, with or without the HDLC address
	LinkRawBSD      LinkType = 12  // raw IP, the value of DLT_RAW on most systems
	LinkRawOpenBSD  LinkType = 14  // raw IP, the value of DLT_RAW on OpenBSD
	LinkPPPHDLC     LinkType = 50  // PPP in HDLC-like framing
	LinkPPPoE       LinkType = 51  // PPPoE session
	LinkRaw         LinkType = 101 // raw IP, version from the first nibble
	LinkCHDLC       LinkType = 104 // Cisco HDLC
	Link80211       LinkType = 105 // IEEE 802.11
	LinkLoop        LinkType = 108 // OpenBSD loopback: address family in network order
	LinkLinuxCooked LinkType = 113 // Linux cooked, version 1
	LinkRadiotap    LinkType = 127 // radiotap, then IEEE 802.11
	LinkIPv4        LinkType = 228 // raw IPv4
	LinkIPv6        LinkType = 229 // raw IPv6
	LinkCooked2     LinkType = 276 // Linux cooked, version 2
)

// Frame is one captured frame, lent by the source that filled it: Data is
// valid until the following call of that source's Next.
type Frame struct {
	Data []byte // from the link-layer header on, as far as it was captured
	At   int64  // Unix time, nanoseconds
	Wire int    // length on the wire, at least len(Data)

	Link  LinkType
	Iface uint16 // which interface: its place in the list of live ones, or in the file's section

	// TPID and TCI are an 802.1Q tag that the kernel took out of the frame,
	// outside the tags that are still in Data. TPID 0: none was taken.
	TPID, TCI uint16
}

// The maximum of a frame: libpcap's MAXIMUM_SNAPLEN. For a few bus link types
// records may be longer than that (see maxRecord); of those the first
// MaxFrame bytes are lent.
const MaxFrame = 256 << 10

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)
