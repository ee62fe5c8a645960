package evidence

import (
	"database/sql"
	"fmt"
)

// applicationID marks a file as a store of picket (PRAGMA application_id):
// "pckt" in ASCII. SQLite files of other programs have another, or 0.
const applicationID = 0x70636b74

// migrations bring a store from version i to i+1. They only ever grow: a
// file of any earlier version can be opened, one of a later version is
// refused and left as it is.
var migrations = [...]string{
	// Times are Unix nanoseconds, days are days since 1970-01-01 UTC, a
	// closed of 0 means open. What docs/privacy.md says of each column is
	// compared with this by a test.
	`CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE episode (
	id TEXT PRIMARY KEY, device TEXT NOT NULL, policy TEXT NOT NULL, maker TEXT NOT NULL,
	severity TEXT NOT NULL, opened INTEGER NOT NULL, last INTEGER NOT NULL, closed INTEGER NOT NULL,
	alerted TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX episode_closed ON episode (closed, opened);
CREATE INDEX episode_device ON episode (device, opened);

CREATE TABLE outbox (key TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;

CREATE TABLE device (
	id TEXT PRIMARY KEY, realm TEXT NOT NULL, maker TEXT NOT NULL, model TEXT NOT NULL, class TEXT NOT NULL,
	confidence INTEGER NOT NULL, concern TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
	body TEXT NOT NULL) STRICT;
CREATE INDEX device_last ON device (last, id);
CREATE INDEX device_concern ON device (concern, first, id);
CREATE INDEX device_list ON device (maker, class, concern, confidence, model, first, last, id);

CREATE TABLE address (
	device TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
	PRIMARY KEY (device, kind, value, since)) STRICT, WITHOUT ROWID;
CREATE INDEX address_value ON address (value);

CREATE TABLE record (id TEXT PRIMARY KEY, place INTEGER NOT NULL, last INTEGER NOT NULL, body TEXT NOT NULL) STRICT;

CREATE TABLE verdict (
	id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX verdict_device ON verdict (device, at);
CREATE INDEX verdict_at ON verdict (at);

CREATE TABLE ruling (
	id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX ruling_device ON ruling (device);

CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE ledger (
	day INTEGER NOT NULL, maker INTEGER NOT NULL, class INTEGER NOT NULL, owner INTEGER NOT NULL, plane INTEGER NOT NULL,
	location INTEGER NOT NULL, registration INTEGER NOT NULL, operator_home INTEGER NOT NULL, owner_home INTEGER NOT NULL,
	operator INTEGER NOT NULL, epoch INTEGER NOT NULL,
	sent INTEGER NOT NULL, handshake INTEGER NOT NULL, received INTEGER NOT NULL, flows INTEGER NOT NULL,
	low INTEGER NOT NULL, devices BLOB NOT NULL,
	PRIMARY KEY (day, maker, class, owner, plane, location, registration, operator_home, owner_home, operator, epoch))
	STRICT, WITHOUT ROWID;

CREATE TABLE residency (
	day INTEGER NOT NULL, maker INTEGER NOT NULL, class INTEGER NOT NULL, basis INTEGER NOT NULL, country INTEGER NOT NULL,
	sent INTEGER NOT NULL, handshake INTEGER NOT NULL, flows INTEGER NOT NULL, devices BLOB NOT NULL,
	PRIMARY KEY (basis, day, maker, class, country)) STRICT, WITHOUT ROWID;

CREATE TABLE crowd (
	day INTEGER NOT NULL, maker TEXT NOT NULL, class TEXT NOT NULL, devices INTEGER NOT NULL,
	PRIMARY KEY (day, maker, class)) STRICT, WITHOUT ROWID;

CREATE TABLE watched (
	day INTEGER PRIMARY KEY, seconds INTEGER NOT NULL, unnamed INTEGER NOT NULL, named INTEGER NOT NULL,
	lost INTEGER NOT NULL) STRICT;

CREATE TABLE chain (
	seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, commitment BLOB NOT NULL, hash BLOB NOT NULL,
	salt BLOB, body TEXT, subject TEXT, ref TEXT) STRICT;
CREATE INDEX chain_subject ON chain (subject);
CREATE INDEX chain_ref ON chain (ref);

CREATE TABLE forgotten (subject BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
	// Packets are blocks of a pcapng file whose beginning all episodes share.
	`CREATE TABLE packets (
	id INTEGER PRIMARY KEY AUTOINCREMENT, episode TEXT NOT NULL, device TEXT NOT NULL, at INTEGER NOT NULL,
	frames INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX packets_episode ON packets (episode, id, bytes, frames);
CREATE INDEX packets_device ON packets (device);
CREATE INDEX packets_at ON packets (at, bytes);

CREATE TABLE proof (
	id TEXT PRIMARY KEY, device TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX proof_device ON proof (device);

CREATE TABLE digest (
	basis INTEGER NOT NULL, days INTEGER NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL,
	PRIMARY KEY (basis, days, start)) STRICT, WITHOUT ROWID;`,
}

// migrate brings the file up to this build's version, all of it or nothing.
func migrate(db *sql.DB, steps []string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case version > len(steps):
		return newer(version, len(steps))
	case version < 0:
		return ErrDamaged
	}
	for i := version; i < len(steps); i++ {
		if _, err := tx.Exec(steps[i]); err != nil {
			return fmt.Errorf("schema version %d: %w", i+1, err)
		}
	}
	if version < len(steps) {
		if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(steps), applicationID)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func newer(version, known int) error {
	return fmt.Errorf("%w: the file has version %d, this build knows %d", ErrNewer, version, known)
}
