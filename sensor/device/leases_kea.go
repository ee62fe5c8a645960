package device

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// KeaLeases reads the memfile of Kea (kea-leases4.csv, kea-leases6.csv), a
// line at a time. The header says which column is which; it differs between
// versions of Kea. The zero value is ready for a file's first line.
type KeaLeases struct {
	columns [keaColumns]int // position plus one; 0 for not there
	known   bool
}

const (
	keaAddress = iota
	keaHW
	keaValid
	keaExpire
	keaState
	keaColumns
)

var keaNames = [keaColumns]string{"address", "hwaddr", "valid_lifetime", "expire", "state"}

// States of a lease (Kea's Lease::STATE_*): 0 assigned, 1 declined,
// 2 expired and reclaimed, 3 released.
const keaAssigned = "0"

// maxKeaColumns bounds what a line may make us look at; Kea 3 writes 19.
const maxKeaColumns = 64

// ParseLine reads one line. The header and lines without a hardware address
// are ErrNoLease. Host name and client identifier are not read. The file is
// a journal: a later line about an address supersedes an earlier one.
func (k *KeaLeases) ParseLine(line string) (observation.BindingSeen, error) {
	b := observation.BindingSeen{Source: "lease-file"}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return b, ErrNoLease
	}
	f := strings.Split(line, ",")
	if len(f) > maxKeaColumns {
		return b, ErrLine
	}
	if f[0] == keaNames[keaAddress] {
		k.header(f)
		return b, ErrNoLease
	}
	if !k.known {
		return b, ErrLine
	}
	return k.lease(f)
}

func (k *KeaLeases) header(fields []string) {
	*k = KeaLeases{}
	for i, name := range fields {
		for c, want := range keaNames {
			if name == want {
				k.columns[c] = i + 1
			}
		}
	}
	k.known = k.columns[keaAddress] > 0 && k.columns[keaHW] > 0 && k.columns[keaExpire] > 0
}

func (k *KeaLeases) field(fields []string, c int) string {
	if n := k.columns[c]; n > 0 && n <= len(fields) {
		return fields[n-1]
	}
	return ""
}

func (k *KeaLeases) lease(f []string) (b observation.BindingSeen, err error) {
	b.Source = "lease-file"
	if b.Addr, err = netip.ParseAddr(k.field(f, keaAddress)); err != nil || b.Addr.Zone() != "" {
		return b, ErrLine
	}
	hw := k.field(f, keaHW)
	if hw == "" {
		return b, ErrNoLease
	}
	var ok bool
	if b.MAC, ok = parseMAC(hw); !ok || b.MAC == (packet.MAC{}) {
		return b, ErrLine
	}
	expire, err := strconv.ParseInt(k.field(f, keaExpire), 10, 64)
	if err != nil || expire < 0 || expire > maxLeaseTime {
		return b, ErrLine
	}
	b.To = time.Unix(expire, 0).UTC()
	if valid, err := strconv.ParseInt(k.field(f, keaValid), 10, 64); err == nil && valid > 0 && valid <= expire {
		b.From = time.Unix(expire-valid, 0).UTC()
		if valid == 1<<32-1 { // never ends
			b.To = time.Time{}
		}
	}
	state := k.field(f, keaState)
	b.Stop = state != "" && state != keaAssigned
	return b, nil
}
