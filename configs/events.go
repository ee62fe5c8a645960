package configs

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// Events says where events go as JSON lines, beside the store.
type Events struct {
	To []EventSink `yaml:"to"`
}

// EventSink is one place: a file, the journal, or a syslog.
type EventSink struct {
	Kind    string // file, journal, syslog
	Network string // of a syslog: unixgram, udp, tcp
	Address string // path of a file or socket, or host:port
}

// localSyslog is where syslog daemons listen (syslog(3)).
const localSyslog = "/dev/log"

// UnmarshalText reads file:PATH, journal, syslog, syslog:PATH,
// syslog:udp://HOST:PORT or syslog:tcp://HOST:PORT.
func (e *EventSink) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	kind, rest, _ := strings.Cut(text, ":")
	network, address, remote := strings.Cut(rest, "://")
	switch {
	case text == "journal":
		*e = EventSink{Kind: "journal"}
	case text == "syslog":
		*e = EventSink{"syslog", "unixgram", localSyslog}
	case kind == "file" && filepath.IsAbs(rest):
		*e = EventSink{Kind: "file", Address: filepath.Clean(rest)}
	case kind == "syslog" && filepath.IsAbs(rest):
		*e = EventSink{"syslog", "unixgram", filepath.Clean(rest)}
	case kind == "syslog" && remote && (network == "udp" || network == "tcp") && hostPort(address):
		*e = EventSink{"syslog", network, address}
	default:
		return fmt.Errorf("%q: want file:/PATH, journal, syslog, syslog:/PATH, syslog:udp://HOST:PORT or syslog:tcp://HOST:PORT", text)
	}
	return nil
}

func hostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && port != ""
}

// String is e as it is written down.
func (e EventSink) String() string {
	switch {
	case e.Kind == "file":
		return "file:" + e.Address
	case e.Kind == "journal":
		return e.Kind
	case e.Network == "unixgram":
		return "syslog:" + e.Address
	}
	return "syslog:" + e.Network + "://" + e.Address
}
