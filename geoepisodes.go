package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/geo"
)

// openEpisode is one that stands in the evidence store, with what it went to.
type openEpisode struct {
	id, policy, device string
	bases              []geo.Basis
	servers            []geo.Query
}

// storedServers are the servers of all episodes in the store below state,
// each once, and the episodes that are open.
func storedServers(state string) ([]geo.Query, []openEpisode, error) {
	store, err := evidence.OpenExisting(state)
	if err != nil {
		return nil, nil, err
	}
	defer store.Close()
	all, err := store.Episodes(time.Time{})
	if err != nil {
		return nil, nil, err
	}
	type key struct {
		addr        netip.Addr
		name, cname string
	}
	seen := map[key]bool{}
	var servers []geo.Query
	var open []openEpisode
	for i := range all {
		e := &all[i]
		o := openEpisode{id: e.ID, policy: e.Policy, device: e.Device}
		for _, b := range e.Basis {
			o.bases = append(o.bases, geo.Basis(b))
		}
		for j := range e.Servers {
			s := &e.Servers[j]
			q := geo.Query{Addr: s.Addr.Addr(), Name: s.Name, Tunnel: s.Tunnel, Question: !s.Addr.IsValid()}
			if s.CNAME != "" {
				q.CNAMEs = []string{s.CNAME}
			}
			o.servers = append(o.servers, q)
			k := key{q.Addr, q.Name, s.CNAME}
			if !seen[k] {
				seen[k] = true
				servers = append(servers, q)
			}
		}
		if e.Closed.IsZero() {
			open = append(open, o)
		}
	}
	return servers, open, nil
}

// episodeDiff is an open episode that begins or ceases to rest on anything.
type episodeDiff struct {
	Episode string `json:"episode"`
	Policy  string `json:"policy"`
	Device  string `json:"device"`
	Before  int    `json:"servers_before"` // that meet the policy
	After   int    `json:"servers_after"`
	Flips   bool   `json:"flips"` // none is left: the episode would end as void
}

// episodes says which open episodes would flip: by their own policies, where
// the configuration has them, else by --restrict on the bases that they rest on.
func (c *geoDiffCmd) episodes(a *app, open []openEpisode, before, after *atlas, set geo.CountrySet) error {
	rules := map[string]*alerts.Rule{}
	if c.Config != "" {
		conf, err := configs.Load(c.Config)
		if err != nil {
			return usageError{err}
		}
		j, err := compileWith(conf, importedData(c.State), slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		for _, r := range j.rules {
			rules[r.Policy.Name] = r
		}
	}
	flips := 0
	for i := range open {
		o := &open[i]
		meets := func(j geo.Jurisdiction) bool {
			if r := rules[o.policy]; r != nil {
				return len(r.Places(j)) > 0
			}
			return len(geo.Hits(j, set, o.bases)) > 0
		}
		l := episodeDiff{Episode: o.id, Policy: o.policy, Device: o.device, Before: meeting(o.servers, before, meets), After: meeting(o.servers, after, meets)}
		if l.Before == l.After {
			continue
		}
		if l.Flips = (l.Before == 0) != (l.After == 0); l.Flips {
			flips++
		}
		if err := l.print(a, c.JSON); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stderr, "%d of %d open episodes flip\n", flips, len(open))
	return err
}

func meeting(servers []geo.Query, by placer, meets func(geo.Jurisdiction) bool) int {
	n := 0
	for _, q := range servers {
		if meets(by.Judge(q)) {
			n++
		}
	}
	return n
}

func (l *episodeDiff) print(a *app, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(l)
	}
	flip := ""
	if l.Flips {
		flip = "  FLIPS"
	}
	_, err := fmt.Fprintf(a.stdout, "episode %s (%s, device %s): servers that meet the policy %d -> %d%s\n", l.Episode, l.Policy, l.Device, l.Before, l.After, flip)
	return err
}
