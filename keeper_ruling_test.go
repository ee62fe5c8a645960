package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// TestRulingOutranksInference: a device that a person ruled to be no handset
// is no longer accused, at once, and again after a restart; when the ruling
// ceases to hold, inference speaks again.
func TestRulingOutranksInference(t *testing.T) {
	c := configs.Defaults()
	p, err := alerts.Quick([]string{"xiaomi"}, []string{"CN"})
	if err != nil {
		t.Fatal(err)
	}
	c.Policies = []alerts.Policy{p}
	log := slog.New(slog.DiscardHandler)
	j, err := compile(c, log)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	store, err := evidence.Open(evidence.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	next := &lastView{}
	k, err := newKeeper(next, store, j.geo, log)
	if err != nil {
		t.Fatal(err)
	}
	k.judgedBy(j, now)
	v := device.View{ID: "d-00000000aaaa", Verdict: &handset.Verdict{Maker: "xiaomi", Class: "handset", Handset: "yes", Confidence: handset.Certain, Posterior: 0.999}}.With(device.Details{First: now, Last: now})
	k.Tick(now)
	k.Verdict(sensor.VerdictChange{At: now, Device: v, Why: "evidence"})
	if next.view != v {
		t.Fatal("a device nobody ruled about was changed")
	}
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := store.Rule("d-00000000aaaa", evidence.Ruling{Verdict: evidence.NotHandset, By: "officer", Reason: "it is a set-top box", At: now, Until: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	k.rule(r)
	if next.view == v || next.view.Verdict.Handset != "no" || !strings.Contains(next.view.Verdict.Against[0].Text, "set-top box") {
		t.Fatalf("the judge was not told: %+v", next.view.Verdict)
	}
	if s, why := j.rules[0].Standing(next.view, now); s != alerts.Permitted {
		t.Errorf("still accused: %v %s", s, why)
	}
	again, err := newKeeper(next, store, j.geo, log)
	if err != nil {
		t.Fatal(err)
	}
	again.judgedBy(j, now)
	again.Verdict(sensor.VerdictChange{At: now.Add(time.Minute), Device: v, Why: "evidence"})
	if next.view.Verdict.Handset != "no" {
		t.Error("a restart forgot the ruling")
	}
	again.Verdict(sensor.VerdictChange{At: now.Add(2 * time.Hour), Device: v, Why: "evidence"})
	if next.view.Verdict.Handset != "yes" {
		t.Error("the ruling holds beyond its time")
	}
}

// lastView is a Sink that remembers the device it was last told of.
type lastView struct{ view *device.View }

func (l *lastView) Transfer(t sensor.Transfer)     { l.view = t.Device }
func (l *lastView) Verdict(c sensor.VerdictChange) { l.view = c.Device }
func (l *lastView) Identifier(i sensor.Identifier) { l.view = i.Device }
func (l *lastView) Question(q sensor.Question)     { l.view = q.Device }
func (l *lastView) Tick(time.Time)                 {}
