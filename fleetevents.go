package main

import (
	"encoding/json"
	"fmt"
	"time"

	"picket/alerts"
	"picket/evidence"
	"picket/fleet"
)

// eventTap puts what the judge announces on the stream of events too.
type eventTap struct {
	alerts.Announcer
	m *member
}

// Announce implements alerts.Announcer.
func (e eventTap) Announce(n alerts.Notice) {
	e.m.event("episode", n.Episode.Device, n.Episode.ID, newEpisodeLine(&n.Episode))
	e.Announcer.Announce(n)
}

// event publishes a line for log stores and SIEMs: as `picket read --json`
// prints it.
func (m *member) event(kind, about, of string, line any) {
	body, err := json.Marshal(line)
	if err != nil {
		return // lines of text and numbers: cannot happen
	}
	id := fmt.Sprintf("%s-%x-%x", of, time.Now().UnixNano(), m.events.Add(1))
	m.node.Say(&fleet.Message{Kind: fleet.KindEvent, Scope: kind, About: about, ID: id, Body: body})
}

// toldLedger is what was told of the ledger, so that a row is told again only
// when it has grown.
type toldLedger struct {
	at    time.Time
	again time.Time // after a failure
	day   int64
	sum   map[ledgerKey]uint64
}

type ledgerKey struct {
	day                                                        int64
	maker, class, owner, plane                                 string
	location, registration, operatorHome, ownerHome, by, epoch string
}

// tellLedger puts the rows of the ledger that have grown on the stream once
// an hour; the last line of a day and key is the day's.
func (m *member) tellLedger(now time.Time) {
	if m.store == nil || now.Sub(m.ledger.at) < ledgerEvery || now.Before(m.ledger.again) {
		return
	}
	from := m.ledger.at
	m.ledger.at = now
	if from.IsZero() {
		return // not at once after the start
	}
	if day := now.Unix() / 86400; m.ledger.sum == nil || day != m.ledger.day {
		m.ledger.sum, m.ledger.day = map[ledgerKey]uint64{}, day
	}
	err := m.store.Ledger(evidence.Period{From: from.UTC(), To: now.UTC()}, "", func(r evidence.LedgerRow) error {
		k := ledgerKey{r.Day, r.Maker, r.Class, r.Owner, r.Plane, r.Location, r.Registration, r.OperatorHome, r.OwnerHome, r.Operator, r.Epoch}
		if sum := r.Sent + r.Received + r.Flows; m.ledger.sum[k] != sum {
			m.ledger.sum[k] = sum
			m.event("ledger", "", "ledger", newLedgerEvent(&r, now))
		}
		return nil
	})
	if err != nil {
		m.ledger.at, m.ledger.again = from, now.Add(time.Minute)
	}
}
