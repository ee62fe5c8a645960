package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"picket/geo"
)

// dataCmd brings data to sensors without internet.
type dataCmd struct {
	Import   dataImportCmd   `cmd:"" help:"Check a signed bundle, show what it changes, put it in place."`
	Status   dataStatusCmd   `cmd:"" help:"Show what was imported, and how old it is."`
	Rollback dataRollbackCmd `cmd:"" help:"Go back to the data before the last import."`
	Pack     dataPackCmd     `cmd:"" help:"Make a signed bundle of geo, signatures, operators, owners, groups, hidden."`
	Keygen   dataKeygenCmd   `cmd:"" help:"Make a key to sign bundles with, and its public half for the sensors."`
}

// Imported data are generations below STATE/data; the link current names the
// one in use and is replaced by rename.
const (
	dataCurrent  = "current"
	dataPrevious = "previous"
)

type dataImportCmd struct {
	Bundle   string   `arg:"" help:"Bundle made by picket data pack."`
	Key      string   `required:"" placeholder:"FILE" help:"Public key that the bundle must be signed with."`
	State    string   `placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"State directory."`
	DryRun   bool     `help:"Check and show the changes; put nothing in place."`
	Restrict []string `placeholder:"CN,RU" help:"Say also which servers would begin or cease to meet these countries."`
	Servers  string   `placeholder:"FILE" help:"Servers to compare, as for geo diff."`
}

// Run does everything that can fail before the one rename that takes effect.
func (c *dataImportCmd) Run(a *app) error {
	key, err := readPublicKey(c.Key)
	if err != nil {
		return usageError{err}
	}
	f, err := os.Open(c.Bundle)
	if err != nil {
		return fmt.Errorf("data import: %w", err)
	}
	defer f.Close()
	if err := openBundle(f, key); err != nil {
		return fmt.Errorf("data import: %s: %w", c.Bundle, err)
	}
	root := filepath.Join(c.State, "data")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("data import: %w", err)
	}
	staging, err := os.MkdirTemp(root, "generation-")
	if err != nil {
		return fmt.Errorf("data import: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			os.RemoveAll(staging)
		}
	}()
	if _, err := unpackBundle(f, staging); err != nil {
		return fmt.Errorf("data import: %s: %w", c.Bundle, err)
	}
	if err := os.Chmod(staging, 0o755); err != nil {
		return fmt.Errorf("data import: %w", err)
	}
	if err := c.compare(a, root, staging); err != nil {
		return fmt.Errorf("data import: %s: nothing was changed: %w", c.Bundle, err)
	}
	if c.DryRun {
		return nil
	}
	if err := c.activate(root, staging); err != nil {
		return fmt.Errorf("data import: nothing was changed: %w", err)
	}
	kept = true
	_, err = fmt.Fprintf(a.stdout, "%s: in place; `picket data rollback` goes back\n", c.Bundle)
	return err
}

// compare opens all of the new data and shows which places change.
func (c *dataImportCmd) compare(a *app, root, staging string) error {
	after, groups, err := openData(staging)
	if err != nil {
		return err
	}
	before, _, err := openData(filepath.Join(root, dataCurrent))
	if err != nil {
		fmt.Fprintln(a.stderr, "picket: the data in use cannot be opened, nothing to compare with:", err)
		return nil
	}
	set, err := geo.ParseCountrySet(c.Restrict, groups)
	if err != nil {
		return usageError{fmt.Errorf("--restrict: %w", err)}
	}
	servers, err := readServers(a.stdin, c.Servers)
	if err != nil {
		return err
	}
	changed, flips := 0, 0
	for _, q := range servers {
		d := compare(q, before, after, set)
		if d == nil {
			continue
		}
		if changed++; c.Servers != "" || changed <= 20 {
			if err := d.print(a, false); err != nil {
				return err
			}
		}
		if d.Flips {
			flips++
		}
	}
	_, err = fmt.Fprintf(a.stdout, "%d of %d servers change, %d of them begin or cease to meet the restriction\n", changed, len(servers), flips)
	return err
}

// activate lets current name staging and previous what it named before.
func (c *dataImportCmd) activate(root, staging string) error {
	old, err := os.Readlink(filepath.Join(root, dataCurrent))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	before, _ := os.Readlink(filepath.Join(root, dataPrevious))
	if err := relink(root, dataCurrent, filepath.Base(staging)); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	if err := relink(root, dataPrevious, old); err != nil {
		return errors.Join(err, relink(root, dataCurrent, old))
	}
	if before != "" && before != old && filepath.IsLocal(before) {
		return os.RemoveAll(filepath.Join(root, before)) // two generations are enough
	}
	return nil
}

// relink makes name a link to target, by rename.
func relink(root, name, target string) error {
	tmp := filepath.Join(root, "."+name+".new")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(root, name))
}

type dataRollbackCmd struct {
	State string `placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"State directory."`
}

// Run lets current and previous change places.
func (c *dataRollbackCmd) Run(a *app) error {
	root := filepath.Join(c.State, "data")
	before, err := os.Readlink(filepath.Join(root, dataPrevious))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("data rollback: there is no import before the present one")
	}
	if err != nil {
		return fmt.Errorf("data rollback: %w", err)
	}
	now, err := os.Readlink(filepath.Join(root, dataCurrent))
	if err == nil {
		err = relink(root, dataCurrent, before)
	}
	if err == nil {
		err = relink(root, dataPrevious, now)
	}
	if err != nil {
		return fmt.Errorf("data rollback: %w", err)
	}
	_, err = fmt.Fprintln(a.stdout, "back to the data before the last import")
	return err
}

type dataStatusCmd struct {
	State string `placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"State directory."`
	JSON  bool   `name:"json" help:"JSON lines."`
}

// dataLine is one part of the data in use.
type dataLine struct {
	Part    string    `json:"part"`
	From    string    `json:"from"` // imported, embedded
	Created time.Time `json:"created,omitzero"`
	AgeDays int       `json:"age_days,omitempty"`
}

// Run prints one line a part.
func (c *dataStatusCmd) Run(a *app) error {
	dir := importedData(c.State)
	var info bundleInfo
	if dir != "" {
		var err error
		if info, err = readManifest(dir); err != nil {
			return fmt.Errorf("data status: manifest.json: %w", err)
		}
	}
	for _, part := range bundleParts {
		l := dataLine{Part: part, From: "embedded"}
		if imports(dir, part) {
			l = dataLine{part, "imported", info.Created, int(time.Since(info.Created).Hours() / 24)}
		}
		switch {
		case c.JSON:
			if err := json.NewEncoder(a.stdout).Encode(l); err != nil {
				return err
			}
		case l.From == "imported":
			fmt.Fprintf(a.stdout, "%-11s imported, of %s, %d days old\n", part, l.Created.Format(time.DateOnly), l.AgeDays)
		default:
			fmt.Fprintf(a.stdout, "%-11s embedded\n", part)
		}
	}
	return nil
}

type dataPackCmd struct {
	Dir  string `arg:"" help:"Directory with any of geo, signatures, operators, owners, groups, hidden."`
	Key  string `required:"" placeholder:"FILE" help:"Private key of data keygen."`
	Out  string `short:"o" required:"" placeholder:"FILE" help:"Bundle to write."`
	Note string `help:"A word about it."`
}

// Run writes the bundle.
func (c *dataPackCmd) Run(a *app) error {
	seed, err := readKey(c.Key, ed25519.SeedSize)
	if err != nil {
		return usageError{err}
	}
	f, err := os.Create(c.Out)
	if err != nil {
		return fmt.Errorf("data pack: %w", err)
	}
	err = packBundle(f, c.Dir, ed25519.NewKeyFromSeed(seed), bundleInfo{time.Now().UTC().Truncate(time.Second), c.Note})
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(c.Out)
		return fmt.Errorf("data pack: %w", err)
	}
	return nil
}

type dataKeygenCmd struct {
	Out string `short:"o" required:"" placeholder:"FILE" help:"File for the private key; FILE.pub is for the sensors."`
}

// Run makes the pair; an existing key is never overwritten.
func (c *dataKeygenCmd) Run(a *app) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("data keygen: %w", err)
	}
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(private.Seed()))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("data keygen: %w", err)
	}
	return os.WriteFile(c.Out+".pub", []byte(base64.StdEncoding.EncodeToString(public)+"\n"), 0o644)
}

func readPublicKey(path string) (ed25519.PublicKey, error) {
	b, err := readKey(path, ed25519.PublicKeySize)
	return ed25519.PublicKey(b), err
}

func readKey(path string, size int) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(raw) != size {
		return nil, fmt.Errorf("key: %s: want %d bytes in base64", path, size)
	}
	return raw, nil
}
