package main

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// runbookFiles are the pages that alerts link to.
//
//go:embed docs/runbooks/*.md
var runbookFiles embed.FS

// runbook is the page about an alert, or the list of all pages for "".
func runbook(alert string) ([]byte, error) {
	name := strings.TrimSuffix(alert, ".md")
	if name == "" {
		name = "README"
	}
	return runbookFiles.ReadFile(path.Join("docs/runbooks", name+".md"))
}

// runbookPages serves them below /runbooks/ as they are: a terminal and a
// phone show plain text alike.
func runbookPages() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := runbook(strings.TrimPrefix(r.URL.Path, "/runbooks/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(text) // the reader went away
	})
}

type runbookCmd struct {
	Alert string `arg:"" optional:"" help:"Name of the alert, as PicketSensorDown; without it, the list."`
}

// Run prints a page: what an alert says to do when no sensor serves pages.
func (c *runbookCmd) Run(a *app) error {
	text, err := runbook(c.Alert)
	if err != nil {
		return usageError{fmt.Errorf("no runbook %q; picket runbook lists them", c.Alert)}
	}
	_, err = a.stdout.Write(text)
	return err
}
