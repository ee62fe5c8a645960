package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"picket/evidence"
)

// json makes a handler of a function that gathers an answer. Everything that
// pages show is here too, documented in openapi.json.
func (p *pages) json(gather func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := gather(r)
		status := statusOf(err)
		if err != nil {
			if status == http.StatusInternalServerError {
				p.c.Logger.Error("answer not given", "path", r.URL.Path, "err", err)
				err = errors.New("the evidence could not be read; the log says why")
			}
			answer = map[string]string{"error": err.Error()}
		}
		body, err := json.Marshal(answer)
		if err != nil {
			http.Error(w, "{}", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append(body, '\n')) // the reader went away
	}
}

func (p *pages) openAPI(w http.ResponseWriter, _ *http.Request) {
	b, err := files.ReadFile("openapi.json")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the reader went away
}

// apiStatus is how sensor and store are doing.
type apiStatus struct {
	Status
	Open       int       `json:"open_episodes"`
	Review     int       `json:"devices_in_review"`
	Store      apiStore  `json:"store"`
	Retention  []apiKept `json:"retention"`
	Head       string    `json:"chain_head"`
	Attributed string    `json:"attribution"`
}

// apiKept is how long a kind of evidence is kept.
type apiKept struct {
	What string  `json:"what"`
	Days float64 `json:"days"`
	From string  `json:"from"` // when the time begins; empty: when it was written
}

type apiStore struct {
	Bytes    int64  `json:"bytes"`
	Waiting  int    `json:"waiting_rows"`
	Written  uint64 `json:"written_rows"`
	Failures uint64 `json:"failed_batches"`
	Dropped  uint64 `json:"dropped_rows"`
	Late     uint64 `json:"late_episodes"`
	Trouble  string `json:"trouble"`
}

func (p *pages) apiStatus(*http.Request) (any, error) {
	st := p.c.Store.Stats()
	a := apiStatus{Status: p.c.Status(), Attributed: "IP Geolocation by DB-IP, https://db-ip.com"}
	a.Store = apiStore{st.Bytes, st.Waiting, st.Written, st.Failures, st.Dropped, st.Late, st.Trouble}
	a.Interfaces, a.Policies, a.Blind, a.Databases = list(a.Interfaces), list(a.Policies), list(a.Blind), list(a.Databases)
	for _, k := range p.kept() {
		a.Retention = append(a.Retention, apiKept{k.What, k.For.Hours() / 24, k.Why})
	}
	open, err := p.open()
	if err != nil {
		return nil, err
	}
	a.Open = len(open)
	review, err := p.c.Store.Devices(evidence.DeviceQuery{Concern: evidence.Review, Limit: 1})
	if err != nil {
		return nil, err
	}
	a.Review = review.Total
	head, err := p.c.Store.Head()
	if head.Seq > 0 {
		a.Head = head.String()
	}
	return a, err
}

// list is never null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

type apiEpisodes struct {
	Episodes []apiEpisode `json:"episodes"` // newest first; open ones alone: worst first
	Total    int          `json:"total"`    // that the query chooses
}

func (p *pages) apiEpisodes(r *http.Request) (any, error) {
	q, err := episodeQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	_, found, err := p.find(&q, q.has)
	if err != nil {
		return nil, err
	}
	limit, err := number(r.URL.Query(), "limit", len(found), 1, 1<<30)
	out := apiEpisodes{Episodes: []apiEpisode{}, Total: len(found)}
	from := min(q.Offset, len(found))
	for i := range found[from:min(from+limit, len(found))] {
		out.Episodes = append(out.Episodes, p.episodeOf(&found[from+i]))
	}
	return out, err
}

func (p *pages) apiEpisode(r *http.Request) (any, error) {
	e, ok, err := p.c.Store.Episode(r.PathValue("id"))
	if err != nil || !ok {
		return nil, errors.Join(err, notFound(ok))
	}
	if p.c.Open != nil { // with the latest totals
		for _, o := range p.c.Open() {
			if o.ID == e.ID {
				e = o
			}
		}
	}
	out := p.episodeOf(&e)
	out.Packets, out.Silence = p.packetBytes(e.ID), p.silence(&e)
	return out, nil
}

func notFound(ok bool) error {
	if ok {
		return nil
	}
	return errNotFound
}

func (p *pages) apiDevices(r *http.Request) (any, error) {
	q, err := deviceQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	return p.c.Store.Devices(q)
}

// apiFile is everything kept on one device.
type apiFile struct {
	Device   *evidence.Device   `json:"device"` // null when only its episodes are kept
	Held     []evidence.Held    `json:"held"`
	Verdicts []evidence.Verdict `json:"verdicts"`
	Episodes []apiEpisode       `json:"episodes"`
	Rulings  []evidence.Ruling  `json:"rulings"`
}

func (p *pages) apiDevice(r *http.Request) (any, error) {
	f, err := p.c.Store.File(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !f.Known && len(f.Episodes)+len(f.Verdicts)+len(f.Rulings) == 0 {
		return nil, errNotFound
	}
	out := apiFile{Held: list(f.Held), Verdicts: list(f.Verdicts), Episodes: []apiEpisode{}, Rulings: list(f.Rulings)}
	if f.Known {
		out.Device = &f.Device
	}
	for i := range f.Episodes {
		out.Episodes = append(out.Episodes, p.episodeOf(&f.Episodes[i]))
	}
	return out, nil
}

type apiResidency struct {
	From  string          `json:"from"`
	To    string          `json:"to"`
	Basis string          `json:"basis"`
	Cells []evidence.Cell `json:"cells"`
}

func (p *pages) apiResidency(r *http.Request) (any, error) {
	q, err := residencyQuery(r.URL.Query(), p.c.Now())
	if err != nil {
		return nil, err
	}
	q.Daily = r.URL.Query().Get("daily") == "1"
	cells, err := p.c.Store.Residency(q)
	return apiResidency{q.Period.From.UTC().Format(time.DateOnly), q.Period.To.UTC().Format(time.DateOnly), q.Basis, list(cells)}, err
}

type apiCrowd struct {
	Day   string                `json:"day"`
	Crowd []evidence.CrowdCount `json:"crowd"`
}

func (p *pages) apiCrowd(*http.Request) (any, error) {
	now := p.c.Now().UTC()
	crowd, err := p.c.Store.CrowdOn(now)
	return apiCrowd{now.Format(time.DateOnly), list(crowd)}, err
}

type apiRulings struct {
	Rulings []evidence.Ruling `json:"rulings"`
}

func (p *pages) apiRulings(*http.Request) (any, error) {
	rulings, err := p.c.Store.Rulings("")
	return apiRulings{list(rulings)}, err
}

type apiWatched struct {
	Days []apiWatchedDay `json:"days"`
}

// apiWatchedDay is how well one day was watched. A day that is missing was
// not.
type apiWatchedDay struct {
	Day     string `json:"day"`
	Seconds uint64 `json:"seconds"`
	Named   uint64 `json:"named_bytes"`
	Unnamed uint64 `json:"unnamed_bytes"`
	Lost    uint64 `json:"lost_frames"`
}

func (p *pages) apiWatched(r *http.Request) (any, error) {
	q, err := residencyQuery(r.URL.Query(), p.c.Now())
	if err != nil {
		return nil, err
	}
	days, err := p.c.Store.WatchedDays(q.Period)
	out := apiWatched{Days: []apiWatchedDay{}}
	for _, d := range days {
		out.Days = append(out.Days, apiWatchedDay{d.Day.UTC().Format(time.DateOnly), d.Seconds, d.Named, d.Unnamed, d.Lost})
	}
	return out, err
}
