package alerts

import (
	"testing"
	"time"

	"picket/sensor/handset"
)

// TestIdentifiedAfterQuiet: an episode whose last byte is older than quiet
// when the verdict comes stands for as long as any other, so that a scrape
// sees it.
func TestIdentifiedAfterQuiet(t *testing.T) {
	w := newWorld(t, worldConfig{})
	w.send(phone(dev, "", handset.None), inCN, start, 5000)
	at := w.pass(start, 5*time.Hour)
	w.verdict(phone(dev, "xiaomi", handset.Certain), at)
	at = w.pass(at, 2*time.Hour-time.Minute)
	if n := len(w.judge.Open()); n != 1 {
		t.Fatalf("%d episodes open before quiet has passed", n)
	}
	w.pass(at, 2*time.Minute)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 5000", "resolved page xiaomi-to-cn d-0123456789ab 5000: quiet")
}
