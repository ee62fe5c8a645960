package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/config"
)

// AlertmanagerConfig says which Alertmanagers are told, and how.
type AlertmanagerConfig struct {
	URLs   []string                `yaml:"urls"`                   // of every member of a cluster; none: nobody is told
	Labels map[string]string       `yaml:"alert_labels,omitempty"` // site, team: on every push
	HTTP   config.HTTPClientConfig `yaml:"http_config,omitempty"`  // basic_auth, authorization, tls_config, as Prometheus has them
}

var labelRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`) })

// Validate checks what can be checked without connecting.
func (c *AlertmanagerConfig) Validate() error {
	for _, s := range c.URLs {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("alertmanager URL %q: want http://host:port or https://host:port", s)
		}
	}
	for k := range c.Labels {
		switch {
		case !labelRule().MatchString(k):
			return fmt.Errorf("alert label %q is no label name", k)
		case k == "alertname" || k == "policy" || k == "device":
			return fmt.Errorf("alert label %q is picket's own", k)
		}
	}
	return c.HTTP.Validate()
}

// postable is an alert as POST /api/v2/alerts takes it.
type postable struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// errRefused means that Alertmanager will not take these alerts, however
// often they are sent.
var errRefused = errors.New("alertmanager refused the alerts")

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 10

// postTimeout bounds one POST.
const postTimeout = 10 * time.Second

// poster sends alerts to one Alertmanager.
type poster struct {
	client *http.Client
	url    string // of the API
	name   string // without credentials, for the log and for Told
}

func newPoster(client *http.Client, base string) (poster, error) {
	u, err := url.Parse(base)
	if err != nil {
		return poster{}, fmt.Errorf("alertmanager: %w", err)
	}
	return poster{client, strings.TrimSuffix(base, "/") + "/api/v2/alerts", u.Redacted()}, nil
}

// post sends a batch. Alertmanager takes the good alerts of a batch even when
// it answers 400 for a bad one.
func (p poster) post(ctx context.Context, batch []postable) error {
	body, err := json.Marshal(batch)
	if err != nil {
		return fmt.Errorf("alertmanager: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("alertmanager: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return err // names method and URL already
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %s: %s", errRefused, resp.Status, bytes.TrimSpace(answer))
	}
	return fmt.Errorf("alertmanager %s: %s", p.name, resp.Status)
}
