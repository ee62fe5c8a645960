package main

import (
	"context"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"picket/alerts"
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

// swap does all that can fail before it changes anything.
func (s *station) swap() error {
	c, err := s.cmd.configuration()
	if err != nil {
		return err
	}
	j, err := compileWith(c, importedData(s.cmd.State), s.log)
	if err != nil {
		return err
	}
	if err := present(alertmanagerFiles(c)); err != nil {
		return err
	}
	pages, err := s.pages(c)
	if err != nil {
		return err
	}
	first, err := s.notifier.Redirect(c.Alertmanager, alerts.Links{External: externalURL(c)})
	if err != nil {
		return usageError{err}
	}
	if keys := needsRestart(s.cfg, c); len(keys) > 0 {
		s.log.Warn("takes effect at the next start only", "keys", strings.Join(keys, ", "))
	}
	s.level.Set(levelOf(c))
	s.store.SetRetention(retentionOf(c))
	s.latest.Store(c)
	s.endpoint.front.show(pages, c.Redacted(), c.Web.ExternalURL)
	s.judgeBy(j)
	if first {
		s.judge.Retell()
	}
	return nil
}

// judgeBy lets verdicts, places and policies rest on j from now on.
func (s *station) judgeBy(j *judgement) {
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
}

// present opens what will be read later: a secret that is missing, or out of
// reach since the sensor confined itself, is an error now.
func present(files []string) error {
	for _, f := range files {
		r, err := os.Open(f)
		if err != nil {
			return err
		}
		r.Close()
	}
	return nil
}

// needsRestart names the keys that differ and are fixed when the sensor
// starts.
func needsRestart(old, now *configs.Config) (keys []string) {
	was, is := fixed(old), fixed(now)
	for i := range was {
		if !reflect.DeepEqual(was[i].value, is[i].value) {
			keys = append(keys, was[i].key)
		}
	}
	return keys
}

type fixedKey struct {
	key   string
	value any
}

func fixed(c *configs.Config) []fixedKey {
	capture, evidence := c.Capture, c.Evidence
	capture.HomeNetworks = nil // home_networks itself is in the list
	evidence.Retention = configs.Retention{}
	return []fixedKey{
		{"interfaces", c.Interfaces}, {"capture", capture}, {"home_networks", c.HomeNetworks}, {"never_watch", c.NeverWatch}, {"realms", c.Realms},
		{"web.listen_addresses", c.Web.Listen}, {"web.config_file", c.Web.ConfigFile}, {"web.reload", c.Web.Reload}, {"web.pprof", c.Web.Pprof},
		{"leases", c.Leases}, {"fleet", c.Fleet}, {"canary", c.Canary}, {"events", c.Events.To}, {"evidence", evidence}, {"limits", c.Limits},
		{"log.format", c.Log.Format},
	}
}

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
