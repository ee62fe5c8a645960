package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// schedule is Hours made ready: a set of minutes of the week.
type schedule struct {
	days     [7]bool // by time.Weekday
	from, to time.Duration
	zone     *time.Location
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (h *Hours) compile() (*schedule, error) {
	s := &schedule{to: 24 * time.Hour, zone: time.UTC}
	var err error
	if h.From != "" {
		if s.from, err = clock(h.From); err != nil {
			return nil, err
		}
	}
	if h.To != "" {
		if s.to, err = clock(h.To); err != nil {
			return nil, err
		}
	}
	if s.from == s.to {
		return nil, fmt.Errorf("hours from %s to %s are no time at all", h.From, h.To)
	}
	if h.Timezone != "" {
		if s.zone, err = time.LoadLocation(h.Timezone); err != nil {
			return nil, fmt.Errorf("timezone %q is not known; want a name as Asia/Kolkata", h.Timezone)
		}
	}
	return s, s.setDays(h.Days)
}

func (s *schedule) setDays(days []string) error {
	if len(days) == 0 {
		s.days = [7]bool{true, true, true, true, true, true, true}
	}
	for _, d := range days {
		first, last, isRange := strings.Cut(d, "-")
		if !isRange {
			last = first
		}
		i, j := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if i < 0 || j < 0 {
			return fmt.Errorf("day %q: want one of %s, or a range as mon-fri", d, strings.Join(weekdays, " "))
		}
		for ; ; i = (i + 1) % 7 {
			s.days[i] = true
			if i == j {
				break
			}
		}
	}
	return nil
}

// clock reads a time of day; 24:00 is the end of it.
func clock(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("time of day %q: want hours and minutes, as 08:30", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// contains reports whether at is within the hours. Those over midnight
// belong to the day on which they begin.
func (s *schedule) contains(at time.Time) bool {
	if s == nil {
		return true
	}
	at = at.In(s.zone)
	day := at.Weekday()
	since := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute +
		time.Duration(at.Second())*time.Second + time.Duration(at.Nanosecond())
	if s.from < s.to {
		return s.days[day] && since >= s.from && since < s.to
	}
	if since >= s.from {
		return s.days[day]
	}
	return since < s.to && s.days[(day+6)%7]
}
