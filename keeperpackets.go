package main

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/packet"
	"picket/sensor/packets"
	"picket/sensor/wire"
)

const (
	// everybodyAge is how long a frame is held of which nobody knows yet
	// whether it concerns anyone; concernedAge, of devices that a policy
	// prohibits.
	everybodyAge = 30 * time.Second
	concernedAge = 5 * time.Minute
	// maxPlaces bounds the addresses known to be of prohibited devices.
	maxPlaces = 1 << 16
	// batchesEach is how many batches of frames each worker may have on the way.
	batchesEach = 8
	// frameBatchesMost bounds them for all workers.
	frameBatchesMost = 64
)

// keepsakes holds the first frames of conversations until it is known whose
// they are, and brings those of an episode's transfers to the store. A nil
// one keeps nothing. Episodes are told by several goroutines.
type keepsakes struct {
	x      *packets.Exchange
	store  *evidence.Store
	realms *sensor.Realms
	asks   func(name string) string // the maker whose system or apps ask a name, empty for nobody's

	mu        sync.Mutex
	everybody *packets.Memory
	concerned *packets.Memory
	writer    packets.Writer
	dns       wire.DNS
	p         packet.Packet
	places    map[place]device.ID // where prohibited devices are
	settled   map[device.ID]int   // how many places each has
	open      map[device.ID][]*heldEpisode
	evicted   atomic.Uint64
}

type place struct {
	realm uint16
	addr  packet.Addr
}

// heldEpisode is what of an episode says which frames are its own.
type heldEpisode struct {
	id      string
	maker   string
	servers map[packet.Addr]bool
	names   map[string]bool
	bytes   int
}

// newKeepsakes returns nil when the configuration asks for none.
func newKeepsakes(c configs.Evidence, x *packets.Exchange, store *evidence.Store, realms *sensor.Realms, sigs *device.Signatures) (*keepsakes, error) {
	if x == nil || store == nil {
		return nil, nil
	}
	half := int(c.PacketMemory / 2)
	k := &keepsakes{
		x: x, store: store, realms: realms, asks: func(name string) string { return sigs.Name(name).Maker },
		everybody: packets.NewMemory(half, int64(everybodyAge)), concerned: packets.NewMemory(half, int64(concernedAge)),
		writer: packets.Writer{Mode: c.Packets}, places: map[place]device.ID{}, settled: map[device.ID]int{}, open: map[device.ID][]*heldEpisode{},
	}
	list, err := store.Episodes(time.Now())
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Closed.IsZero() {
			k.episode(&list[i])
		}
	}
	return k, nil
}

// exchangeFor makes what carries frames from the workers, nil for none.
func exchangeFor(c configs.Evidence, state string, workers int) *packets.Exchange {
	if c.Packets == packets.Off || state == "" {
		return nil
	}
	return packets.NewExchange(c.Packets, int(c.Payload), min(workers*batchesEach, max(frameBatchesMost, workers)))
}

// take takes over what the workers have copied. It is called before an
// observation is looked at, so that its frames are there.
func (k *keepsakes) take() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.x.Take(func(r *packets.Record, data []byte) {
		if _, ok := k.places[place{r.Realm, r.Home}]; ok {
			k.concerned.Add(r, data)
			return
		}
		k.everybody.Add(r, data)
	})
}

// tick lets go what is too old.
func (k *keepsakes) tick(now time.Time) {
	if k == nil {
		return
	}
	k.take()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.everybody.Expire(now.UnixNano())
	k.concerned.Expire(now.UnixNano())
	k.evicted.Store(k.everybody.Evicted() + k.concerned.Evicted())
}

// own says whose a conversation is, and whether the device is prohibited.
func (k *keepsakes) own(t *sensor.Transfer, prohibited bool) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	id := string(t.Device.ID)
	k.everybody.Own(t.Flow, id)
	k.concerned.Own(t.Flow, id)
	if prohibited {
		k.settle(t.Device, t.Client.Addr())
	}
}

// settle notes where a prohibited device is.
func (k *keepsakes) settle(v *device.View, addr netip.Addr) {
	at := place{k.realm(v.Realm), packet.AddrFrom(addr)}
	before, there := k.places[at]
	if before == v.ID {
		return
	}
	if there {
		k.unsettle(before)
	}
	if len(k.places) >= maxPlaces {
		clear(k.places) // they come again with their next transfers
		clear(k.settled)
	}
	k.places[at] = v.ID
	k.settled[v.ID]++
}

func (k *keepsakes) unsettle(id device.ID) {
	if k.settled[id]--; k.settled[id] <= 0 {
		delete(k.settled, id)
	}
}

func (k *keepsakes) realm(name string) uint16 {
	for n := uint16(0); n < 256; n++ {
		if k.realms.Name(n) == name {
			return n
		}
	}
	return 0
}

// leave forgets where a device was: no policy prohibits it any longer, or it
// went into another.
func (k *keepsakes) leave(id, into device.ID) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.settled[id] > 0 {
		for at, who := range k.places {
			if who == id {
				delete(k.places, at)
			}
		}
		delete(k.settled, id)
	}
	if into != "" {
		k.everybody.Disown(string(id), string(into))
		k.concerned.Disown(string(id), string(into))
	}
}

// transfer keeps the frames of a conversation that belongs to an open episode.
func (k *keepsakes) transfer(t *sensor.Transfer) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	id, to := t.Device.ID, packet.AddrFrom(t.Server.Addr())
	if !slices.ContainsFunc(k.open[id], func(e *heldEpisode) bool { return e.servers[to] && !e.full() }) {
		return
	}
	k.keep(id, append(k.everybody.TakeFlow(t.Flow, string(id)), k.concerned.TakeFlow(t.Flow, string(id))...))
}

// question notes whose a DNS message is, and keeps it when its name may be
// kept and the device has an open episode.
func (k *keepsakes) question(q *sensor.Question) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	id, at := q.Device.ID, q.At.UnixNano()
	k.everybody.OwnQuestion(at, string(id))
	k.concerned.OwnQuestion(at, string(id))
	list := k.open[id]
	if !slices.ContainsFunc(list, func(e *heldEpisode) bool { return e.names[q.Name] || q.NameMaker != "" && q.NameMaker == e.maker }) {
		return
	}
	k.keep(id, append(k.everybody.TakeQuestion(at, string(id)), k.concerned.TakeQuestion(at, string(id))...))
}

// maxEpisodePackets is where an episode has had its share; the store has the
// same bound.
const maxEpisodePackets = 256 << 10

func (e *heldEpisode) full() bool { return e.bytes >= maxEpisodePackets-4096 }

// episode takes over what is known of an episode, and keeps the frames that
// belong to it.
func (k *keepsakes) episode(e *evidence.Episode) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	id := device.ID(e.Device)
	list := k.open[id]
	i := slices.IndexFunc(list, func(o *heldEpisode) bool { return o.id == e.ID })
	if i < 0 {
		list = append(list, &heldEpisode{id: e.ID})
		i = len(list) - 1
		k.open[id] = list
	}
	o := list[i]
	before := len(o.servers) + len(o.names)
	o.of(e)
	if len(o.servers)+len(o.names) > before && !o.full() {
		want := func(r *packets.Record, data []byte) bool { return k.wanted(id, r, data) }
		k.keep(id, append(k.everybody.Take(e.Device, want), k.concerned.Take(e.Device, want)...))
	}
	if !e.Closed.IsZero() {
		if k.open[id] = slices.Delete(list, i, i+1); len(k.open[id]) == 0 {
			delete(k.open, id)
		}
	}
}

// of fills in the servers and the names of an episode.
func (o *heldEpisode) of(e *evidence.Episode) {
	o.maker, o.servers, o.names = e.Maker, map[packet.Addr]bool{}, map[string]bool{}
	for _, n := range e.Names {
		o.names[n] = true
	}
	for i := range e.Servers {
		s := &e.Servers[i]
		o.servers[packet.AddrFrom(s.Addr.Addr())] = true
		for _, n := range [...]string{s.Name, s.CNAME} {
			if n != "" {
				o.names[n] = true
			}
		}
	}
}

// wanted reports whether a frame of a device belongs to one of its episodes.
func (k *keepsakes) wanted(id device.ID, r *packets.Record, data []byte) bool {
	name := ""
	if r.DNS {
		name = k.asked(r, data)
	}
	return slices.ContainsFunc(k.open[id], func(e *heldEpisode) bool { return k.holds(e, r, name) })
}

// holds: what goes to a server of the episode, and DNS messages about its
// names or about names that the device's maker asks.
func (k *keepsakes) holds(e *heldEpisode, r *packets.Record, name string) bool {
	if r.DNS {
		return name != "" && (e.names[name] || e.maker != "" && k.asks(name) == e.maker)
	}
	return e.servers[r.Away]
}

// asked is the name that a DNS message is about, empty when it is about none
// or more than one, or came over TCP.
func (k *keepsakes) asked(r *packets.Record, data []byte) string {
	k.p.DecodeTagged(r.Link, data, r.At, int(r.Wire), 0)
	if k.p.Proto != packet.ProtoUDP || int(r.Body) > len(data) {
		return ""
	}
	if k.dns.Parse(data[r.Body:], wire.UnicastDNS) != nil || len(k.dns.Questions) != 1 {
		return ""
	}
	return string(k.dns.Questions[0].Name)
}

// keep writes frames of a device into those of its open episodes that they
// belong to.
func (k *keepsakes) keep(id device.ID, frames []packets.Frame) {
	if len(frames) == 0 {
		return
	}
	slices.SortStableFunc(frames, func(a, b packets.Frame) int { return cmp.Compare(a.At, b.At) })
	for _, o := range k.open[id] {
		var mine []packets.Frame
		for i := range frames {
			f := &frames[i]
			name := ""
			if f.DNS {
				name = k.asked(&f.Record, f.Data)
			}
			if k.holds(o, &f.Record, name) {
				mine = append(mine, packets.Frame{Record: f.Record, Data: slices.Clone(f.Data)})
			}
		}
		body, n := k.writer.Append(nil, mine)
		if n == 0 || o.full() {
			continue
		}
		o.bytes += len(body)
		k.store.AddPackets(evidence.Packets{Episode: o.id, Device: string(id), At: time.Unix(0, mine[len(mine)-1].At).UTC(), Frames: n, Body: body})
	}
}

// keptEpisodes tells the keepsakes of every episode that is saved.
type keptEpisodes struct {
	alerts.Kept
	saved func(*evidence.Episode)
}

// SaveEpisode implements alerts.Store.
func (k keptEpisodes) SaveEpisode(e evidence.Episode) error {
	err := k.Kept.SaveEpisode(e)
	k.saved(&e)
	return err
}
