package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// reproducible keys ids and hashes of runs that keep nothing: the same
// capture gives the same output every time. It protects nobody, which is
// why nothing that it keyed is kept.
const reproducible = "picket: nothing is kept"

const keySize = 32

// siteKey returns the secret that makes device ids and hashes of
// identifiers, made on first use and kept in dir. Without dir it is fixed.
func siteKey(dir string) ([]byte, error) {
	if dir == "" {
		return []byte(reproducible), nil
	}
	path := filepath.Join(dir, "site.key")
	key, err := os.ReadFile(path)
	if err == nil {
		if len(key) != keySize {
			return nil, fmt.Errorf("%s: %d bytes, want %d: device ids depend on it; restore it from a backup", path, len(key), keySize)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key = make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	return key, os.WriteFile(path, key, 0o600)
}

// adviceFile is where a running sensor notes which networks look like home,
// for `picket check` to show.
func adviceFile(state string) string { return filepath.Join(state, "home-networks.advice") }
