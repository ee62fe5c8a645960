package alerts

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAuthentication(t *testing.T) {
	for conf, want := range map[string]string{
		"http_config: {basic_auth: {username: picket, password: secret}}":                    "Basic cGlja2V0OnNlY3JldA==",
		"http_config: {authorization: {type: Bearer, credentials: tok}}":                     "Bearer tok",
		"alert_labels: {site: north}":                                                        "",
		"http_config: {tls_config: {insecure_skip_verify: true}, basic_auth: {username: a}}": "Basic YTo=",
	} {
		var c AlertmanagerConfig
		if err := decodeYAML(conf, &c); err != nil {
			t.Errorf("%s: %v", conf, err)
			continue
		}
		var got string
		s := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
		c.URLs = []string{s.URL}
		if !strings.Contains(conf, "tls_config") {
			c.HTTP.TLSConfig.InsecureSkipVerify = true
		}
		n, err := NewNotifier(NotifierConfig{Alertmanager: c})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.to.posters[0].post(context.Background(), []postable{{}}); err != nil || got != want {
			t.Errorf("%s: Authorization %q, want %q (%v)", conf, got, want, err)
		}
		s.Close()
	}
}

func TestAlertmanagerMistakes(t *testing.T) {
	for conf, want := range map[string]string{
		"urls: [localhost:9093]":                   "want http://host:port",
		"alert_labels: {device: x}":                "picket's own",
		"alert_labels: {a-b: x}":                   "no label name",
		"http_config: {basic_auht: {username: a}}": "basic_auht",
		"http_config: {basic_auth: {username: a}, authorization: {credentials: b}}": "at most one of",
		"url: [http://a]": `unknown field "url"`,
	} {
		var c AlertmanagerConfig
		err := decodeYAML(conf, &c)
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", conf, err, want)
		}
	}
}
