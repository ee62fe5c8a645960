package web

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"

	"picket/evidence"
)

// packetBytes is how many bytes of packets there are of an episode, 0 for none.
func (p *pages) packetBytes(episode string) int64 {
	f, size, err := p.c.Store.Packets(episode)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			p.c.Logger.Error("packets not read", "episode", episode, "err", err)
		}
		return 0
	}
	f.Close()
	return size
}

// packets hands out the packets of an episode, whole or not at all. The chain
// notes who took them before the first byte goes out; a HEAD takes none.
func (p *pages) packets(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	f, size, err := p.c.Store.Packets(id)
	if errors.Is(err, fs.ErrNotExist) {
		http.Error(w, "there are no packets of this episode: none were kept, their time was up, or they were forgotten", http.StatusNotFound)
		return
	}
	if err != nil {
		p.c.Logger.Error("packets not read", "episode", id, "err", err)
		http.Error(w, "the packets could not be read; the log says why", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	if r.Method == http.MethodGet {
		p.taken(id, r)
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-pcapng") // as Wireshark registers it with desktops; IANA has no name
	h.Set("Content-Disposition", `attachment; filename="`+fileName(id)+`.pcapng"`)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.CopyN(w, f, size) // the reader went away
}

// taken notes on the chain that somebody took the packets of an episode.
func (p *pages) taken(id string, r *http.Request) {
	e, _, err := p.c.Store.Episode(id)
	if err != nil {
		p.c.Logger.Error("episode not read", "episode", id, "err", err)
	}
	p.c.Store.Note(p.c.Now(), evidence.KindAccess, e.Device, map[string]string{"event": "packets downloaded", "episode": id, "by": p.c.Reader(r)})
}

// fileName leaves of an id what no file system and no header minds.
func fileName(id string) string {
	out := make([]byte, 0, len(id))
	for i := range min(len(id), 64) {
		if c := id[i]; c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' {
			out = append(out, c)
		}
	}
	return string(out)
}
