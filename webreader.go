package main

import (
	"net/http"
	"os"

	"github.com/goccy/go-yaml"
)

// provenReader says who asks, as the web configuration at path made the server
// prove it: the subject of a client's certificate that was verified, or the
// name of a user whose password was checked. A name that nobody checked is
// none.
func provenReader(path string) func(*http.Request) string {
	return func(r *http.Request) string {
		if user, _, ok := r.BasicAuth(); ok && hasUser(path, user) {
			return user
		}
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			return r.TLS.VerifiedChains[0][0].Subject.String()
		}
		return ""
	}
}

// hasUser reports whether the web configuration at path knows a user. The
// server reads it anew for each request as well.
func hasUser(path, user string) bool {
	if path == "" {
		return false
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var web struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if yaml.Unmarshal(b, &web) != nil {
		return false
	}
	_, known := web.Users[user]
	return known
}
