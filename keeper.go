package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"picket/alerts"
	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

const (
	// maxKept bounds the devices a keeper remembers; beyond it, one of them is
	// looked at anew when it is next heard of.
	maxKept = 1 << 18
	// deviceEvery is how often a device that goes on as before is written.
	deviceEvery = time.Minute
	// recordEvery is how often the sensor's own memory of devices is written.
	recordEvery = 10 * time.Minute
	// crowdEvery is how often everybody is counted.
	crowdEvery = time.Minute
	// maxWatchStep: packet time that moves further than this at once was not watched.
	maxWatchStep = 5 * time.Minute
	// pseudonymEvery is how long devices are counted under the same pseudonyms
	// unless the configuration says otherwise.
	pseudonymEvery = 30 * 24 * time.Hour
)

// keeper stands between the sensor and the judge: it lets people's rulings
// outrank inference, hands on, and keeps what may be kept. Sink methods are
// called by one goroutine; rulings come from another.
type keeper struct {
	next   sensor.Sink
	store  *evidence.Store
	places alerts.Placer
	log    *slog.Logger
	crowd  func() []alerts.DeviceCount               // nil: nobody is counted
	export func(keep func(device.Record) bool) error // nil: no records
	frames *keepsakes                                // nil: no packets are kept
	proofs *prover

	// countedEvery is how long devices are counted under the same pseudonyms.
	countedEvery time.Duration

	mu      sync.Mutex
	rules   []*alerts.Rule
	epoch   string
	ruled   map[device.ID]evidence.Ruling
	kept    map[device.ID]*keptDevice
	evicted uint64 // devices looked at anew because of maxKept

	pseudonym                               evidence.Pseudonym
	now, crowdAt, recordAt, keyedAt, idleAt time.Time
}

// keptDevice is what a keeper knows of a device.
type keptDevice struct {
	seen     *device.View // as the sensor gave it
	view     *device.View // as people have ruled
	concern  evidence.Concern
	policies []string
	until    time.Time // when the ruling ceases to hold; zero for never
	saved    time.Time // of the goroutine of the sink alone
	heard    time.Time // when it was last looked at
}

// newKeeper makes a keeper before next, with the rulings that the store has.
func newKeeper(next sensor.Sink, store *evidence.Store, places alerts.Placer, log *slog.Logger) (*keeper, error) {
	k := &keeper{next: next, store: store, places: places, log: log, proofs: newProver(store), ruled: map[device.ID]evidence.Ruling{}, kept: map[device.ID]*keptDevice{}}
	list, err := store.Rulings("")
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(list) { // the newest last
		k.ruled[device.ID(r.Device)] = r
	}
	return k, nil
}

// judgedBy takes over what verdicts rest on, at the start and after a
// reload, and puts it on the chain.
func (k *keeper) judgedBy(j *judgement, at time.Time) {
	policies := map[string]string{}
	for _, r := range j.rules {
		policies[r.Policy.Name] = r.Hash
	}
	databases := map[string]string{}
	for _, d := range j.geo.Databases() {
		databases[d.Name] = d.Built.UTC().Format(time.RFC3339)
	}
	sum := sha256.New()
	fmt.Fprint(sum, j.set.Hash(), "\x00", j.ground())
	for _, name := range slices.Sorted(maps.Keys(databases)) {
		fmt.Fprint(sum, "\x00", name, "\x00", databases[name])
	}
	epoch := hex.EncodeToString(sum.Sum(nil)[:6])
	k.mu.Lock()
	k.rules, k.epoch = j.rules, epoch
	for _, d := range k.kept {
		k.enter(d.seen, at)
	}
	k.mu.Unlock()
	k.store.Note(at, evidence.KindConfig, "", map[string]any{"signatures": j.set.Hash(), "databases": databases, "policies": policies, "geography": j.ground(), "epoch": epoch})
	k.sweep(at)
}

// sweep removes the devices of before that no policy concerns any longer and
// that may not be heard of again.
func (k *keeper) sweep(at time.Time) {
	for q := (evidence.DeviceQuery{Sort: "first", Up: true, Limit: 1000}); ; q.Offset += q.Limit {
		page, err := k.store.Devices(q)
		if err != nil {
			k.log.Error("devices of before not looked through", "err", err)
			return
		}
		for i := range page.Devices {
			d := &page.Devices[i]
			k.mu.Lock()
			_, known := k.kept[device.ID(d.ID)]
			concern, _ := alerts.Concern(k.rules, viewOf(d), at)
			k.mu.Unlock()
			if !known && concern == evidence.NoConcern {
				k.store.SaveDevice(evidence.Device{ID: d.ID})
			}
		}
		if len(page.Devices) < q.Limit {
			return
		}
	}
}

// rule takes over a ruling and lets the judge know at once.
func (k *keeper) rule(r evidence.Ruling) {
	k.mu.Lock()
	id, at := device.ID(r.Device), k.now
	k.ruled[id] = r
	before := k.kept[id]
	var after *keptDevice
	if before != nil && !at.IsZero() {
		after = k.enter(before.seen, at)
	}
	k.mu.Unlock()
	if after != nil {
		k.next.Verdict(sensor.VerdictChange{At: at, Device: after.view, Before: *before.view.Verdict, Why: "ruling"})
	}
}

// look returns what is known of a device, as people have ruled.
func (k *keeper) look(v *device.View, at time.Time) *keptDevice {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.kept[v.ID]
	if d != nil && d.seen == v && (d.until.IsZero() || at.Before(d.until)) {
		d.heard = at
		return d
	}
	next := k.enter(v, at)
	next.heard = at
	if d != nil && d.concern == next.concern && d.view.Verdict.Confidence == next.view.Verdict.Confidence {
		next.saved = d.saved
	}
	return next
}

// enter notes a device anew. k.mu is held.
func (k *keeper) enter(v *device.View, at time.Time) *keptDevice {
	before := k.kept[v.ID]
	d := &keptDevice{seen: v, view: v}
	if r, ok := k.ruled[v.ID]; ok && r.Holds(at) {
		d.view, d.until = ruledView(v, r), r.Until
	}
	d.concern, d.policies = alerts.Concern(k.rules, d.view, at)
	if before != nil {
		d.heard = before.heard
	}
	if before != nil && before.concern != evidence.NoConcern && d.concern == evidence.NoConcern {
		k.store.SaveDevice(evidence.Device{ID: string(v.ID)})
	}
	if before == nil && len(k.kept) >= maxKept {
		for id := range k.kept { // whichever comes first
			delete(k.kept, id)
			k.evicted++
			break
		}
	}
	k.kept[v.ID] = d
	return d
}

// ruledView is a device as a person has ruled.
func ruledView(v *device.View, r evidence.Ruling) *device.View {
	out := *v
	d := new(handset.Verdict)
	*d = *v.Verdict
	out.Verdict = d
	reason := handset.Reason{Said: &handset.Said{Maker: d.Maker, Text: fmt.Sprintf("ruled %s by %s: %s", r.Verdict, r.By, r.Reason)}}
	switch {
	case r.Verdict == evidence.Confirmed && d.Maker == r.Maker:
		d.Confidence, d.Posterior = handset.Certain, 1
		d.Reasons = append([]handset.Reason{reason}, d.Reasons...)
	case r.Verdict == evidence.NotHandset:
		d.Handset = "no"
		d.Against = append([]handset.Reason{reason}, d.Against...)
	case r.Verdict == evidence.Wrong && (r.Maker == "" || d.Maker == r.Maker):
		d.Confidence, d.Posterior, d.Model = handset.None, 0, ""
		d.Against = append([]handset.Reason{reason}, d.Against...)
	}
	return &out
}

// Transfer implements sensor.Sink.
func (k *keeper) Transfer(t sensor.Transfer) {
	d := k.look(t.Device, t.Last)
	t.Device = d.view
	k.frames.own(&t, d.concern == evidence.Prohibited)
	k.next.Transfer(t)
	k.frames.transfer(&t)
	k.proofs.prove(t.Last)
	k.keep(d, t.Last)
	k.count(&t)
}

// Verdict implements sensor.Sink.
func (k *keeper) Verdict(c sensor.VerdictChange) {
	if c.Device == nil {
		k.next.Verdict(c)
		return
	}
	d := k.look(c.Device, c.At)
	c.Device = d.view
	k.next.Verdict(c)
	if d.concern != evidence.NoConcern {
		k.store.AddVerdict(verdictOf(d.view, &c))
		d.saved = time.Time{}
		k.keep(d, c.At)
	}
	if d.concern != evidence.Prohibited || c.Gone {
		k.frames.leave(c.Device.ID, c.Into)
	}
	if c.Gone {
		k.mu.Lock()
		delete(k.kept, c.Device.ID)
		k.mu.Unlock()
	}
}

// Identifier implements sensor.Sink.
func (k *keeper) Identifier(f sensor.Identifier) {
	f.Device = k.look(f.Device, f.At).view
	k.next.Identifier(f)
}

// Question implements sensor.Sink.
func (k *keeper) Question(q sensor.Question) {
	q.Device = k.look(q.Device, q.At).view
	k.next.Question(q)
	k.frames.question(&q)
}

// Tick implements sensor.Sink.
func (k *keeper) Tick(now time.Time) {
	k.next.Tick(now)
	k.frames.tick(now)
	k.proofs.prove(now)
	k.mu.Lock()
	before := k.now
	if now.After(before) {
		k.now = now
	}
	k.mu.Unlock()
	if gone := now.Sub(before); !before.IsZero() && gone > 0 && gone <= maxWatchStep {
		k.watch(before, now)
	}
	if k.crowd != nil && now.Sub(k.crowdAt) >= crowdEvery {
		k.crowdAt = now
		k.countCrowd(now)
	}
	k.forgetIdle(now)
	if k.export != nil && now.Sub(k.recordAt) >= recordEvery {
		if !k.recordAt.IsZero() {
			k.records()
		}
		k.recordAt = now
	}
}

// watch counts whole seconds, so that short steps are not lost.
func (k *keeper) watch(before, now time.Time) {
	if s := now.Unix() - before.Unix(); s > 0 {
		k.store.Watch(now, evidence.Watched{Seconds: uint64(s)})
	}
}

// keep writes a device that a policy concerns, now and then.
func (k *keeper) keep(d *keptDevice, at time.Time) {
	if d.concern == evidence.NoConcern || !d.saved.IsZero() && at.Sub(d.saved) < deviceEvery {
		return
	}
	d.saved = at
	k.store.SaveDevice(deviceOf(d, at))
}

// records writes the sensor's memory of the devices that a policy concerns;
// what others would need to be known again is not kept.
func (k *keeper) records() {
	k.proofs.prove(k.time())
	all := []evidence.Record{}
	var failed error
	err := k.export(func(r device.Record) bool {
		if !k.concerned(r.ID) && (r.Into == "" || !k.concerned(r.Into)) {
			return true
		}
		body, err := json.Marshal(r)
		if err != nil {
			failed = err
			return false
		}
		all = append(all, evidence.Record{ID: string(r.ID), Last: r.Last, Body: body})
		return len(all) < maxKept
	})
	if err := errors.Join(err, failed); err != nil {
		k.log.Error("records of devices not kept", "err", err)
		return
	}
	k.store.SaveRecords(all)
}

// saved takes note of an episode that was saved. Any goroutine may call it.
func (k *keeper) saved(e *evidence.Episode) {
	k.frames.episode(e)
	k.proofs.saved(e)
}

// time is the latest packet time.
func (k *keeper) time() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *keeper) concerned(id device.ID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.kept[id]
	return d != nil && d.concern != evidence.NoConcern
}

// restore gives the sensor back what it knew of devices. A record that this
// build does not understand is left out and logged.
func (k *keeper) restore(take func(device.Record) error) error {
	return k.store.Records(func(kept evidence.Record) error {
		var r device.Record
		err := json.Unmarshal(kept.Body, &r)
		if err == nil {
			err = take(r)
		}
		if err != nil {
			k.log.Warn("record of a device left out", "device", kept.ID, "err", err)
		}
		return nil
	})
}
