package alerts

import (
	"time"

	"picket/evidence"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// Concern says whether any of the rules concerns a device, and the names of
// those that do: what may be kept of it hangs on that. A device that a rule
// prohibits is concerned; one whose maker a rule names, and whose proof is
// not enough, is for review. Everybody else is one of a crowd.
func Concern(rules []*Rule, v *device.View, now time.Time) (evidence.Concern, []string) {
	concern, names := evidence.NoConcern, []string{}
	for _, r := range rules {
		standing, _ := r.Standing(v, now)
		switch {
		case standing == Prohibited:
			concern = evidence.Prohibited
		case standing == Undecided && v != nil && v.Verdict.Confidence >= handset.Likely && r.names(v.Verdict):
			if concern == evidence.NoConcern {
				concern = evidence.Review
			}
		default:
			continue
		}
		names = append(names, r.Policy.Name)
	}
	return concern, names
}
