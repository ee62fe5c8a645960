package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A bundle is a line with the magic, a line with the signature in base64, and
// a gzipped tar. The signature is Ed25519ph (RFC 8032, section 5.1) with the
// context below over all bytes after the second line.
const (
	bundleMagic   = "picket-data 1"
	bundleContext = "picket-data 1"

	maxBundle      = 1 << 30 // bytes, packed
	maxBundleBytes = 2 << 30 // bytes, unpacked
	maxBundleFiles = 10_000
)

// bundleParts are the directories that a bundle may hold, named as in configs.
var bundleParts = []string{"geo", "signatures", "operators", "owners", "groups", "hidden"}

var (
	errNoBundle  = errors.New("not a data bundle")
	errSignature = errors.New("signature does not fit: the bundle was made with another key, or changed on its way")
)

// bundleInfo is the first file of a bundle, manifest.json.
type bundleInfo struct {
	Created time.Time `json:"created"`
	Note    string    `json:"note,omitempty"`
}

// packBundle writes a signed bundle of the parts that dir has.
func packBundle(w io.Writer, dir string, key ed25519.PrivateKey, info bundleInfo) error {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	t := tar.NewWriter(z)
	head, err := json.Marshal(info)
	if err != nil {
		return err
	}
	if err := addFile(t, "manifest.json", head, info.Created); err != nil {
		return err
	}
	n := 0
	for _, part := range bundleParts {
		err := filepath.WalkDir(filepath.Join(dir, part), func(p string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			n++
			return addFile(t, filepath.ToSlash(rel), b, info.Created)
		})
		if err != nil {
			return err
		}
	}
	if n == 0 {
		return fmt.Errorf("%s holds none of %s", dir, strings.Join(bundleParts, ", "))
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return err
	}
	sum := sha512.Sum512(body.Bytes())
	sig, err := key.Sign(nil, sum[:], &ed25519.Options{Hash: crypto.SHA512, Context: bundleContext})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%s\n%s\n", bundleMagic, base64.StdEncoding.EncodeToString(sig)); err != nil {
		return err
	}
	_, err = body.WriteTo(w)
	return err
}

func addFile(t *tar.Writer, name string, b []byte, at time.Time) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(b)), ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := t.Write(b)
	return err
}

// openBundle checks the signature of the bundle in f before anything of it is
// read, and leaves f at the body.
func openBundle(f io.ReadSeeker, key ed25519.PublicKey) error {
	r := bufio.NewReader(io.LimitReader(f, maxBundle+1))
	magic, err1 := readLine(r)
	line, err2 := readLine(r)
	sig, err3 := base64.StdEncoding.DecodeString(line)
	if errors.Join(err1, err2, err3) != nil || magic != bundleMagic || len(sig) != ed25519.SignatureSize {
		return errNoBundle
	}
	sum := sha512.New()
	n, err := io.Copy(sum, r)
	if err != nil {
		return err
	}
	if n > maxBundle {
		return fmt.Errorf("more than %d bytes", maxBundle)
	}
	if ed25519.VerifyWithOptions(key, sum.Sum(nil), sig, &ed25519.Options{Hash: crypto.SHA512, Context: bundleContext}) != nil {
		return errSignature
	}
	_, err = f.Seek(int64(len(magic)+len(line)+2), io.SeekStart)
	return err
}

// readLine reads a short line without its end.
func readLine(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	if err != nil || len(b) > 256 {
		return "", errNoBundle
	}
	return string(b[:len(b)-1]), nil
}

// unpackBundle writes the body of a bundle below dir.
func unpackBundle(body io.Reader, dir string) (info bundleInfo, err error) {
	z, err := gzip.NewReader(body)
	if err != nil {
		return info, err
	}
	t := tar.NewReader(io.LimitReader(z, maxBundleBytes))
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return info, nil
		}
		if err != nil {
			return info, err
		}
		if n > maxBundleFiles || !allowedInBundle(h) {
			return info, fmt.Errorf("%q has no place in a bundle", h.Name)
		}
		if err := writeEntry(dir, h.Name, t); err != nil {
			return info, err
		}
		if h.Name == "manifest.json" {
			b, err := os.ReadFile(filepath.Join(dir, h.Name))
			if err == nil {
				err = json.Unmarshal(b, &info)
			}
			if err != nil {
				return info, fmt.Errorf("manifest.json: %w", err)
			}
		}
	}
}

// allowedInBundle admits plain files inside the known parts.
func allowedInBundle(h *tar.Header) bool {
	if h.Typeflag != tar.TypeReg || path.Clean(h.Name) != h.Name || !filepath.IsLocal(h.Name) {
		return false
	}
	part, _, inside := strings.Cut(h.Name, "/")
	return h.Name == "manifest.json" || inside && slices.Contains(bundleParts, part)
}

func writeEntry(dir, name string, r io.Reader) error {
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}
