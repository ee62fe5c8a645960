package handset

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestDossierIsBoundedAndSmall(t *testing.T) {
	s := shipped(t)
	var d Dossier
	at := time.Unix(1700000000, 0)
	d.Add(s, Evidence{At: at, Family: "dhcp", Field: "hostname", Value: "Redmi-Note-12"})
	for i := range 5000 {
		d.Add(s, Evidence{At: at.Add(time.Duration(i) * time.Second), Family: "dns", Field: "qname", Value: fmt.Sprintf("%c%c%c.vivoglobal.com", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26)})
		d.Add(s, Evidence{At: at, Family: "mac", Field: "address", Value: fmt.Sprintf("02:00:00:00:%02x:%02x", i>>8&255, i&255)})
		d.Add(s, Evidence{At: at, Family: "push", Field: "model", Value: fmt.Sprintf("SM-A%04d", i)})
	}
	if len(d.items) > s.rules.Items || len(d.models()) > maxModels || d.holders > 2*maxHolders {
		t.Errorf("%d items, %d models, %d addresses", len(d.items), len(d.models()), d.holders)
	}
	if d.Evicted() == 0 {
		t.Error("eviction is not counted")
	}
	found := false
	for i := range d.items {
		found = found || s.sigs[d.items[i].sig].family == DHCP
	}
	if !found {
		t.Error("a flood of names drove out what DHCP said")
	}
}

func TestTypicalDossierIsSmall(t *testing.T) {
	s := shipped(t)
	c := readCases(t, "testdata/cases.jsonl")[0]
	var d Dossier
	for _, e := range c.evidence() {
		d.Add(s, e)
	}
	const most = 600 // bytes
	n := int(unsafe.Sizeof(d)) + cap(d.items)*int(unsafe.Sizeof(item{})) + int(unsafe.Sizeof(*d.rare)) + cap(d.few().who)*int(unsafe.Sizeof(holder{})) + cap(d.models())*int(unsafe.Sizeof(modelSeen{}))
	if n > most {
		t.Errorf("%d bytes, want at most %d", n, most)
	}
	b, err := d.MarshalBinary()
	if err != nil || len(b) > most {
		t.Errorf("stored in %d bytes (%v), want at most %d", len(b), err, most)
	}
	for _, secret := range []string{"5e:00", "update.intl", "miui.com"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the stored dossier holds %q", secret)
		}
	}
}

func TestHostNamesAreReducedToTheModel(t *testing.T) {
	s := shipped(t)
	var d Dossier
	d.Add(s, Evidence{At: time.Unix(1700000000, 0), Family: "dhcp", Field: "hostname", Value: "Annas-Redmi-Note-9-Pro"})
	b, _ := d.MarshalBinary()
	if strings.Contains(string(b), "Anna") {
		t.Error("the stored dossier names a person")
	}
	if v := d.Verdict(s, d.Last(), Network{}); v.Model != "Redmi-Note-9-Pro" {
		t.Errorf("model %q", v.Model)
	}
}

func TestVisitCountsAsWeb(t *testing.T) {
	s := shipped(t)
	at := time.Unix(1700000000, 0)
	var list []Evidence
	for _, n := range []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net", "mcc.intl.inf.miui.com"} {
		list = append(list, Evidence{At: at, Family: "sni", Field: "server_name", Value: n, Visit: true})
	}
	if v := judge(s, Network{}, list); v.Confidence != None || v.Maker != "xiaomi" {
		t.Errorf("a page that fetches system names: %s %v", v.Maker, v.Confidence)
	}
	list[0].Visit, list[1].Visit = false, false
	if v := judge(s, Network{}, list); v.Confidence != Likely {
		t.Errorf("the same names by themselves: %v", v.Confidence)
	}
}

func TestLearning(t *testing.T) {
	s := shipped(t)
	var d Dossier
	if d.Enough() {
		t.Error("nothing is enough")
	}
	for i := range 12 {
		d.Add(s, Evidence{At: time.Unix(1700000000+int64(i), 0), Family: "dns", Field: "qname", Value: "www.example.org"})
	}
	if !d.Enough() {
		t.Error("twelve observations are not enough")
	}
}

func FuzzDossier(f *testing.F) {
	s := shipped(f)
	var d Dossier
	for _, e := range identities {
		e.At = time.Unix(1700000000, 0)
		d.Add(s, e)
	}
	b, _ := d.MarshalBinary()
	f.Add(b)
	f.Add([]byte{storeVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Dossier
		if d.UnmarshalBinary(b) != nil {
			return
		}
		d.Verdict(s, d.Last(), Network{})
		if _, err := d.MarshalBinary(); err != nil {
			t.Error(err)
		}
	})
}

func TestStoredPrefixesFail(t *testing.T) {
	s := shipped(t)
	var d Dossier
	for _, e := range identities {
		e.At = time.Unix(1700000000, 0)
		d.Add(s, e)
	}
	b, _ := d.MarshalBinary()
	for n := range b {
		if n == 1 {
			continue // the empty dossier
		}
		var x Dossier
		if err := x.UnmarshalBinary(b[:n]); err != ErrDossier {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	s := shipped(f)
	f.Add("ua", "user_agent", "Dalvik/2.1.0 (Linux; U; Android 13; M2101K6G Build/TKQ1)")
	f.Add("ua", "user_agent", "((;Android;)")
	f.Add("dhcp", "hostname", "Redmi-Note-12")
	f.Add("mac", "address", "04:cf:8c:01:02:03")
	f.Add("mdns", "name", "x._miio._udp.local")
	f.Add("dns", "qname", ".......")
	f.Fuzz(func(t *testing.T, family, field, value string) {
		var d Dossier
		for _, v := range []string{value, strings.ToUpper(value), value + value} {
			d.Add(s, Evidence{At: time.Unix(1700000000, 0), Family: family, Field: field, Value: v})
		}
		if v := d.Verdict(s, d.Last(), Network{}); v.Posterior < 0 || v.Posterior > 1 {
			t.Errorf("posterior %v", v.Posterior)
		}
	})
}
