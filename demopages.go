package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/web"
)

// shelf is a state directory for the time that the demonstration is shown:
// nothing of it stays.
func (d *demoCmd) shelf(s *session) (remove func(), err error) {
	if d.Once {
		return func() {}, nil
	}
	s.state, err = os.MkdirTemp("", "picket-demo-")
	return func() { _ = os.RemoveAll(s.state) }, err
}

// serve shows metrics and the pages of the run until the user ends it.
func (d *demoCmd) serve(a *app, s *session, now func() time.Time) error {
	defer s.closeStore()
	pages, err := d.pages(s, now)
	if err != nil {
		return err
	}
	e := &endpoint{registry: s.registry, ready: func() bool { return true }}
	e.front.show(pages, configs.Default(), "")
	return e.serve(a.ctx, configs.Web{Listen: []string{d.Listen}}, logger(a, s.cfg), func(addrs []net.Addr) {
		fmt.Fprintf(a.stdout, "Serving metrics and a page at %s until Ctrl-C.\n", urls(addrs, false))
	})
}

// pages are those of a sensor, over what the run kept.
func (d *demoCmd) pages(s *session, now func() time.Time) (http.Handler, error) {
	s.keeper.crowd = func() []alerts.DeviceCount { return deviceCounts(s.a) }
	s.keeper.countCrowd(now())
	if err := s.kept.Flush(); err != nil {
		return nil, err
	}
	snapshot := fileCounts(s.a)
	status := web.Status{Up: true, Since: s.started.UTC(), Signatures: s.j.set.Hash(), Version: buildVersion(), Blind: blindSpots(&snapshot)}
	for _, i := range snapshot.Interfaces {
		status.Interfaces = append(status.Interfaces, web.Interface{Name: "an embedded capture", Driver: "file", Frames: i.Frames, Bytes: i.Bytes})
	}
	for _, r := range s.j.rules {
		status.Policies = append(status.Policies, r.Sentence())
	}
	for _, g := range s.j.geo.Databases() {
		status.Databases = append(status.Databases, web.Database{Name: g.Name, Built: g.Built})
	}
	return web.New(web.Config{Store: s.kept, Open: s.judge.Open, Status: func() web.Status { return status }, Site: "demo", Now: now, Logger: logger(s.app, s.cfg)})
}
