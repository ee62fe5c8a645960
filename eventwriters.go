package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// outletName is an outlet as a label: its place in the configuration and its kind.
func outletName(i int, to string) string {
	kind, _, _ := strings.Cut(to, ":")
	return strconv.Itoa(i) + "-" + kind
}

// eventFile is a file that others may rotate: by renaming it away, after which
// it is made anew, or by truncating it.
type eventFile struct {
	path string
	f    *os.File
}

func openEventFile(path string) (*eventFile, error) {
	w := &eventFile{path: path}
	if err := w.open(); err != nil {
		return nil, fmt.Errorf("events.to: %w", err)
	}
	return w, nil
}

func (w *eventFile) open() (err error) {
	w.f, err = os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return err
}

func (w *eventFile) write(e entry) error {
	if err := w.follow(); err != nil {
		return err
	}
	_, err := w.f.Write(append(bytes.Clone(e.body), '\n'))
	return err
}

// follow opens the file anew when the one at its path is another.
func (w *eventFile) follow() error {
	there, err := os.Stat(w.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && w.f != nil {
		if open, err := w.f.Stat(); err == nil && os.SameFile(there, open) {
			return nil
		}
	}
	w.close()
	return w.open()
}

func (w *eventFile) close() {
	if w.f != nil {
		_ = w.f.Close()
		w.f = nil
	}
}

// journalSocket takes entries in the journal's native protocol
// (systemd, docs/JOURNAL_NATIVE_PROTOCOL).
const journalSocket = "/run/systemd/journal/socket"

// toSyslog is a syslog daemon: here by the traditional format (RFC 3164), which
// those that listen at /dev/log read; elsewhere by RFC 5424, over UDP
// (RFC 5426) or TCP with the length before each message (RFC 6587). With
// journal it is systemd's journal: MESSAGE is the line, PICKET_EVENT its type.
type toSyslog struct {
	network, address string
	journal          bool
	conn             net.Conn
	host             string
}

// syslogPriority is facility local0, severity informational (RFC 5424, section 6.2.1).
const syslogPriority = 16*8 + 6

func (s *toSyslog) write(e entry) error {
	if s.conn == nil {
		conn, err := net.DialTimeout(s.network, s.address, outletTimeout)
		if err != nil {
			return err
		}
		s.conn = conn
		if s.host, err = os.Hostname(); err != nil || s.host == "" {
			s.host = "-"
		}
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(outletTimeout))
	if _, err := s.conn.Write(s.message(e)); err != nil {
		s.close()
		return err
	}
	return nil
}

func (s *toSyslog) message(e entry) []byte {
	switch {
	case s.journal:
		return fmt.Appendf(nil, "PRIORITY=6\nSYSLOG_IDENTIFIER=picket\nPICKET_EVENT=%s\nMESSAGE=%s\n", e.kind, e.body)
	case s.network == "unixgram":
		return fmt.Appendf(nil, "<%d>%s picket[%d]: %s", syslogPriority, e.at.Format(time.Stamp), os.Getpid(), e.body)
	}
	m := fmt.Appendf(nil, "<%d>1 %s %s picket %d %s - %s", syslogPriority, e.at.UTC().Format("2006-01-02T15:04:05.000000Z"), s.host, os.Getpid(), e.kind, e.body)
	if s.network == "tcp" {
		m = append(fmt.Appendf(nil, "%d ", len(m)), m...)
	}
	return m
}

func (s *toSyslog) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
