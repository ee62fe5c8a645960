package evidence

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// backupOf writes a backup of a small store, and says what somebody does to
// it.
func backupOf(t testing.TB, sqls ...string) string {
	t.Helper()
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SaveEpisode(episode("e-0000000000000001", "d-00000000aaaa")); err != nil {
		t.Fatal(err)
	}
	s.AddVerdict(Verdict{At: noon, Device: "d-00000000aaaa", Maker: "xiaomi", Confidence: "certain", Why: "evidence"})
	s.Note(noon, KindConfig, "", map[string]string{"signatures": "abcd"})
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(file); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range sqls {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(q, err)
		}
	}
	return file
}

// TestHostileBackups: a backup that would run something, that is none, or
// that is of another time is refused, and leaves nothing behind.
func TestHostileBackups(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		want      error
	}{
		{"trigger that unmakes the chain", "CREATE TRIGGER evil AFTER INSERT ON chain BEGIN DELETE FROM chain WHERE seq < new.seq; END", ErrDamaged},
		{"trigger of a name that SQLite would use", "CREATE TRIGGER stat AFTER UPDATE ON episode BEGIN UPDATE episode SET severity = 'observe'; END", ErrDamaged},
		{"view in place of a table, without an end", "DROP TABLE ruling; CREATE VIEW ruling AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, '' AS device, 0 AS at, '{}' AS body FROM n", ErrDamaged},
		{"table that is gone", "DROP TABLE forgotten", ErrDamaged},
		{"index that is gone", "DROP INDEX chain_ref", ErrDamaged},
		{"column that computes", "ALTER TABLE meta ADD COLUMN twice TEXT AS (value || value)", ErrDamaged},
		{"table too many", "CREATE TABLE more (id INTEGER)", ErrDamaged},
		{"version below none", "PRAGMA user_version = -5", ErrDamaged},
		{"version of none", "PRAGMA user_version = 0", ErrDamaged},
		{"version that is not its own", "PRAGMA user_version = 1", ErrDamaged},
		{"version to come", "PRAGMA user_version = 99", ErrNewer},
		{"file of another program", "PRAGMA application_id = 7", ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := Restore(dir, backupOf(t, c.sql)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			nothingIn(t, dir)
		})
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.TempDir(), empty); !errors.Is(err, ErrDamaged) {
		t.Errorf("empty file: %v", err)
	}
}

// TestOpenVersionBelowNone: a store in place with a number that no store has
// is damaged, and nothing worse.
func TestOpenVersionBelowNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Rename(backupOf(t, "PRAGMA user_version = -5"), filepath.Join(dir, FileName)); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(Config{Dir: dir}); err == nil {
		defer s.Close()
		if s.Stats().Trouble == "" {
			t.Error("opened")
		}
	}
}

func nothingIn(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// FuzzRestore puts bytes over a backup, or anything in its place: either it
// is refused and nothing is left behind, or what is in place is a store that
// verifies.
func FuzzRestore(f *testing.F) {
	good, err := os.ReadFile(backupOf(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{}, uint32(0))
	for _, at := range []uint32{16, 18, 20, 24, 28, 40, 44, 52, 56, 60, 64, 68, 92, 96, 100, 103, 105, 108, 4096, 4099, 8192, 40960} {
		f.Add(at, []byte{0xff, 0xff, 0xff, 0xff}, uint32(0))
		f.Add(at, []byte{0, 0, 0, 0}, uint32(0))
	}
	f.Add(uint32(60), binary.BigEndian.AppendUint32(nil, 0xfffffffb), uint32(0)) // user_version
	for _, end := range []uint32{1, 15, 100, 512, 4096, 65536, uint32(len(good)) - 1} {
		f.Add(uint32(0), []byte{}, end)
	}
	f.Add(uint32(0), []byte("SQLite format 3\x00"), uint32(16))
	f.Add(uint32(0), []byte("PK\x03\x04 no store at all"), uint32(22))
	f.Fuzz(func(t *testing.T, at uint32, put []byte, end uint32) {
		b := append([]byte{}, good...)
		copy(b[at%uint32(len(b)):], put)
		if end > 0 {
			b = b[:min(int(end), len(b))]
		}
		root := t.TempDir()
		file, dir := filepath.Join(root, "backup"), filepath.Join(root, "state")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(dir, file); err != nil {
			nothingIn(t, dir)
			return
		}
		if r, err := check(dir); err != nil {
			t.Errorf("restored, and then %v %+v", err, r)
		}
	})
}
