package alerts

import (
	"strings"
	"testing"
)

func TestExemptMACs(t *testing.T) {
	for _, text := range []string{
		"name: p\nexcept: {macs: [\"02:00:5e:00:53:01\"]}", "name: p\nexcept:\n  macs:\n  - 02:00:5e:00:53:01\n",
		"name: p\nexcept:\n  macs:\n  - {value: 02:00:5e:00:53:01, comment: x}\n",
	} {
		p, err := parsePolicy(t, text)
		if err != nil || len(p.Except.MACs) != 1 || p.Except.MACs[0].Value != "02:00:5e:00:53:01" {
			t.Errorf("%q: %+v, %v", text, p.Except.MACs, err)
		}
	}
	_, err := parsePolicy(t, "name: p\nexcept: {macs: [02:00:5e:00:53:01]}")
	if err == nil || !strings.Contains(err.Error(), "in quotes") {
		t.Errorf("a bare MAC address in brackets: %v", err)
	}
}
