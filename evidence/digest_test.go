package evidence

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// TestDigestsSayWhatRowsSay: whatever is asked, digests give what the rows
// gave, and a day that changes is read anew.
func TestDigestsSayWhatRowsSay(t *testing.T) {
	s := open(t, t.TempDir())
	r := rand.New(rand.NewPCG(3, 4))
	count := func(day int) {
		for range 20 {
			s.Count(Residence{
				Maker: []string{"xiaomi", "vivo", ""}[r.IntN(3)], Class: []string{"handset", "tablet"}[r.IntN(2)], Location: []string{"CN", "SG", ""}[r.IntN(3)],
				Registration: "CN", OperatorHome: "US", OwnerHome: "CN", Operator: fmt.Sprint(r.IntN(5)),
			}, Flow{At: noon.AddDate(0, 0, -day), Device: r.Uint32N(200), Sent: uint64(r.IntN(1e6)), Flows: 1})
		}
	}
	for day := range 80 {
		if day%11 != 3 {
			count(day)
		}
	}
	ask := func() (out [][]Cell) {
		for _, q := range []ResidencyQuery{
			{Basis: "location"}, {Basis: "location", Daily: true}, {Basis: "owner", Maker: "xiaomi", Daily: true}, {Basis: "location", Class: "tablet"},
			{Basis: "location", Daily: true, Weekly: true}, {Basis: "registration", Maker: "nobody"}, {Basis: "elsewhere"},
		} {
			for _, days := range []int{1, 6, 30, 90} {
				q.Period = Period{noon.AddDate(0, 0, -days), noon.AddDate(0, 0, -days/20)}
				cells, err := s.Residency(q)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, cells)
			}
		}
		return out
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	plain := ask()
	if n, err := s.Digest(noon); err != nil || n < 200 {
		t.Fatalf("%d digests, %v", n, err)
	}
	if n, err := s.Digest(noon); err != nil || n != 0 {
		t.Errorf("%d digests made again, %v", n, err)
	}
	if digested := ask(); !reflect.DeepEqual(digested, plain) {
		t.Error("digests say something else than rows")
	}
	count(40)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	late := ask()
	if reflect.DeepEqual(late, plain) {
		t.Error("what came late is not there")
	}
	if n, err := s.Digest(noon); err != nil || n != 8 { // a day and its week, by four bases
		t.Errorf("%d digests for one day that changed, %v", n, err)
	}
	if again := ask(); !reflect.DeepEqual(again, late) {
		t.Error("digests made anew say something else than rows")
	}
}

func TestWeekOf(t *testing.T) {
	for day, want := range map[string]string{"2026-05-11": "2026-05-11", "2026-05-17": "2026-05-11", "2026-05-18": "2026-05-18", "1969-12-29": "1969-12-29", "1970-01-01": "1969-12-29"} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := Day(weekOf(dayOf(at))).Format(time.DateOnly); got != want {
			t.Errorf("week of %s begins %s, want %s", day, got, want)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack([]digestCell{{1, 2, 3, flowSum{sent: 9, devices: sketch{0, 0, 0, 1}}}}))
	f.Fuzz(func(t *testing.T, b []byte) { unpack(b, func(*digestCell) {}) })
}
