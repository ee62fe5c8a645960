package evidence

import (
	"bytes"
	"cmp"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"picket/sensor/packets"
)

// Packets are some of the packets of an episode: blocks as packets.Writer
// makes them.
type Packets struct {
	Episode string
	Device  string
	At      time.Time // of the latest of them
	Frames  int
	Body    []byte
}

// packetsComment stands in every file of packets.
const packetsComment = "First packets of the transfers of one episode, kept by picket. What could tell who somebody is was overwritten with x " +
	"before it was written; checksums were brought up to date. Payloads were cut where the policy of the site says so: original lengths are given."

// AddPackets keeps packets of an episode. What an episode may not have any
// more of is counted and dropped.
func (s *Store) AddPackets(p Packets) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting.bytes+len(p.Body) > maxWaitingPackets {
		s.stats.dropped.Add(1)
		return
	}
	s.waiting.bytes += len(p.Body)
	for i := range s.waiting.packets { // one row for what is written together
		if w := &s.waiting.packets[i]; w.Episode == p.Episode && w.Device == p.Device {
			w.At, w.Frames, w.Body = latest(w.At, p.At), w.Frames+p.Frames, append(w.Body, p.Body...)
			return
		}
	}
	s.waiting.packets = append(s.waiting.packets, p)
}

func (s *Store) writePackets(tx *sql.Tx, b *batch) error {
	for i := range b.packets {
		p := &b.packets[i]
		if gone, err := forgotten(tx, p.Device, p.At); gone || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		var have int64
		if err := tx.QueryRow("SELECT coalesce(sum(bytes), 0) FROM packets WHERE episode = ?", p.Episode).Scan(&have); err != nil {
			return err
		}
		if have+int64(len(p.Body)) > int64(s.c.Limits.Packets) {
			s.stats.packetsFull.Add(uint64(p.Frames))
			continue
		}
		if err := writePacketsRow(tx, p); err != nil {
			return err
		}
		s.stats.packets.Add(uint64(p.Frames))
	}
	if len(b.packets) == 0 {
		return nil
	}
	return s.boundPackets(tx)
}

func writePacketsRow(tx *sql.Tx, p *Packets) error {
	r, err := tx.Exec("INSERT INTO packets (episode, device, at, frames, bytes, body) VALUES (?,?,?,?,?,?)", p.Episode, p.Device, nanos(p.At), p.Frames, len(p.Body), p.Body)
	if err != nil {
		return err
	}
	id, err := r.LastInsertId()
	if err != nil {
		return err
	}
	return link(tx, fact{at: p.At, kind: KindPackets, subject: p.Device, ref: fmt.Sprintf("%s:%d", KindPackets, id),
		body: vouch{"packets", fmt.Sprint(id), hashOf(p.Body), p.Episode}})
}

// boundPackets lets the oldest packets go while all together are too many.
func (s *Store) boundPackets(tx *sql.Tx) error {
	var all int64
	if err := tx.QueryRow("SELECT coalesce(sum(bytes), 0) FROM packets").Scan(&all); err != nil {
		return err
	}
	over := all - int64(s.c.Limits.AllPackets)
	if over <= 0 {
		return nil
	}
	rows, err := tx.Query("SELECT id, bytes FROM packets ORDER BY at, id")
	if err != nil {
		return err
	}
	defer rows.Close()
	last, gone := int64(0), uint64(0)
	for over > 0 && rows.Next() {
		var n int64
		if err := rows.Scan(&last, &n); err != nil {
			return err
		}
		over -= n
		gone++
	}
	if err := cmp.Or(rows.Err(), rows.Close()); err != nil {
		return err
	}
	s.stats.packetsOld.Add(gone)
	return retire(tx, KindPackets, "SELECT id FROM packets ORDER BY at, id LIMIT ?", gone)
}

// Packets opens the packets of an episode as a pcapng file and says how many
// bytes it has. Without any the error is fs.ErrNotExist.
func (s *Store) Packets(episode string) (io.ReadCloser, int64, error) {
	var parts [][]byte
	err := s.rows("SELECT body FROM packets WHERE episode = ? ORDER BY id", []any{episode}, func(scan func(...any) error) error {
		var body []byte
		err := scan(&body)
		parts = append(parts, body)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for _, p := range s.waitingPackets(episode) {
		parts = append(parts, p.Body)
	}
	if len(parts) == 0 {
		return nil, 0, fmt.Errorf("packets of %s: %w", episode, fs.ErrNotExist)
	}
	all := append(packets.Header(packetsComment), packets.Ordered(slices.Concat(parts...))...)
	return io.NopCloser(bytes.NewReader(all)), int64(len(all)), nil
}

// waitingPackets are those of an episode that the disk does not have yet.
func (s *Store) waitingPackets(episode string) (out []Packets) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flying != nil {
		out = append(out, s.flying.packets...)
	}
	out = append(out, s.waiting.packets...)
	return slices.DeleteFunc(out, func(p Packets) bool { return p.Episode != episode })
}
