package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestScreenshots shows Alertmanager's page with alerts that picket pushed,
// for a person to look at: PICKET_SHOTS names the directory, and
// PICKET_ALERTMANAGER_UI the one with Alertmanager's pages, which Debian's
// package lacks.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("PICKET_SHOTS")
	if dir == "" {
		t.Skip("set PICKET_SHOTS to a directory")
	}
	need(t, "chromium")
	c := newCampus(t)
	desk := c.openDesk("1s")
	c.listen("-c", c.config(true, oneKilobyteToCN), "--web.external-url", sensorURL)
	phone := c.redmi()
	phone.upload("data.mistat.xiaomi.com", 20_000)
	phone.upload("tracking.miui.com", 3_000)
	p := desk.wait("page", func(p page) bool { return p.Status == "firing" })
	c.shoot(managerURL+"/#/alerts", filepath.Join(dir, "alertmanager.png"))
	c.shoot(managerURL+"/#/alerts?filter=%7Bdevice%3D%22"+p.Labels["device"]+"%22%7D", filepath.Join(dir, "alertmanager-device.png"))
	c.shoot(p.Annotations["evidence"], filepath.Join(dir, "evidence.png"))
	c.shoot(p.Annotations["runbook_url"], filepath.Join(dir, "runbook.png"))
}

// shoot photographs a page as a browser on the gateway shows it.
func (c *campus) shoot(url, file string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	out, err := c.gw.Command(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,1400", "--virtual-time-budget=8000",
		"--user-data-dir="+filepath.Join(c.dir, "chromium"), "--screenshot="+file, url).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v: %s", url, err, out)
	}
}
