package handset

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// names by plane, for properties; every one is in the shipped set.
var (
	appAndWeb = []string{"api.io.mi.com", "data.mistat.intl.xiaomi.com", "api.account.xiaomi.com", "www.mi.com", "resolver.msg.global.xiaomi.net", "app.chat.xiaomi.net",
		"grs.dbankcloud.eu", "metrics5.data.hicloud.com", "www.huawei.com", "pushtrs6.push.hicloud.com", "bsp-di-in.heytapmobile.com", "www.oppo.com", "api.smartthings.com",
		"www.vivo.com", "i.mi.com", "mtalk.google.com", "www.samsung.com", "adx-dre.op.hicloud.com", "forum.miui.com"}
	osNames = []string{"update.intl.miui.com", "find.api.micloud.xiaomi.net", "query.hicloud.com", "cfota1.ospserver.net", "captive.apple.com", "component-ota-eu.allawnos.com",
		"ifota.realmemobile.com", "connect.rom.miui.com", "connectivitycheck.gstatic.com", "www.msftconnecttest.com", "asia-sysupgrade-api.vivoglobal.com", "argo.svcmot.com"}
	identities = []Evidence{
		{Family: "dhcp", Field: "hostname", Value: "Redmi-Note-12"}, {Family: "dhcp", Field: "hostname", Value: "Galaxy-S23"}, {Family: "dhcp", Field: "hostname", Value: "Johns-iPhone"},
		{Family: "dhcp", Field: "vendor_class", Value: "HUAWEI:android:ELE"}, {Family: "dhcp", Field: "vendor_class", Value: "android-dhcp-13"}, {Family: "dhcp", Field: "vendor_class", Value: "MSFT 5.0"},
		{Family: "mac", Field: "address", Value: "00:9e:c8:01:02:03"}, {Family: "mac", Field: "address", Value: "da:00:00:00:00:01"}, {Family: "dhcp", Field: "hostname", Value: "HONOR_X8"},
		{Family: "ua", Field: "user_agent", Value: "Dalvik/2.1.0 (Linux; U; Android 13; M2101K6G Build/TKQ1)"}, {Family: "push", Field: "model", Value: "SM-G991B"},
	}
)

func drawEvidence(t *rapid.T, label string) Evidence {
	var e Evidence
	switch rapid.IntRange(0, 2).Draw(t, label+" kind") {
	case 0:
		e = Evidence{Family: "dns", Field: "qname", Value: rapid.SampledFrom(appAndWeb).Draw(t, label)}
	case 1:
		e = Evidence{Family: "sni", Field: "server_name", Value: rapid.SampledFrom(osNames).Draw(t, label)}
	default:
		e = rapid.SampledFrom(identities).Draw(t, label)
	}
	e.At = time.Unix(1700000000+int64(rapid.IntRange(0, 40*86400).Draw(t, label+" at")), 0)
	e.Visit = e.Family == "sni" && rapid.IntRange(0, 9).Draw(t, label+" visit") == 0
	return e
}

func drawList(t *rapid.T) []Evidence {
	var list []Evidence
	for range rapid.IntRange(0, 20).Draw(t, "size") {
		list = append(list, drawEvidence(t, "evidence"))
	}
	return list
}

func confidenceOf(v *Verdict, maker string) Confidence {
	if v.Maker == maker {
		return v.Confidence
	}
	for _, c := range v.Also {
		if c.Maker == maker {
			return c.Confidence
		}
	}
	return None
}

// Names that any phone or browser asks for raise nobody to likely, and
// nobody who is likely to certain, however many and how often.
func TestAppNamesNeverAccuse(t *testing.T) {
	s := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		list := drawList(t)
		if len(list) == 0 {
			list = append(list, Evidence{At: time.Unix(1700000000, 0), Family: "dns", Field: "qname", Value: "www.example.org"})
		}
		n := Network{SharedAddress: rapid.Bool().Draw(t, "shared")}
		before := judge(s, n, list)
		at := list[len(list)-1].At
		more := list
		for range rapid.IntRange(1, 30).Draw(t, "names") {
			more = append(more, Evidence{At: at, Family: "dns", Field: "qname", Value: rapid.SampledFrom(appAndWeb).Draw(t, "name")})
		}
		after := judge(s, n, more)
		for _, m := range s.Makers() {
			was, is := confidenceOf(&before, m), confidenceOf(&after, m)
			if is > was && is > Weak {
				t.Errorf("%s: %v became %v by app and web names", m, was, is)
			}
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	s := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		list := drawList(t)
		n := Network{SharedAddress: rapid.Bool().Draw(t, "shared")}
		want := judge(s, n, list)
		got := judge(s, n, rapid.Permutation(list).Draw(t, "order"))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("another order, another verdict:\n%+v\n%+v", got, want)
		}
	})
}

// The last places of an exponential differ from one processor to the other;
// what is said, stored and compared does not.
func TestPosteriorsHaveNineDigits(t *testing.T) {
	s := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		v := judge(s, Network{}, drawList(t))
		for _, p := range append([]float64{v.Posterior}, posteriors(v.Also)...) {
			if text := strconv.FormatFloat(p, 'f', -1, 64); len(text) > len("0.123456789") {
				t.Errorf("posterior %s", text)
			}
		}
	})
}

func posteriors(list []Candidate) (p []float64) {
	for _, c := range list {
		p = append(p, c.Posterior)
	}
	return p
}

// A device never has another's evidence: from the moment that a new
// hardware address speaks, only what is seen from then on counts.
func TestNothingIsInherited(t *testing.T) {
	s := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		old := drawList(t)
		moved := time.Unix(1700000000+41*86400, 0)
		mac := Evidence{At: moved, Family: "mac", Field: "address", Value: "ee:00:00:00:00:99"}
		own := []Evidence{mac}
		for range rapid.IntRange(0, 10).Draw(t, "own") {
			e := drawEvidence(t, "own")
			if e.Family == "mac" {
				continue
			}
			e.At = moved.Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "later")) * time.Second)
			own = append(own, e)
		}
		for i := range own { // alike evidence of both would be counted from the first
			for k := range old {
				if old[k].Family == own[i].Family && old[k].Value == own[i].Value {
					old[k].Value = ""
				}
			}
		}
		var mixed Dossier
		for _, e := range append(old, own...) {
			mixed.Add(s, e)
		}
		if mixed.Evicted() > 0 {
			t.Skip("evicted")
		}
		got, want := mixed.Verdict(s, moved, Network{}), judge(s, Network{}, own)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("with the last holder's evidence:\n%+v\nwithout:\n%+v", got, want)
		}
	})
}

func TestStoredDossierJudgesAlike(t *testing.T) {
	s, other := shipped(t), shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		list := drawList(t)
		var d Dossier
		for _, e := range list {
			d.Add(s, e)
		}
		b, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back Dossier
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if got, want := back.Verdict(other, d.Last(), Network{}), d.Verdict(s, d.Last(), Network{}); !reflect.DeepEqual(got, want) {
			t.Errorf("after a restart:\n%+v\nbefore:\n%+v", got, want)
		}
	})
}
