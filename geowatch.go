package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"picket/geo"
	"picket/sensor/observation"
)

// databases is told when the directory of a database changed and it was
// opened anew.
func (s *station) databases(err error) {
	s.metrics.Reloaded(err == nil, time.Now())
	if err == nil {
		s.judge.Replaced()
		s.keeper.judgedBy(s.j.Load(), time.Now()) // another database is another epoch of the ledger
	}
}

// imported is told when `picket data import` or `rollback` has let another
// generation of data be the current one.
func (s *station) imported() {
	s.log.Info("imported data changed")
	_ = s.reload() // logged and shown as a metric
}

// settled is how long the data directory must be quiet before it is read:
// an import renames two links.
const settled = 500 * time.Millisecond

// watchImports calls changed when the current generation of the imported data
// below state is another, until ctx is done. A directory that cannot be
// watched is said once; SIGHUP still works.
func watchImports(ctx context.Context, state string, changed func(), log *slog.Logger) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching imported data: %w", err)
	}
	defer w.Close()
	root := filepath.Join(state, "data")
	if err := os.MkdirAll(root, 0o755); err != nil {
		log.Warn("imported data are not watched", "err", err)
	} else if err := w.Add(root); err != nil {
		log.Warn("imported data are not watched", "err", err)
	}
	timer := time.NewTimer(settled)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.Events:
			if filepath.Base(e.Name) == dataCurrent && e.Has(fsnotify.Create) {
				timer.Reset(settled)
			}
		case err := <-w.Errors:
			log.Warn("watching imported data", "err", err)
		case <-timer.C:
			changed()
		}
	}
}

// prefixProbe is the name by which hosts find the NAT64 prefix of their
// network (RFC 7050, section 3).
const prefixProbe = "ipv4only.arpa"

// learnNAT64 teaches places the NAT64 prefixes that the site's own resolvers,
// those inside home_networks, answer their hosts with. Anybody else's answer
// is passed over: who could forge one could have servers misplaced.
func learnNAT64(places *geo.Geo, learnt func(), log *slog.Logger) func(*observation.Observation) {
	const aaaa = 28
	return func(o *observation.Observation) {
		if o.Kind != observation.DNS || !o.DNS.Response || o.DNS.QName != prefixProbe || !o.ServerHome || !o.ClientHome || o.DNS.Transport != "udp" && o.DNS.Transport != "tcp" {
			return
		}
		for i := range o.DNS.Answers {
			a := &o.DNS.Answers[i]
			if a.Type != aaaa {
				continue
			}
			if p, fresh := places.LearnNAT64(a.Addr); fresh {
				log.Info("NAT64 prefix learnt", "prefix", p, "realm", o.Realm)
				learnt()
			}
		}
	}
}
