package evidence

import (
	"testing"
)

// What the sensor was told to keep is what a command tells the person who
// asks, also after a reload.
func TestCommandsKnowTheRetention(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir, Retention: Retention{Devices: 7 * days, Verdicts: 14 * days}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Expire(noon); err != nil {
		t.Fatal(err)
	}
	want := Retention{Devices: 7 * days, Verdicts: 14 * days}.filled()
	check := func() {
		t.Helper()
		c, err := OpenExisting(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.Retention(); got != want || s.Retention() != want {
			t.Errorf("command %+v, sensor %+v\nwant    %+v", got, s.Retention(), want)
		}
	}
	check()
	want.Devices = 3 * days
	s.SetRetention(want)
	if err := s.Expire(noon); err != nil {
		t.Fatal(err)
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
