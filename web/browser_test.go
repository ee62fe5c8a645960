package web

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
)

// TestBrowser looks at every page with a real browser, over 100,000 devices;
// e2e/browser/pages.mjs says at what. Run by `make browser`.
func TestBrowser(t *testing.T) {
	if os.Getenv("PICKET_BROWSER") == "" {
		t.Skip("needs node, npm and Chromium: set PICKET_BROWSER=1")
	}
	server := httptest.NewServer(busySite(t, 100_000))
	defer server.Close()
	out, err := exec.Command("../e2e/browser/run", "pages.mjs", server.URL+"/").CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 77 {
		t.Skipf("%s", out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
