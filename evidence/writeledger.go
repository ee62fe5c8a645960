package evidence

import (
	"database/sql"
	"errors"
)

// writeLedger adds the sums that wait to the ledger and to its extract by
// basis and country, which pages read.
func (s *Store) writeLedger(tx *sql.Tx, b *batch) error {
	if len(b.ledger) == 0 {
		return nil
	}
	byBasis := map[basisKey]*flowSum{}
	for k, v := range b.ledger {
		k, err := s.within(tx, k)
		if err != nil {
			return err
		}
		if err := s.addLedger(tx, k, v); err != nil {
			return err
		}
		for basis, country := range map[string]string{"location": k.Location, "registration": k.Registration, "operator": k.OperatorHome, "owner": k.OwnerHome} {
			key := basisKey{k.Day, k.Maker, k.Class, basis, country}
			if byBasis[key] == nil {
				byBasis[key] = &flowSum{}
			}
			byBasis[key].add(v)
		}
	}
	changed := map[int64]bool{}
	for k, v := range byBasis {
		if err := s.addResidency(tx, k, v); err != nil {
			return err
		}
		changed[k.day] = true
	}
	return outdate(tx, changed)
}

type basisKey struct {
	day                          int64
	maker, class, basis, country string
}

// within folds owner and operator once a day has as many rows as it may.
func (s *Store) within(tx *sql.Tx, k Residence) (Residence, error) {
	n, known := s.days[k.Day]
	if !known {
		if len(s.days) > 8 {
			s.days = map[int64]int{}
		}
		if err := tx.QueryRow("SELECT count(*) FROM ledger WHERE day = ?", k.Day).Scan(&n); err != nil {
			return k, err
		}
		s.days[k.Day] = n
	}
	if n >= s.c.Limits.LedgerDay {
		s.stats.folded.Add(1)
		return k.folded(), nil
	}
	return k, nil
}

func (s *Store) addLedger(tx *sql.Tx, k Residence, v *flowSum) error {
	ids := make([]any, 0, 20)
	ids = append(ids, k.Day)
	for _, w := range [...]string{k.Maker, k.Class, k.Owner, k.Plane, k.Location, k.Registration, k.OperatorHome, k.OwnerHome, k.Operator, k.Epoch} {
		id, err := s.word(tx, w)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	const where = ` WHERE day=? AND maker=? AND class=? AND owner=? AND plane=? AND location=? AND registration=? AND operator_home=? AND owner_home=? AND operator=? AND epoch=?`
	sum := *v
	old, there, err := oldSum(tx, "SELECT sent, handshake, received, flows, low, devices FROM ledger"+where, ids)
	if err != nil {
		return err
	}
	sum.add(&old)
	if !there {
		s.days[k.Day]++
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO ledger VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		append(ids, int64(sum.sent), int64(sum.handshake), int64(sum.received), int64(sum.flows), int64(sum.low), []byte(sum.devices))...)
	return err
}

func (s *Store) addResidency(tx *sql.Tx, k basisKey, v *flowSum) error {
	ids := []any{k.day}
	for _, w := range [...]string{k.maker, k.class, k.basis, k.country} {
		id, err := s.word(tx, w)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	sum := *v
	old, _, err := oldSum(tx, "SELECT sent, handshake, 0, flows, 0, devices FROM residency WHERE day=? AND maker=? AND class=? AND basis=? AND country=?", ids)
	if err != nil {
		return err
	}
	sum.add(&old)
	_, err = tx.Exec("INSERT OR REPLACE INTO residency VALUES (?,?,?,?,?,?,?,?,?)",
		append(ids, int64(sum.sent), int64(sum.handshake), int64(sum.flows), []byte(sum.devices))...)
	return err
}

func oldSum(tx *sql.Tx, query string, ids []any) (v flowSum, there bool, err error) {
	var sent, handshake, received, flows, low int64
	var devices []byte
	err = tx.QueryRow(query, ids...).Scan(&sent, &handshake, &received, &flows, &low, &devices)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return flowSum{uint64(sent), uint64(handshake), uint64(received), uint64(flows), uint64(low), devices}, true, err
}

// maxWords bounds the ids of words held in memory.
const maxWords = 1 << 16

// word returns the id of a word, made on first use.
func (s *Store) word(tx *sql.Tx, text string) (int64, error) {
	if id, ok := s.words[text]; ok {
		return id, nil
	}
	if _, err := tx.Exec("INSERT OR IGNORE INTO word (text) VALUES (?)", text); err != nil {
		return 0, err
	}
	var id int64
	if err := tx.QueryRow("SELECT id FROM word WHERE text = ?", text).Scan(&id); err != nil {
		return 0, err
	}
	if len(s.words) >= maxWords {
		s.words = map[string]int64{}
	}
	s.words[text] = id
	return id, nil
}

// writeDays adds what is known of how days were watched, and of crowds.
func (s *Store) writeDays(tx *sql.Tx, b *batch) error {
	for k, n := range b.crowd {
		if _, err := tx.Exec(`INSERT INTO crowd (day, maker, class, devices) VALUES (?,?,?,?)
			ON CONFLICT (day, maker, class) DO UPDATE SET devices = max(devices, excluded.devices)`, k.day, k.maker, k.class, n); err != nil {
			return err
		}
	}
	for d, w := range b.watched {
		if _, err := tx.Exec(`INSERT INTO watched (day, seconds, unnamed, named, lost) VALUES (?,?,?,?,?)
			ON CONFLICT (day) DO UPDATE SET seconds = seconds + excluded.seconds, unnamed = unnamed + excluded.unnamed,
			named = named + excluded.named, lost = lost + excluded.lost`,
			d, int64(w.Seconds), int64(w.Unnamed), int64(w.Named), int64(w.Lost)); err != nil {
			return err
		}
	}
	return nil
}
