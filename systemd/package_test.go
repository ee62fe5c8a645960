package systemd

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPackageReproducible makes the package twice, from two directories, and
// compares the bytes. It takes minutes:
//
//	PICKET_PACKAGE=1 go test ./systemd -run Reproducible -v
func TestPackageReproducible(t *testing.T) {
	if os.Getenv("PICKET_PACKAGE") == "" {
		t.Skip("makes the package twice: set PICKET_PACKAGE=1")
	}
	archive := exec.Command("git", "archive", "HEAD") // once: the branch may move meanwhile
	archive.Dir = ".."
	tar, err := archive.Output()
	if err != nil {
		t.Fatal(err)
	}
	var sums [2][sha256.Size]byte
	for i := range sums {
		dir := t.TempDir()
		unpack := exec.Command("tar", "x", "-C", dir)
		unpack.Stdin = bytes.NewReader(tar)
		if out, err := unpack.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		make := exec.Command("systemd/package", "amd64", "0.0.0")
		make.Dir, make.Env = dir, append(os.Environ(), "SOURCE_DATE_EPOCH=1767225600", "GOFLAGS=-buildvcs=false")
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		deb, err := os.ReadFile(filepath.Join(dir, "dist", "picket_0.0.0_amd64.deb"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = sha256.Sum256(deb)
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %x, %x", sums[0], sums[1])
	}
}
