package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestManPage(t *testing.T) {
	status, out, errs := classified("", "man")
	if status != exitDone || errs != "" {
		t.Fatalf("status %d, %s", status, errs)
	}
	for _, want := range []string{".TH PICKET 1", ".SS picket run", `\-\-interface`, `.SS picket geo update`, ".SH EXIT STATUS"} {
		if !strings.Contains(out, want) {
			t.Errorf("the manual page lacks %q", want)
		}
	}
	man, err := exec.LookPath("mandoc")
	if err != nil {
		return
	}
	lint := exec.Command(man, "-T", "lint", "-W", "error")
	lint.Stdin = strings.NewReader(out)
	if b, err := lint.CombinedOutput(); err != nil {
		t.Errorf("mandoc: %v\n%s", err, b)
	}
}

// TestCompletionBash asks bash itself what it would offer.
func TestCompletionBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is missing")
	}
	status, script, errs := classified("", "completion", "bash")
	if status != exitDone || errs != "" {
		t.Fatalf("status %d, %s", status, errs)
	}
	for typed, want := range map[string]string{
		"picket ge":              "geo",
		"picket geo up":          "update",
		"picket geo update --sh": "--sha256",
		"picket run --inter":     "--interface",
		"picket run -i eth1 --w": "--web.config.file",
	} {
		words := strings.Fields(typed)
		ask := script + "\nCOMP_WORDS=(" + typed + "); COMP_CWORD=" + string(rune('0'+len(words)-1)) + "; _picket; printf '%s\\n' \"${COMPREPLY[@]}\"\n"
		out, err := exec.Command(bash, "--norc", "-c", ask).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s<TAB>: %q (%v), want %s among it", typed, out, err, want)
		}
	}
}
