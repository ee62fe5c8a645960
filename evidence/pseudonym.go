package evidence

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Pseudonym hashes a device for counting.
type Pseudonym func(device string) uint32

// Pseudonym returns the hash by which devices are counted at now. Its key is
// kept in the store and made anew every so often; the key before is
// overwritten, and with it goes the way from a device to what was counted.
func (s *Store) Pseudonym(now time.Time, every time.Duration) (Pseudonym, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil { // no disk: a key for this run
		key := make([]byte, 32)
		_, err := rand.Read(key)
		return keyed(key), err
	}
	tx, err := s.db.Begin()
	if err != nil {
		return nil, wrap(err)
	}
	defer tx.Rollback()
	key, err := pseudonymKey(tx, now, every)
	if err != nil {
		return nil, wrap(err)
	}
	return keyed(key), wrap(tx.Commit())
}

func pseudonymKey(tx *sql.Tx, now time.Time, every time.Duration) ([]byte, error) {
	var value string
	err := tx.QueryRow("SELECT value FROM meta WHERE key = 'pseudonym'").Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	made, text, _ := strings.Cut(value, ":")
	at, bad := strconv.ParseInt(made, 10, 64)
	key, broken := hex.DecodeString(text)
	if bad == nil && broken == nil && len(key) == 32 && (every <= 0 || now.Sub(time.Unix(at, 0)) < every) {
		return key, nil
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	_, err = tx.Exec("INSERT INTO meta (key, value) VALUES ('pseudonym', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		fmt.Sprintf("%d:%s", now.Unix(), hex.EncodeToString(key)))
	return key, err
}

func keyed(key []byte) Pseudonym {
	return func(device string) uint32 {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(device))
		return binary.BigEndian.Uint32(h.Sum(nil))
	}
}
