package web

import (
	"cmp"
	"net/http"
	"slices"

	"picket/evidence"
)

// Device is everything kept on one device.
type Device struct {
	evidence.File
	ID           string
	Open, Past   []evidence.Episode // newest first
	Into         string             // the device it was joined into, when it is no longer itself
	Destinations []evidence.Server  // of all episodes, most bytes first
	More         int                // destinations that are not shown
	Lanes        Lanes
	Retention    evidence.Retention
}

// maxDestinations bounds what one page shows; the API has them by episode.
const maxDestinations = 60

func (p *pages) device(r *http.Request) (string, any, error) {
	f, err := p.c.Store.File(r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	if !f.Known && len(f.Episodes)+len(f.Verdicts)+len(f.Rulings) == 0 {
		return "", nil, errNotFound
	}
	d := Device{File: f, ID: r.PathValue("id"), Retention: p.c.Store.Retention()}
	latest := map[string]evidence.Episode{} // open ones, with what came after they were last saved
	if p.c.Open != nil {
		for _, e := range p.c.Open() {
			latest[e.ID] = e
		}
	}
	for _, e := range slices.Backward(f.Episodes) {
		if l, ok := latest[e.ID]; ok {
			e = l
		}
		if e.Closed.IsZero() {
			d.Open = append(d.Open, e)
		} else {
			d.Past = append(d.Past, e)
		}
	}
	if !f.Known && len(f.Verdicts) > 0 {
		d.Into = f.Verdicts[0].Into
	}
	d.Destinations = destinations(slices.Concat(d.Open, d.Past))
	d.Lanes = lanes(d.Destinations)
	d.More = max(0, len(d.Destinations)-maxDestinations)
	d.Destinations = d.Destinations[:len(d.Destinations)-d.More]
	return title(f.Device.Maker) + " " + f.Device.Model + " " + d.ID, d, nil
}

// destinations joins the servers of episodes. The same bytes under two
// policies count once: the larger number stands.
func destinations(list []evidence.Episode) []evidence.Server {
	type key struct {
		addr, name string
		first      int64
	}
	at := map[key]int{}
	out := []evidence.Server{}
	for _, e := range list {
		for _, s := range e.Servers {
			k := key{s.Addr.String(), s.Name, s.First.UnixNano()}
			if i, there := at[k]; there {
				if s.Sent > out[i].Sent {
					out[i] = s
				}
				continue
			}
			at[k] = len(out)
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b evidence.Server) int { return cmp.Compare(b.Sent, a.Sent) })
	return out
}
