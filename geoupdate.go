package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"picket/configs"
	"picket/geo"
)

// maxDownload bounds a database; GeoIP2 Enterprise is about 500 MB.
const maxDownload = 2 << 30

// Run fetches the database, compares its checksum, opens it and every record
// of it, and only then puts it in the place of the old one by rename.
func (c *geoUpdateCmd) Run(a *app) error {
	if c.URL == "" && c.Config != "" {
		conf, err := configs.Load(c.Config)
		if err != nil {
			return usageError{err}
		}
		c.URL = conf.Geo.UpdateURL
	}
	if c.URL == "" {
		return usageError{errNoURL}
	}
	if err := secure(c.URL); err != nil {
		return usageError{err}
	}
	want := strings.ToLower(c.SHA256)
	if want == "" {
		sum, err := fetchChecksum(a.ctx, c.URL+".sha256")
		if err != nil {
			return fmt.Errorf("geo update: checksum: %w", err)
		}
		want = sum
	}
	tmp, err := os.CreateTemp(filepath.Dir(c.To), ".picket-geo-*"+filepath.Ext(c.To))
	if err != nil {
		return fmt.Errorf("geo update: %w", err)
	}
	defer os.Remove(tmp.Name()) // nothing is left of it once it was renamed
	got, err := download(a.ctx, c.URL, tmp)
	if err != nil {
		return fmt.Errorf("geo update: %w", err)
	}
	if got != want {
		return fmt.Errorf("geo update: %s: checksum %s, want %s; the old database stays", c.URL, got, want)
	}
	if err := c.admit(a, tmp.Name()); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return fmt.Errorf("geo update: %w", err)
	}
	if err := os.Rename(tmp.Name(), c.To); err != nil {
		return fmt.Errorf("geo update: %w", err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: replaced, sha256 %s\n", c.To, got)
	return err
}

// admit opens the new file and compares it with the one in use.
func (c *geoUpdateCmd) admit(a *app, fresh string) error {
	conf := geo.Config{Verify: true, Databases: []string{fresh}}
	if geo.IsBase(fresh) {
		conf = geo.Config{Base: fresh}
	}
	after, err := geo.New(conf)
	if err != nil {
		return fmt.Errorf("geo update: the old database stays: %w", err)
	}
	if !exists(c.To) {
		return nil
	}
	before, err := (&geoFlags{}).alone(c.To)
	if err != nil {
		fmt.Fprintln(a.stderr, "picket: the old database cannot be opened, nothing to compare with:", err)
		return nil
	}
	lost, changed, all := 0, 0, sampleServers()
	for _, q := range all {
		o, n := before.Judge(q), after.Judge(q)
		if o.Location != n.Location {
			changed++
		}
		if o.Location != "" && n.Location == "" && !o.Anycast {
			lost++
		}
	}
	fmt.Fprintf(a.stderr, "of %d addresses %d change country, %d lose it\n", len(all), changed, lost)
	if lost > len(all)/10 && !c.Yes {
		return fmt.Errorf("geo update: the new database knows far less than the old one, which stays; --yes to replace it all the same")
	}
	return nil
}

// secure wants https, but for addresses of this machine.
func secure(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("geo update: %w", err)
	}
	host := u.Hostname()
	if u.Scheme == "https" || u.Scheme == "http" && (host == "127.0.0.1" || host == "::1" || host == "localhost") {
		return nil
	}
	return fmt.Errorf("geo update: %s: want https", s)
}

// get asks for u; the body is the caller's to close.
func get(ctx context.Context, u string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: 30 * time.Minute, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return errors.New("too many redirects")
		}
		return secure(r.URL.String())
	}}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", u, resp.Status)
	}
	return resp.Body, nil
}

// fetchChecksum reads a file as sha256sum writes it.
func fetchChecksum(ctx context.Context, u string) (string, error) {
	body, err := get(ctx, u)
	if err != nil {
		return "", err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, 4096))
	if err != nil {
		return "", err
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if raw, err := hex.DecodeString(word); err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%s: no SHA-256 checksum", u)
	}
	return strings.ToLower(word), nil
}

// download writes what u holds to f, and closes it.
func download(ctx context.Context, u string, f *os.File) (string, error) {
	defer f.Close()
	body, err := get(ctx, u)
	if err != nil {
		return "", err
	}
	defer body.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(body, maxDownload+1))
	switch {
	case err != nil:
		return "", err
	case n > maxDownload:
		return "", fmt.Errorf("%s: more than %d bytes", u, int64(maxDownload))
	}
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(f.Sync(), f.Close())
}
