package main

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"picket/configs"
)

// reload reads configuration, signatures and databases anew and swaps them
// in. On any error what was running goes on, and a metric says so.
func (s *station) reload() error {
	s.reloading.Lock() // a signal, a request and an import may come at once
	defer s.reloading.Unlock()
	s.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec() + "\nSTATUS=reloading")
	defer func() { s.notify(daemon.SdNotifyReady + "\nSTATUS=" + s.statusLine()) }()
	err := s.swap()
	s.metrics.Reloaded(err == nil, time.Now())
	if err != nil {
		err = confinedHint(err)
		s.log.Error("reload failed; what was running goes on", "err", err)
		return err
	}
	s.log.Info("reloaded", "config", or(s.cfg.File(), "(none)"), "signatures", s.j.Load().set.Hash())
	return nil
}

func (s *station) swap() error {
	c, err := s.cmd.configuration()
	if err != nil {
		return err
	}
	if what := needsRestart(s.cfg, c); what != "" {
		s.log.Warn("takes effect at the next start only", "key", what)
	}
	j, err := compileWith(c, importedData(s.cmd.State), s.log)
	if err != nil {
		return err
	}
	j.warn(s.log)
	s.places.Adopt(j.geo)
	j.geo = s.places
	s.judge.SetRules(j.rules)
	s.judge.Replaced()
	s.a.sigs.Swap(j.set)
	s.a.watch(j.rules)
	s.a.identify.Rejudge()
	s.keeper.judgedBy(j, time.Now())
	s.j.Store(j)
	return nil
}

// needsRestart names the first key that differs and is fixed when the
// sensor starts.
func needsRestart(old, now *configs.Config) string {
	switch {
	case !slices.Equal(old.Interfaces, now.Interfaces):
		return "interfaces"
	case !slices.Equal(old.HomeNetworks, now.HomeNetworks):
		return "home_networks"
	case !slices.Equal(old.NeverWatch, now.NeverWatch):
		return "never_watch"
	case old.Limits != now.Limits:
		return "limits"
	case old.Canary != now.Canary:
		return "canary"
	case !slices.Equal(old.Events.To, now.Events.To):
		return "events"
	case !slices.Equal(old.Web.Listen, now.Web.Listen):
		return "web.listen_addresses"
	case !reflect.DeepEqual(old.Fleet, now.Fleet):
		return "fleet"
	}
	return ""
}

// redacted is the configuration as it may be shown.
func (s *station) redacted() []byte { return s.cfg.Redacted() }

// watchdog tells systemd that the packet loop turns: as long as every worker
// has come round since the last time.
func (s *station) watchdog(ctx context.Context) error {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return nil
	}
	t := time.NewTicker(every / 3)
	defer t.Stop()
	last := make([]uint64, len(s.a.pipeline.Workers))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			turning := true
			for i, w := range s.a.pipeline.Workers {
				turns := w.Turns()
				turning = turning && turns != last[i]
				last[i] = turns
			}
			if turning {
				_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}
}
