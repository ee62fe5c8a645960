package fleet

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// Messages of the schema before, of this one, and of one to come are read,
// as long as their writer says that they can be.
func TestAdjacentSchemasWorkTogether(t *testing.T) {
	golden, err := os.ReadFile("testdata/schema-1.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := decode(golden)
	if err != nil {
		t.Fatalf("schema 1, as it was written when it was new: %v", err)
	}
	if m.Source != "access" || m.Kind != KindDevice || m.ID != "d-0123456789ab" || m.Version != 1790000000000000000 {
		t.Errorf("read as %+v", m)
	}
	edit := func(change func(map[string]any)) []byte {
		var all map[string]any
		if err := json.Unmarshal(golden, &all); err != nil {
			t.Fatal(err)
		}
		change(all)
		b, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	next := edit(func(m map[string]any) {
		m["schema"], m["readable"], m["new"] = Schema+1, Schema, map[string]any{"a": 1}
	})
	if _, err := decode(next); err != nil {
		t.Errorf("the next schema, readable by this one: %v", err)
	}
	later := edit(func(m map[string]any) { m["schema"], m["readable"] = Schema+2, Schema+1 })
	if _, err := decode(later); !errors.Is(err, ErrLaterSchema) {
		t.Errorf("a schema that this build cannot read: %v, want ErrLaterSchema", err)
	}
	for what, change := range map[string]func(map[string]any){
		"no schema": func(m map[string]any) { delete(m, "schema") }, "a source with dots": func(m map[string]any) { m["source"] = "a.b" },
		"no kind": func(m map[string]any) { delete(m, "kind") }, "a kind with dots": func(m map[string]any) { m["kind"] = "a.>" },
		"no version": func(m map[string]any) { m["version"] = 0 }, "no id": func(m map[string]any) { m["id"] = "" },
		"readable above schema": func(m map[string]any) { m["readable"] = 9 },
	} {
		if _, err := decode(edit(change)); err == nil {
			t.Errorf("%s: read", what)
		}
	}
	for n := range len(golden) - 2 { // the file ends with a newline
		if _, err := decode(golden[:n]); !errors.Is(err, ErrMessage) {
			t.Fatalf("first %d bytes: %v, want ErrMessage", n, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	golden, err := os.ReadFile("testdata/schema-1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte("{}"))
	partial, err := os.ReadFile("testdata/schema-3-partial.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(partial)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			return
		}
		if s := m.subject(); strings.ContainsAny(s[len(prefix):], " *>\t\n") || strings.Contains(s, "..") {
			t.Errorf("subject %q", s)
		}
		partOf(m)
		partialOf(m)
	})
}

func TestSpoolHoldsTheLatestOfEachThingAndForgetsNoEpisode(t *testing.T) {
	s, err := openSpool(t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	at := time.Unix(1790000000, 0)
	say := func(k Kind, id string) *Message {
		m := &Message{Source: "s", Kind: k, Scope: "x", ID: id, At: at, Body: json.RawMessage(`{}`)}
		if err := s.say([]*Message{m}, false); err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := say(KindEpisode, "e-1")
	at = at.Add(-time.Hour) // the clock goes back
	if second := say(KindEpisode, "e-1"); second.Version <= first.Version {
		t.Errorf("version %d after %d", second.Version, first.Version)
	}
	if n, _, err := s.waiting(); n != 1 || err != nil {
		t.Errorf("%d wait, %v; want the latest alone", n, err)
	}
	for i := range 1500 {
		say(KindDevice, "d-"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+time.Duration(i).String())
	}
	n, _, err := s.waiting()
	if err != nil || n > 1000+62 { // looked at each 1000/16 messages
		t.Errorf("%d wait, %v; want about 1000", n, err)
	}
	if s.dropped.Load() == 0 {
		t.Error("nothing counted as given up")
	}
	list, err := s.unsent(1)
	if err != nil || len(list) != 1 || list[0].kind != string(KindEpisode) {
		t.Errorf("%v, %v: want the episode first", list, err)
	}
	if err := s.acknowledged(list); err != nil {
		t.Fatal(err)
	}
	if err := s.again(); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.unsent(1); len(again) != 1 || again[0].msgID() != list[0].msgID() {
		t.Errorf("a new cluster is told %v, want the episode again", again)
	}
}

func TestHearTakesEachVersionOnceAndNoOlderOne(t *testing.T) {
	s, err := openSpool(t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	hear := func(version int64) int {
		m := &Message{Source: "s", Kind: KindDevice, Scope: "x", ID: "d", Version: version, At: time.Unix(1790000000, 0)}
		news, err := s.hear([]*Message{m}, [][]byte{[]byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		return len(news)
	}
	for i, step := range []struct {
		version int64
		news    int
	}{{5, 1}, {5, 0}, {4, 0}, {6, 1}, {5, 0}} {
		if got := hear(step.version); got != step.news {
			t.Errorf("step %d, version %d: %d news, want %d", i, step.version, got, step.news)
		}
	}
}

func TestConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		c    Config
		want string // in the error; empty: none
	}{
		"off":           {Config{}, ""},
		"alone":         {Config{Mode: Embedded, Name: "a"}, ""},
		"no name":       {Config{Mode: Embedded}, "name"},
		"mode":          {Config{Mode: "cloud", Name: "a"}, "mode"},
		"open":          {Config{Mode: Embedded, Name: "a", Listen: "0.0.0.0:4222"}, "secret_file"},
		"open, secret":  {Config{Mode: Embedded, Name: "a", Listen: "0.0.0.0:4222", SecretFile: "x"}, ""},
		"route":         {Config{Mode: Embedded, Name: "a", Routes: []string{"b:6222"}}, "cluster"},
		"copies":        {Config{Mode: Embedded, Name: "a", Replicas: 3}, "replicas"},
		"two copies":    {Config{Mode: URL, Name: "a", URLs: []string{"nats://h:1"}, Replicas: 2}, "replicas"},
		"no url":        {Config{Mode: URL, Name: "a"}, "urls"},
		"password":      {Config{Mode: URL, Name: "a", URLs: []string{"nats://u:p@h:1"}}, "password"},
		"clock":         {Config{Mode: URL, Name: "a", URLs: []string{"nats://h:1"}, MaxSkew: 1 << 40}, "max_skew"},
		"realm":         {Config{Mode: URL, Name: "a", URLs: []string{"nats://h:1"}, Share: []string{"a.b"}}, "share_realms"},
		"half of a TLS": {Config{Mode: URL, Name: "a", URLs: []string{"tls://h:1"}, TLS: TLS{Cert: "x"}}, "tls"},
	} {
		err := tc.c.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func TestSecretFileIsReadAndTooShortOnesRefused(t *testing.T) {
	if s, err := readSecret(secretFile(t)); err != nil || s != "0123456789abcdef0123" {
		t.Errorf("%q, %v", s, err)
	}
	short := t.TempDir() + "/short"
	if err := os.WriteFile(short, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSecret(short); err == nil {
		t.Error("three characters are a secret")
	}
}
