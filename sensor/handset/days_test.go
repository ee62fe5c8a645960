package handset

import (
	"testing"
	"time"
)

// TestMidnightIsNoSecondDay: what is said must not hang on the hour at which
// somebody came by; sights on two days do say more.
func TestMidnightIsNoSecondDay(t *testing.T) {
	s := shipped(t)
	said := func(start time.Duration, apart ...time.Duration) float64 {
		var list []Evidence
		for _, a := range apart {
			for _, name := range []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net"} {
				list = append(list, Evidence{At: time.Unix(1700000000, 0).Add(start + a), Family: "dns", Field: "qname", Value: name})
			}
		}
		v := judge(s, Network{}, list)
		return v.Posterior
	}
	visit := said(0, 0)
	for hour := range 24 {
		start := time.Duration(hour) * time.Hour
		if got := said(start, 0, 90*time.Minute); got != visit {
			t.Errorf("a visit of 90 minutes, %d hours on: %.6f, want %.6f", hour, got, visit)
		}
		if got := said(start, 0, 24*time.Hour); got <= visit {
			t.Errorf("two days, %d hours on: %.6f, want more than %.6f", hour, got, visit)
		}
		if two, three := said(start, 0, 24*time.Hour), said(start, 0, 24*time.Hour, 48*time.Hour); three <= two {
			t.Errorf("three days, %d hours on: %.6f, want more than %.6f", hour, three, two)
		}
	}
}
