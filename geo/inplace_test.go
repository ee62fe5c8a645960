package geo

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// TestWrittenInPlace: somebody copies over the database that is in use, and
// the copy ends half way. The one that was read stays in use, whole; what is
// there of the new one is refused. (A file that is mapped would end the
// process: reading beyond its new end is SIGBUS.)
func TestWrittenInPlace(t *testing.T) {
	records := map[string]mmdbtype.Map{}
	for n := range 250 {
		records[netip.AddrFrom4([4]byte{85, byte(n), 0, 0}).String()+"/24"] = mmdbtype.Map{"country": iso("DE")}
	}
	path := mmdb(t, filepath.Join(t.TempDir(), "site.mmdb"), "GeoLite2-Country", 6, records)
	g, err := New(Config{Databases: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []int{len(whole) / 2, 100, 0} {
		if err := os.WriteFile(path, whole[:left], 0o600); err != nil { // truncates, and writes a part
			t.Fatal(err)
		}
		if err := g.Reload(); err == nil {
			t.Errorf("%d of %d bytes were taken", left, len(whole))
		}
		for n := range 250 {
			if got := g.Judge(Query{Addr: netip.AddrFrom4([4]byte{85, byte(n), 0, byte(left)})}).Location; got != "DE" {
				t.Fatalf("with %d bytes left on disk: 85.%d is in %q, want DE", left, n, got)
			}
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(); err != nil {
		t.Errorf("whole again: %v", err)
	}
}
