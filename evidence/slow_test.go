package evidence

import (
	"context"
	"database/sql"
	"runtime"
	"testing"
	"time"
)

// TestSlowDisk holds the file while an episode is announced: whoever saves it
// is not held up, it is counted, and it is there when the disk takes it.
func TestSlowDisk(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir, Patience: 10 * time.Millisecond, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	for !s.running.Load() {
		runtime.Gosched()
	}
	other, err := sql.Open("sqlite", s.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveEpisode(episode("e-0000000000000001", "d-000000000001")); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Late != 1 || st.Waiting == 0 {
		t.Errorf("%d episodes late, %d rows waiting; want 1 late, and it waits", st.Late, st.Waiting)
	}
	if e, ok, err := s.Episode("e-0000000000000001"); !ok || err != nil || e.Sent == 0 {
		t.Errorf("what waits cannot be seen: %v", err)
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the last batch: %v", err)
	}
	if st := s.Stats(); st.Waiting != 0 || st.Trouble != "" || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

// TestManyDevicesInPortions: an episode does not wait for all devices, and
// none of them is lost.
func TestManyDevicesInPortions(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 3*devicesAtOnce + 7 {
		s.SaveDevice(benchDevice(i))
	}
	if more, err := s.flushSome(); !more || err != nil {
		t.Fatalf("more %t, %v; want more to come", more, err)
	}
	if st := s.Stats(); st.Waiting < devicesAtOnce || st.Waiting > 2*devicesAtOnce+7 {
		t.Errorf("%d rows wait", st.Waiting)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Devices(DeviceQuery{}); err != nil || p.Total != 3*devicesAtOnce+7 {
		t.Errorf("%d devices, %v", p.Total, err)
	}
}
