package configs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"picket/alerts"
	"picket/sensor/packets"
)

// Evidence says what is kept, and for how long.
type Evidence struct {
	Packets      packets.Mode `yaml:"packets"`
	Payload      alerts.Size  `yaml:"packet_payload"`     // of each direction of a conversation, with packets: payload
	PacketMemory alerts.Size  `yaml:"packet_memory"`      // frames held until it is known whose they are
	PacketStore  alerts.Size  `yaml:"packet_store"`       // packets of all episodes on the disk
	Pseudonyms   Age          `yaml:"pseudonym_rotation"` // how long devices are counted under one key
	Retention    Retention    `yaml:"retention"`
}

// Retention is how long each kind is kept.
type Retention struct {
	Episodes Age `yaml:"episodes"` // after they closed
	Packets  Age `yaml:"packets"`
	Devices  Age `yaml:"devices"` // after they were last heard
	Verdicts Age `yaml:"verdicts"`
	Rulings  Age `yaml:"rulings"`
	Ledger   Age `yaml:"ledger"`
	Chain    Age `yaml:"chain"` // texts of entries about no device
}

// Age is a number of whole days: 30d, 8w, 3y (of 365 days).
type Age time.Duration

const (
	dayAge = Age(24 * time.Hour)
	maxAge = 20 * 365 * dayAge
)

// UnmarshalText reads an Age.
func (a *Age) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	for _, u := range []struct {
		suffix string
		days   uint64
	}{{"d", 1}, {"w", 7}, {"y", 365}} {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n == 0 {
			break
		}
		if *a = Age(n*u.days) * dayAge; *a > maxAge {
			return fmt.Errorf("%q: want at most 20y", text)
		}
		return nil
	}
	return fmt.Errorf("%q: want whole days, weeks or years, as 30d, 8w or 3y", text)
}

// MarshalText writes days.
func (a Age) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String gives days.
func (a Age) String() string { return strconv.Itoa(int(a/dayAge)) + "d" }

// evidenceDefaults are what is kept unless the file says otherwise.
func evidenceDefaults() Evidence {
	return Evidence{
		Packets: packets.Handshakes, Payload: 512, PacketMemory: 32 << 20, PacketStore: 256 << 20, Pseudonyms: 30 * dayAge,
		Retention: Retention{
			Episodes: 365 * dayAge, Packets: 30 * dayAge, Devices: 30 * dayAge, Verdicts: 90 * dayAge,
			Rulings: 3 * 365 * dayAge, Ledger: 3 * 365 * dayAge, Chain: 3 * 365 * dayAge,
		},
	}
}

// check says what of it cannot be, and at which key.
func (e *Evidence) check() (key string, err error) {
	switch {
	case e.Payload < 1 || e.Payload > 64<<10:
		return "packet_payload", fmt.Errorf("%s: want 1 to 64KiB", e.Payload)
	case e.PacketMemory < 1<<20 || e.PacketMemory > 1<<30:
		return "packet_memory", fmt.Errorf("%s: want 1MiB to 1GiB", e.PacketMemory)
	case e.PacketStore < 1<<20:
		return "packet_store", fmt.Errorf("%s: want at least 1MiB", e.PacketStore)
	case e.Retention.Packets > e.Retention.Episodes:
		return "retention.packets", fmt.Errorf("%s: longer than the episodes they belong to (%s)", e.Retention.Packets, e.Retention.Episodes)
	}
	return "", nil
}
