package fleet

import (
	"testing"
	"time"
)

// What was long on its way does not look like a clock that is off; a clock
// that is off does not look right for having been long on its way.
func TestSkewIsThatOfTheQuickestMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		skew   time.Duration
		delays []time.Duration
	}{
		"right, and late now": {0, []time.Duration{5 * time.Millisecond, 4 * time.Second, 9 * time.Second, 3 * time.Second}},
		"ahead, and late now": {5 * time.Second, []time.Duration{5 * time.Millisecond, 5 * time.Second, 5 * time.Second}},
		"behind":              {-5 * time.Second, []time.Duration{5 * time.Millisecond, 7 * time.Millisecond}},
	} {
		var h heardOf
		now := start
		for _, d := range tc.delays {
			now = now.Add(healthEvery)
			h.take(Health{At: now.Add(tc.skew)}, now.Add(d), true)
		}
		got, known := h.skew()
		if !known || (got-tc.skew).Abs() > 10*time.Millisecond {
			t.Errorf("%s: skew %s, known %v; want %s", name, got, known, tc.skew)
		}
	}
}

func TestWhoseClockIsOffIsNotBelieved(t *testing.T) {
	n := aloneNode(t, Config{})
	for name, skew := range map[string]time.Duration{"right": 0, "off": 3 * time.Second, "behind": -3 * time.Second} {
		h := &heardOf{}
		h.take(Health{Name: name, At: n.now().Add(skew)}, n.now(), true)
		n.sensors[name] = h
		why := n.distrust(&Message{Source: name, Key: n.key})
		if (why == "") != (skew == 0) {
			t.Errorf("%s: %q", name, why)
		}
	}
	if n.distrust(&Message{Source: "right", Key: "other"}) == "" || n.distrust(&Message{Source: "unheard", Key: n.key}) == "" {
		t.Error("another key, or an unknown clock, is believed")
	}
}
