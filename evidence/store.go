package evidence

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"modernc.org/sqlite" // registers the driver "sqlite"
)

// Why a store cannot be opened.
var (
	ErrDamaged = errors.New("damaged, or no store of picket; it was left as it is: move it away, or put a backup in its place with `picket evidence restore`")
	ErrNewer   = errors.New("written by a later version of picket; it was left as it is: use that version")
)

// FileName is the store's file in the state directory.
const FileName = "evidence.db"

// Config is what a Store is made of. Zero values mean the defaults.
type Config struct {
	Dir       string        // state directory, made if it is missing
	Limits    Limits        // of what waits in memory and of the ledger
	Retention Retention     // how long each kind is kept
	Every     time.Duration // between batches; default 1 s
	Patience  time.Duration // how long saving what was announced may wait for the disk; default 250 ms
	Logger    *slog.Logger  // nil: no log
	Now       func() time.Time
	OnRuling  func(Ruling) // told of rulings that another process wrote; may be nil
}

// Store is the evidence in one SQLite file. Writes are gathered in memory
// and written in batches by Run, or at once by Flush; while the disk is full
// or read only they wait in memory, and are counted. It is safe for
// concurrent use; several processes may have the same store open.
type Store struct {
	c    Config
	path string

	writing sync.Mutex // held by whoever writes a batch
	db      *sql.DB    // nil while the file could not be opened for writing
	read    *sql.DB
	words   map[string]int64 // ids of words; of the writer
	days    map[int64]int    // ledger rows of the current days; of the writer
	rulings int64            // id of the latest ruling that OnRuling was told of

	mu      sync.Mutex // guards what follows
	waiting *batch
	flying  *batch // being written now
	told    map[string]told
	done    chan struct{} // closed when the batch that is waiting now has been tried

	kick      chan struct{}
	running   atomic.Bool
	retention atomic.Pointer[Retention]
	stats     counters
}

// Open opens the store in c.Dir, and makes it if there is none. A file that
// is damaged, of another program or of a later version is an error and is
// left as it is. A disk that is full or read only is not: the store then
// works in memory and tries again.
func Open(c Config) (*Store, error) {
	c.Every, c.Patience = or(c.Every, time.Second), or(c.Patience, 250*time.Millisecond)
	c.Limits = c.Limits.filled()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Store{
		c: c, path: filepath.Join(c.Dir, FileName), words: map[string]int64{}, days: map[int64]int{},
		waiting: newBatch(), told: map[string]told{}, done: make(chan struct{}), kick: make(chan struct{}, 1),
	}
	s.SetRetention(c.Retention)
	if err := s.open(); err != nil {
		if !passing(err) {
			return nil, err
		}
		s.degraded(err)
	}
	return s, nil
}

// OpenExisting opens a store that is there already, for commands.
func OpenExisting(dir string) (*Store, error) {
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		return nil, fmt.Errorf("evidence: no store in %s: %w", dir, err)
	}
	s, err := Open(Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	if s.db == nil {
		s.Close()
		return nil, fmt.Errorf("evidence: %s cannot be written: %s", s.path, s.Stats().Trouble)
	}
	if err := s.adoptRetention(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open opens the file for writing and for reading.
func (s *Store) open() error {
	if err := os.MkdirAll(s.c.Dir, 0o700); err != nil {
		return fmt.Errorf("evidence: state directory: %w", err)
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite gives -wal and -shm the same mode
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	db, err := s.connect(1, "_pragma=secure_delete(1)&_pragma=cache_size(-32768)&_txlock=immediate")
	if err != nil {
		return err
	}
	if err := s.prepare(db); err != nil {
		db.Close()
		return fmt.Errorf("evidence: %s: %w", s.path, named(err))
	}
	read, err := s.connect(4, "_pragma=query_only(1)")
	if err != nil {
		db.Close()
		return err
	}
	s.mu.Lock()
	s.db, s.read = db, read
	s.mu.Unlock()
	return nil
}

// connect makes a pool of n connections. Every commit reaches the disk
// before it returns (synchronous FULL): an announced episode survives a power
// cut, not only the end of the process.
func (s *Store) connect(n int, options string) (*sql.DB, error) {
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath()}).String()
	db, err := sql.Open("sqlite", dsn+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&"+options)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// prepare checks whose file it is and brings it up to date.
func (s *Store) prepare(db *sql.DB) error {
	var app, tables int
	if err := db.QueryRow("PRAGMA application_id").Scan(&app); err != nil {
		return err
	}
	if err := db.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return err
	}
	if app != applicationID && (app != 0 || tables != 0) {
		return ErrDamaged
	}
	if err := migrate(db, migrations[:]); err != nil {
		return err
	}
	if err := db.QueryRow("SELECT coalesce(max(id), 0) FROM ruling").Scan(&s.rulings); err != nil {
		return err
	}
	return ensurePseudonym(db)
}

// ensurePseudonym makes the secret that subjects of tombstones are hashed
// with, once.
func ensurePseudonym(db *sql.DB) error {
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	_, err := db.Exec("INSERT OR IGNORE INTO meta (key, value) VALUES ('salt', ?)", hex.EncodeToString(key))
	return err
}

// Primary result codes of SQLite (sqlite3.h).
const (
	sqliteReadOnly = 8
	sqliteIOErr    = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26
	sqliteBusy     = 5
)

func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// named gives damage its name.
func named(err error) error {
	switch codeOf(err) {
	case sqliteCorrupt, sqliteNotADB:
		return fmt.Errorf("%w (%v)", ErrDamaged, err)
	}
	return err
}

// passing reports whether an error may go away without anybody repairing
// the file.
func passing(err error) bool {
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer) || errors.Is(err, fs.ErrPermission) {
		return false
	}
	switch codeOf(err) {
	case sqliteReadOnly, sqliteFull, sqliteIOErr, sqliteBusy, sqliteCantOpen:
		return true
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// Run writes batches until ctx is done, then a last one. It enforces
// retention and tells the head of the chain to the log every hour.
func (s *Store) Run(ctx context.Context) error {
	s.running.Store(true)
	defer s.running.Store(false)
	tick := time.NewTicker(s.c.Every)
	defer tick.Stop()
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	s.hourly()
	for {
		select {
		case <-ctx.Done():
			s.running.Store(false)
			return s.Flush()
		case <-s.kick:
			_ = s.Flush() // counted and logged; what was not written waits
		case <-tick.C:
			_ = s.Flush()
			s.pollRulings()
		case <-hour.C:
			s.hourly()
		}
	}
}

func (s *Store) hourly() {
	if err := s.Expire(s.c.Now()); err != nil {
		s.c.Logger.Error("retention not enforced", "err", err)
	}
	if _, err := s.Digest(s.c.Now()); err != nil {
		s.c.Logger.Error("residency not digested", "err", err)
	}
	if h, err := s.Head(); err == nil && h.Seq > 0 {
		s.c.Logger.Info("evidence chain", "head", h.String())
	}
}

// Close writes what waits and closes the file.
func (s *Store) Close() error {
	err := s.Flush()
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	db, read := s.db, s.read
	s.db, s.read = nil, nil
	s.mu.Unlock()
	if db == nil {
		return err
	}
	return errors.Join(err, read.Close(), db.Close())
}

// reader returns the connections for queries, nil while there is no file.
func (s *Store) reader() *sql.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
