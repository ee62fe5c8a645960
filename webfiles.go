package main

import (
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// webFiles returns the files that the web configuration at path names:
// exporter-toolkit reads them anew for each connection.
func webFiles(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var web struct {
		TLS struct {
			Cert     string `yaml:"cert_file"`
			Key      string `yaml:"key_file"`
			ClientCA string `yaml:"client_ca_file"`
		} `yaml:"tls_server_config"`
	}
	if err := yaml.Unmarshal(b, &web); err != nil {
		return nil, err
	}
	var out []string
	for _, f := range []string{web.TLS.Cert, web.TLS.Key, web.TLS.ClientCA} {
		if f != "" && !filepath.IsAbs(f) { // as exporter-toolkit joins them
			f = filepath.Join(filepath.Dir(path), f)
		}
		if f != "" {
			out = append(out, f)
		}
	}
	return out, nil
}
