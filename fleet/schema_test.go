package fleet

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b)
}

// What schema 2 added is read as it was when it was new, and written so by
// this one, but for its number.
func TestSchema2(t *testing.T) {
	m, err := decode(golden(t, "schema-2-batch.json"))
	if err != nil {
		t.Fatal(err)
	}
	list := m.devices()
	if len(list) != 2 || list[0].Kind != KindDevice || list[0].Source != "access" || list[0].Scope != "default" || list[0].Gone || !list[1].Gone {
		t.Errorf("read as %+v", list)
	}
	if h := read(list[0]); h.bad || h.body.Record.ID != "d-0123456789ab" {
		t.Errorf("record %+v", h.body.Record)
	}
	e, err := decode(golden(t, "schema-2-episode.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := partOf(e)
	if p == nil || !p.Shared || len(p.Episode.Flows) != 1 || p.Episode.Flows[0].Received != 4000 {
		t.Fatalf("part %+v", p)
	}
	for _, m := range []*Message{m, e} {
		again, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if want := golden(t, map[Kind]string{KindBatch: "schema-2-batch.json", KindEpisode: "schema-2-episode.json"}[m.Kind]); m.Kind == KindBatch && !bytes.Equal(again, bytes.Replace(want, []byte(`"schema":2`), []byte(`"schema":3`), 1)) {
			t.Errorf("written as\n%s\nwant\n%s", again, want)
		}
	}
}

// What schema 3 added is read as it was when it was new, and written so.
func TestSchema3(t *testing.T) {
	want := golden(t, "schema-3-partial.json")
	m, err := decode(want)
	if err != nil {
		t.Fatal(err)
	}
	p := partialOf(m)
	if p == nil || p.Device != "d-0123456789ab" || len(p.Bytes) != 2 || p.Bytes[1].Sent != 120 {
		t.Fatalf("read as %+v", p)
	}
	if again, err := encode(m); err != nil || !bytes.Equal(again, want) {
		t.Errorf("written as\n%s\nwant\n%s", again, want)
	}
	for n := range want {
		if _, err := decode(want[:n]); err == nil {
			t.Fatalf("first %d bytes: read", n)
		}
	}
}

// A sensor of schema 2 neither asks for partials nor takes one: it is told
// that it could not read it. Its episodes are read, and ours by it.
func TestWhatASensorOfSchema2Is(t *testing.T) {
	var head struct{ Schema, Readable int }
	if err := json.Unmarshal(golden(t, "schema-3-partial.json"), &head); err != nil || head.Readable <= 2 {
		t.Errorf("%+v: a reader of schema 2 would take it", head)
	}
	old, err := decode(golden(t, "schema-2-episode.json"))
	if err != nil {
		t.Fatal(err)
	}
	if p := partOf(old); p == nil || p.Episode.SumOf != nil {
		t.Errorf("read as %+v", p)
	}
}

// A sensor of schema 1 reads episodes of this build, and not what it could
// not understand: that is what readable tells it.
func TestWhatAReaderOfSchema1IsTold(t *testing.T) {
	for kind, want := range map[Kind]int{KindDevice: 1, KindEpisode: 1, KindEvent: 1, KindBatch: 2, KindForget: 2, KindPartial: 3} {
		b, err := encode(&Message{Source: "s", Kind: kind, ID: "x", Version: 1, At: time.Unix(1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		var head struct{ Schema, Readable int }
		if err := json.Unmarshal(b, &head); err != nil || head.Readable != want || head.Schema != Schema {
			t.Errorf("%s: %+v, want readable by %d", kind, head, want)
		}
	}
}

func TestPackedMessages(t *testing.T) {
	p, err := newPacker()
	if err != nil {
		t.Fatal(err)
	}
	m, err := decode(golden(t, "schema-2-batch.json"))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := p.encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.decode(packed); err != nil || len(got.Items) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range packed {
		if _, err := p.decode(packed[:n]); err == nil {
			t.Fatalf("first %d bytes: read", n)
		}
	}
	bomb := p.enc.EncodeAll(bytes.Repeat([]byte{' '}, maxUnpacked+1), nil)
	if _, err := p.decode(bomb); err == nil {
		t.Errorf("%d bytes that become %d are read", len(bomb), maxUnpacked+1)
	}
	m.Kind = KindDevice
	if b, err := encode(m); err != nil {
		t.Error(err)
	} else if _, err := p.decode(b); err == nil {
		t.Error("items in what is no batch")
	}
}

// FuzzHostile gives a node what a sensor in the wrong hands may send.
func FuzzHostile(f *testing.F) {
	for _, name := range []string{"schema-1.json", "schema-2-batch.json", "schema-2-episode.json", "schema-3-partial.json"} {
		f.Add(golden(f, name))
	}
	p, err := newPacker()
	if err != nil {
		f.Fatal(err)
	}
	m, err := decode(golden(f, "schema-2-batch.json"))
	if err != nil {
		f.Fatal(err)
	}
	packed, err := p.encode(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := p.decode(b)
		if err != nil {
			return
		}
		if m.Kind == KindEpisode {
			if p := partOf(m); p != nil {
				combine(map[string]*part{"a": p, "b": p})
			}
		}
		if m.Kind == KindPartial {
			hearsay(t, m)
		}
		for _, d := range append(m.devices(), m) {
			read(d)
		}
	})
}
