package main

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"picket/configs"
	"picket/fleet"
)

// TestConfinedFleet confines a child: the embedded server moves files from
// one of its directories to another, and secrets are read at every connection.
func TestConfinedFleet(t *testing.T) {
	const variable = "PICKET_TEST_CONFINED_FLEET"
	if dir := os.Getenv(variable); dir != "" {
		confinedFleet(t, dir)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestConfinedFleet$", "-test.v")
	child.Env = append(os.Environ(), variable+"="+t.TempDir())
	out, err := child.CombinedOutput()
	if bytes.Contains(out, []byte("no Landlock here")) {
		t.Skip("the kernel has no Landlock that lets files move")
	}
	if err != nil {
		t.Errorf("confined child: %v\n%s", err, out)
	}
}

func confinedFleet(t *testing.T, dir string) {
	state, secret := filepath.Join(dir, "state"), filepath.Join(dir, "secrets", "fleet.secret")
	from, to := filepath.Join(state, fleet.Directory, "a"), filepath.Join(state, fleet.Directory, "b")
	for _, d := range []string{from, to, filepath.Dir(secret)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{secret, filepath.Join(from, "1.blk")} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := configs.Defaults()
	c.Fleet = fleet.Config{Mode: fleet.Embedded, Name: "a", SecretFile: secret}
	var logged bytes.Buffer
	confine(confinementOf(c, state, false), slog.New(slog.NewTextHandler(&logged, nil)))
	if strings.Contains(logged.String(), "Landlock") {
		t.Skip("no Landlock here")
	}
	if err := os.Rename(filepath.Join(from, "1.blk"), filepath.Join(to, "1.blk")); err != nil {
		t.Errorf("as JetStream does with its blocks: %v", err)
	}
	if _, err := os.ReadFile(secret); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets", "new"), nil, 0o600); err == nil {
		t.Error("writes beside the secret")
	}
}

func TestAReloadNamesTheFleet(t *testing.T) {
	a, b := configs.Defaults(), configs.Defaults()
	a.Fleet = fleet.Config{Mode: fleet.URL, Name: "a", URLs: []string{"nats://h:1"}, SecretFile: "s", TLS: fleet.TLS{CA: "ca.pem"}}
	b.Fleet = a.Fleet
	b.Fleet.URLs = []string{"nats://h:1"}
	if what := needsRestart(a, b); len(what) != 0 {
		t.Errorf("nothing changed, and %q needs a restart", what)
	}
	b.Fleet.Share = []string{"default"}
	if what := needsRestart(a, b); !slices.Equal(what, []string{"fleet"}) {
		t.Errorf("%q need a restart, want fleet", what)
	}
	if files := filesOf(a); !slices.Contains(files, "s") || !slices.Contains(files, "ca.pem") {
		t.Errorf("read while it runs: %q", files)
	}
}
