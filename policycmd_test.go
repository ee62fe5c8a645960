package main

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picket/evidence"
)

const policyFile = `
policies:
  - name: xiaomi-to-cn
    severity: page
    devices: {makers: [xiaomi]}
    restricted: {countries: [CN]}
    examples:
      - {name: firmware talks home, device: {maker: xiaomi}, server: {location: CN}, want: page}
      - {name: another maker, device: {maker: apple}, server: {location: CN}, want: nothing}
`

func policyCommand(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(&app{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}, append([]string{"policy"}, args...))
	return status, out.String(), errs.String()
}

func TestPolicyTest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "picket.yml")
	for text, want := range map[string]struct {
		status int
		says   string
	}{
		policyFile: {exitDone, "2 examples, 0 failed"},
		strings.Replace(policyFile, "want: nothing", "want: page", 1):      {exitFailed, "FAIL  another maker: nothing, want page (the device is apple)"},
		strings.Replace(policyFile, "severity: page", "severity: pgae", 1): {exitUsage, `picket.yml:4: severity "pgae" is not known; did you mean "page"?`},
		strings.Replace(policyFile, "want: nothing", "want: silence", 1):   {exitUsage, `outcome "silence" is not known`},
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, out, errs := policyCommand(t, "test", file)
		if status != want.status || !strings.Contains(out+errs, want.says) {
			t.Errorf("status %d, want %d and %q:\n%s%s", status, want.status, want.says, out, errs)
		}
	}
}

func TestPolicyTry(t *testing.T) {
	dir := t.TempDir()
	store, err := evidence.Open(evidence.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-24 * time.Hour)
	e := evidence.Episode{
		ID: "e-0123456789abcdef", Policy: "an-older-one", Severity: "observe", Condition: evidence.Sent, Device: "d-0123456789ab", Maker: "xiaomi", Class: "handset",
		Confidence: "certain", Sent: 5000, First: at, Last: at, Opened: at, Closed: at.Add(2 * time.Hour), CloseReason: "quiet",
		// The embedded database places this address in CN.
		Servers: []evidence.Server{{Addr: netip.MustParseAddrPort("202.96.209.5:443"), Name: "api.example.com", Sent: 5000, Flows: 1, First: at, Last: at, Plane: "web"}},
	}
	if err := store.SaveEpisode(e); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "picket.yml")
	if err := os.WriteFile(file, []byte(policyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := policyCommand(t, "try", file, "--last", "7d", "--state", dir)
	for _, want := range []string{"Over the 1 episodes stored", "xiaomi-to-cn would have paged 1 device", "d-0123456789ab"} {
		if status != exitDone || !strings.Contains(out, want) {
			t.Errorf("status %d, no %q:\n%s%s", status, want, out, errs)
		}
	}
	if status, _, errs := policyCommand(t, "try", file, "--state", filepath.Join(dir, "nowhere")); status != exitFailed || !strings.Contains(errs, "no store in") {
		t.Errorf("without a store: status %d, %s", status, errs)
	}
}
