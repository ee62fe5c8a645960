package compact

import (
	"net/netip"
	"reflect"
	"testing"
)

type whole struct {
	Name   string
	None   string
	N      int
	Less   int64
	Small  uint8
	On     bool
	Share  float64
	Words  []string
	Parts  []part
	By     map[string][]string
	Prefix netip.Prefix
	Line   lined
}

type part struct {
	A, B string
	Sub  []part
}

type lined struct{ s string }

func (l lined) MarshalText() ([]byte, error)    { return []byte(l.s), nil }
func (l *lined) UnmarshalString(s string) error { l.s = s; return nil }

func example() whole {
	return whole{Name: "é", N: -70000, Less: 1 << 40, Small: 255, On: true, Share: 0.25, Words: []string{"", "b"},
		Parts:  []part{{A: "x"}, {}, {B: "y", Sub: []part{{A: "z"}}}},
		By:     map[string][]string{"k": {"1", "2"}, "": nil},
		Prefix: netip.MustParsePrefix("10.0.0.0/8"), Line: lined{"3:text"}}
}

func TestRoundTrip(t *testing.T) {
	want := example()
	b, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got whole
	if err := Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
	again, err := Marshal(got)
	if err != nil || string(again) != string(b) {
		t.Errorf("other bytes: %v", err)
	}
	for n := range b {
		if Unmarshal(b[:n], new(whole)) == nil {
			t.Errorf("the first %d of %d bytes are read", n, len(b))
		}
	}
	if Unmarshal(append(b, 0), new(whole)) == nil {
		t.Error("one byte more is read")
	}
}

func TestOtherTypesAreRefused(t *testing.T) {
	for _, v := range []any{make(chan int), map[int]string{1: ""}, struct{ F func() }{func() {}}} {
		if _, err := Marshal(v); err == nil {
			t.Errorf("%T is written", v)
		}
	}
	if Unmarshal([]byte{1}, new(struct{ C chan int })) == nil || Unmarshal([]byte{1, 0}, new(struct{ hidden int })) == nil {
		t.Error("read into what cannot hold it")
	}
}

func FuzzUnmarshal(f *testing.F) {
	b, _ := Marshal(example())
	f.Add(b)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v whole
		if Unmarshal(b, &v) != nil {
			return
		}
		if _, err := Marshal(v); err != nil {
			t.Error(err)
		}
	})
}
