package handset

import "testing"

func TestNamesOnLabelBoundaries(t *testing.T) {
	s := shipped(t)
	for name, want := range map[string]struct {
		maker string
		plane Plane
		st    Strength
	}{
		"update.intl.miui.com":                    {"xiaomi", OS, Exclusive},
		"UPDATE.Intl.MIUI.com.":                   {"xiaomi", OS, Exclusive},
		"update.miui.com":                         {"xiaomi", OS, Exclusive},
		"forum.miui.com":                          {"xiaomi", App, Nothing},
		"miui.com":                                {"xiaomi", App, Nothing},
		"new.sec.intl.miui.com":                   {"xiaomi", OS, Mostly},
		"connect.rom.miui.com":                    {"xiaomi", OS, Copied},
		"bigota.d.miui.com":                       {"xiaomi", Web, Nothing},
		"www.mi.com":                              {"xiaomi", Web, Nothing},
		"us.api.io.mi.com":                        {"xiaomi", App, Nothing},
		"mitv.tracking.intl.miui.com":             {"xiaomi", OS, Exclusive},
		"eu-kaf.samsungknox.com":                  {"samsung", OS, Exclusive},
		"admin.samsungknox.com":                   {"samsung", Web, Nothing},
		"component-ota-us.allawnos.com":           {"oppo-group", OS, Exclusive},
		"rus-service-eu.allawnos.com":             {"oppo-group", OS, Mostly},
		"obus-jssdk-in.heytapmobile.com":          {"oppo-group", Web, Nothing},
		"ifota-eu.realmemobile.com":               {"realme", OS, Exclusive},
		"otag.h2os.com":                           {"oneplus", OS, Exclusive},
		"zasc-cota.vivoglobal.com":                {"vivo", OS, Exclusive},
		"co-vcode-h5-od.vivoglobal.com":           {"vivo", Web, Nothing},
		"err-up.vivoglobal.com":                   {"vivo", OS, Mostly},
		"18-courier.push.apple.com":               {"apple", OS, Mostly},
		"alt3-mtalk.google.com":                   {"android", App, Nothing},
		"grs.dbankcloud.eu.home":                  {"huawei", App, Nothing},
		"grs.dbankcloud.eu.fritz.box":             {"huawei", App, Nothing},
		"mi.com.example.org":                      {},
		"xupdate.intl.miui.com.example.org":       {},
		"notmiui.com":                             {},
		"vivo.com.br":                             {},
		"www.vivo.com.br":                         {},
		"com":                                     {},
		"":                                        {},
		".":                                       {},
		"home":                                    {},
		"..home":                                  {},
		"update.intl.miui.com.home.example.org":   {},
		"a.component-ota-eu.allawnos.com":         {"oppo-group", OS, Mostly},
		"component-ota-a.b.allawnos.com":          {"oppo-group", OS, Mostly},
		"msftconnecttest.com.":                    {"microsoft", OS, Mostly},
		"adx-dre.op.hicloud.com.edgekey.net":      {"huawei", App, Nothing},
		"connectivitycheck.platform.hicloud.com":  {"huawei", OS, Copied},
		"configserver-drru.platform.hicloud.com":  {"huawei", OS, Mostly},
		"www.consumer.huawei.com":                 {"huawei", Web, Nothing},
		"connectivitycheck.gstatic.com":           {"android", OS, Mostly},
		"fonts.gstatic.com":                       {"google", Web, Nothing},
		"bucket.obs.eu-de.myhuaweicloud.com":      {"huawei", Web, Nothing},
		"some.customer.example.com.cdn.gmail.net": {},
	} {
		if m := s.Name(name); m.Maker != want.maker || m.Plane != want.plane || m.Strength != want.st {
			t.Errorf("%s: %s %s %v %v (%s), want %s %v %v", name, m.ID, m.Maker, m.Plane, m.Strength, m.Form, want.maker, want.plane, want.st)
		}
	}
}

func TestNamesOfOneService(t *testing.T) {
	for _, x := range [][2]string{{"cfota1", "cfota3"}, {"eu-vcode-or", "asia-vcode-or"}, {"in.find.api", "find.api"}, {"metrics1.data", "metrics5.data"}} {
		if serviceOf(x[0]) != serviceOf(x[1]) {
			t.Errorf("%s and %s are one service", x[0], x[1])
		}
	}
	if serviceOf("eu-vcode-or") == serviceOf("ru-comort-stsdk") {
		t.Error("vcode and comort are two services")
	}
}

func FuzzName(f *testing.F) {
	s := shipped(f)
	for _, n := range benchNames {
		f.Add(n)
	}
	f.Add("..home")
	f.Fuzz(func(t *testing.T, name string) {
		if m := s.Name(name); m.ID == "" && m != (Match{}) {
			t.Errorf("%q: half a match: %+v", name, m)
		}
	})
}
