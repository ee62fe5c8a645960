package alerts

import (
	"reflect"
	"testing"
	"time"

	"picket/evidence"
)

func TestKeptOutbox(t *testing.T) {
	s, err := evidence.Open(evidence.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := Kept{s}
	at := time.Date(2026, 5, 12, 12, 0, 0, 0, time.UTC)
	want := []Alert{}
	for _, key := range []string{"a", "b", "c"} {
		a := Alert{Key: key, Episode: "e-1", Labels: map[string]string{"policy": "p"}, Annotations: map[string]string{"summary": "s"}, StartsAt: at,
			Told: map[string]Told{"http://am": {Fired: at}}}
		if err := k.PutAlert(a); err != nil {
			t.Fatal(err)
		}
		want = append(want, a)
	}
	if err := k.DeleteAlert("b"); err != nil {
		t.Fatal(err)
	}
	got, err := k.Alerts("", 10)
	if err != nil || !reflect.DeepEqual(got, []Alert{want[0], want[2]}) {
		t.Errorf("got %+v (%v)", got, err)
	}
	if got, err = k.Alerts("a", 10); err != nil || len(got) != 1 || got[0].Key != "c" {
		t.Errorf("after a: %+v (%v)", got, err)
	}
}
