package evidence

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPrivacyListsEveryField compares docs/privacy.md with the schema.
func TestPrivacyListsEveryField(t *testing.T) {
	page, err := os.ReadFile("../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	table := ""
	head, row := regexp.MustCompile(`^### (\w+): kept `), regexp.MustCompile(`^\| (\w+) \| ([^|]+) \| ([^|]+) \|$`)
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if m := head.FindStringSubmatch(line); m != nil {
			table = m[1]
		}
		if m := row.FindStringSubmatch(line); m != nil && m[1] != "field" {
			written = append(written, table+"."+m[1])
		}
	}
	s := open(t, t.TempDir())
	var kept []string
	err = s.rows("SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'", nil, func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		kept = append(kept, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if !slices.Contains(written, k) {
			t.Errorf("%s is kept and not in docs/privacy.md", k)
		}
	}
	for _, w := range written {
		if !slices.Contains(kept, w) {
			t.Errorf("%s is in docs/privacy.md and not kept", w)
		}
	}
}

// TestRetentionIsAsWritten: the page and the code agree.
func TestRetentionIsAsWritten(t *testing.T) {
	page, err := os.ReadFile("../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	r := Retention{}.filled()
	for want, is := range map[string]bool{
		"### episode: kept 365 days after it closed":                  r.Episodes == 365*days,
		"### device: kept 30 days after it was last heard":            r.Devices == 30*days,
		"### verdict: kept 90 days, 200 of one device":                r.Verdicts == 90*days && Limits{}.filled().Verdicts == 200,
		"### ruling: kept three years":                                r.Rulings == 3*365*days,
		"### ledger: kept three years":                                r.Ledger == 3*365*days,
		"### address: kept 30 days after the device last had it, 200": r.Devices == 30*days && Limits{}.filled().Addresses == 200,
	} {
		if !is || !strings.Contains(string(page), want) {
			t.Errorf("%q: the code says otherwise, or the page does", want)
		}
	}
}
