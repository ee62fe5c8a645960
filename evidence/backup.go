package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes the whole store into a new file while it is in use. The
// chain notes it.
func (s *Store) Backup(file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("backup %s: %w", file, err)
	}
	s.Note(s.c.Now(), KindAccess, "", map[string]string{"event": "backup"})
	if err := s.Flush(); err != nil {
		return err
	}
	// SQLite leaves the modes of a file that is there, and empty, as they are.
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	db, err := s.connect(1, "_txlock=deferred") // its own: readers and the writer go on
	if err == nil {
		_, err = db.Exec("VACUUM INTO ?", file)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		_ = os.Remove(file) // it is not whole
		return fmt.Errorf("backup %s: %w", file, named(err))
	}
	return nil
}

// Restore puts a backup into a state directory that has no store, so that a
// rebuilt sensor goes on with the same chain. Of the backup schema, pages and
// chain are verified first.
func Restore(dir, backup string) (Report, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Report{}, fmt.Errorf("restore: %w", err)
	}
	target := filepath.Join(dir, FileName)
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return Report{}, fmt.Errorf("restore: %s: %w; move it away first", target, err)
	}
	tmp, err := os.MkdirTemp(dir, "restore-")
	if err != nil {
		return Report{}, fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := copyFile(filepath.Join(tmp, FileName), backup); err != nil {
		return Report{}, fmt.Errorf("restore: %w", err)
	}
	if err := examine(filepath.Join(tmp, FileName)); err != nil {
		return Report{}, fmt.Errorf("restore: %s: %w", backup, err)
	}
	r, err := check(tmp)
	if err != nil {
		return r, fmt.Errorf("restore: %s: %w", backup, err)
	}
	if err := os.Rename(filepath.Join(tmp, FileName), target); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	return r, nil
}

// check opens, verifies and closes a store.
func check(dir string) (Report, error) {
	s, err := OpenExisting(dir)
	if err != nil {
		return Report{}, err
	}
	r, err := s.Verify()
	if err == nil && len(r.Faults) > 0 {
		err = fmt.Errorf("the chain does not verify: %s", r.Faults[0])
	}
	return r, errors.Join(err, s.Close())
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return errors.Join(out.Sync(), out.Close())
}
