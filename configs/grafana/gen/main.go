// Gen writes the Grafana dashboards and their provisioning files:
//
//	go run ./configs/grafana/gen -dir configs/grafana
//
// They are fed from the metric definitions of the exporter, so that a panel
// cannot name a metric that nobody exports.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", "configs/grafana", "where to write")
	flag.Parse()
	files, err := Files()
	if err == nil {
		err = write(*dir, files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(dir string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Files returns every generated file by its path below configs/grafana.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{
		"provisioning/dashboards/picket.yml":  []byte(dashboardProvider),
		"provisioning/datasources/picket.yml": []byte(datasourceProvider),
	}
	for _, d := range dashboards() {
		b, err := json.MarshalIndent(d.lay(), "", "  ")
		if err != nil {
			return nil, err
		}
		files["dashboards/"+d.uid+".json"] = append(b, '\n')
	}
	return files, nil
}

const dashboardProvider = `# Written by configs/grafana/gen.
apiVersion: 1
providers:
  - name: picket
    folder: picket
    type: file
    allowUiUpdates: false
    options:
      path: /var/lib/grafana/dashboards/picket
`

const datasourceProvider = `# Written by configs/grafana/gen. The Prometheus that scrapes picket.
apiVersion: 1
datasources:
  - name: Prometheus
    type: prometheus
    access: proxy
    url: http://127.0.0.1:9090
    isDefault: true
`
