package geo

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// shipped is a Geo with the curated rules and the embedded database.
func shipped(t testing.TB, change func(*Config)) *Geo {
	t.Helper()
	rules, groups, err := ReadRules(os.DirFS("../configs"), "operators", "owners", "groups")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Rules: rules, Groups: groups}
	if change != nil {
		change(&c)
	}
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func restricted(t testing.TB, items ...string) CountrySet {
	t.Helper()
	s, err := ParseCountrySet(items, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// judgeCases are the rules of jurisdiction, one at least a rule: facts in,
// location, its confidence, operator, owner and the bases that meet CN, RU out.
var judgeCases = []struct {
	title, facts                          string
	location                              Country
	confidence                            Confidence
	operator, owner                       Country
	hits                                  string
	ownerFrom, operatorFrom, locationFrom string
}{
	{"region label in a CNAME goes before a database",
		`{"name":"fr.app.chat.global.xiaomi.net","cname":["fr-app-chat-global-xiaomi-net-1516654448.eu-central-1.elb.amazonaws.com"],"asn":16509,"registry_country":"US","geo_country":"US","geo_country_2":"IE"}`,
		"DE", High, "US", "CN", "owner", "owners", "cname", "region label"},
	{"the same word means another place to another cloud: Alibaba",
		`{"name":"a.xiaomi.com","cname":["x.oss-ap-southeast-1.aliyuncs.com"],"asn":45102,"registry_country":"US","geo_country":"US"}`,
		"SG", High, "CN", "CN", "operator owner", "", "cname", ""},
	{"the same word means another place to another cloud: Huawei",
		`{"name":"a.hicloud.com","cname":["x.obs.ap-southeast-1.myhuaweicloud.com"],"asn":136907,"registry_country":"SG","geo_country":"SG"}`,
		"HK", High, "CN", "CN", "operator owner", "", "", ""},
	{"the same word means another place to another cloud: Linode",
		`{"name":"a.example.com","cname":["x.ap-south-1.linodeobjects.com"],"asn":63949,"registry_country":"US","geo_country":"IN"}`,
		"SG", High, "US", "", "", "", "", ""},
	{"mainland region label", `{"name":"a.example.com","cname":["b.oss-cn-hangzhou-internal.aliyuncs.com"],"asn":37963,"registry_country":"SG","geo_country":"SG"}`,
		"CN", High, "CN", "", "location operator", "", "", "region label"},
	{"a CDN in front of a bucket is not where the bucket is", `{"name":"a.mi.com","cname":["b.oss-cn-hangzhou.aliyuncs.com","b.oss-cn-hangzhou.aliyuncs.com.w.kunlunsl.com"],"asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "CN", "CN", "operator owner", "", "cname", "database"},
	{"what steers DNS is passed over", `{"name":"a.mi.com","cname":["b.oss-eu-central-1.aliyuncs.com","b.oss-eu-central-1.aliyuncs.com.gds.alibabadns.com"],"asn":45102,"registry_country":"US","geo_country":"US"}`,
		"DE", High, "CN", "CN", "operator owner", "", "cname", "region label"},
	{"a label that the customer chose is no region", `{"name":"a.example.com","cname":["my-cn-north-1-copy.eu-west-3.elb.amazonaws.com"],"asn":16509,"geo_country":"US"}`,
		"FR", High, "US", "", "", "", "", ""},
	{"a region's name under a domain that is no cloud's says nothing", `{"name":"eu-central-1.mi.com","asn":45102,"registry_country":"SG","geo_country":"SG"}`,
		"SG", Medium, "CN", "CN", "operator owner", "", "asn", "database"},
	{"a maker's word for a region", `{"name":"api.xiaomi.com","cname":["proxy-alisgp0-dp.api.xiaomi.net"],"asn":45102,"registry_country":"US","geo_country":"US"}`,
		"SG", High, "CN", "CN", "operator owner", "", "asn", "region label"},
	{"the name itself may be the cloud's", `{"name":"bucket.s3-eu-west-1.amazonaws.com","asn":16509,"registry_country":"US","geo_country":"US"}`,
		"IE", High, "US", "", "", "", "cname", ""},
	{"reverse name with a region", `{"name":"app.example.com","ptr":["ec2-3-120-1-2.eu-central-1.compute.amazonaws.com"],"asn":16509,"geo_country":"US"}`,
		"DE", High, "US", "", "", "", "asn", "region label"},
	{"a label does not fit an address of somebody else's", `{"name":"a.mi.com","cname":["x.eu-central-1.elb.amazonaws.com"],"asn":4134,"registry_country":"CN","geo_country":"CN"}`,
		"CN", Low, "CN", "CN", "location-suspected operator owner", "", "asn", "database"},
	{"anycast: no place", `{"name":"www.example-shop.cn","cname":["www.example-shop.cn.cdn.cloudflare.net"],"asn":13335,"registry_country":"US","geo_country":"US","anycast":true}`,
		"", NoIdea, "US", "CN", "owner", "cctld", "cname", "anycast: no place"},
	{"anycast beats a region label", `{"name":"a.example.com","cname":["x.cn-north-1.elb.amazonaws.com.cn"],"asn":16509,"geo_country":"CN","anycast":true}`,
		"", NoIdea, "CN", "", "operator", "", "", ""},
	{"registry and database differ: the database has the location", `{"name":"component-ota-in.allawnos.com","cname":[],"asn":63593,"registry_country":"SG","geo_country":"IN","anycast":false}`,
		"IN", Medium, "CN", "CN", "operator owner", "owners", "asn", "database"},
	{"databases disagree", `{"name":"push.hicloud.com","asn":136907,"registry_country":"SG","geo_country":"HK","geo_country_2":"SG"}`,
		"HK", Low, "CN", "CN", "operator owner", "", "", ""},
	{"databases disagree, the first says CN", `{"name":"a.example.org","asn":64500,"registry_country":"US","geo_country":"CN","geo_country_2":"US"}`,
		"CN", Low, "US", "", "location-suspected", "", "registry", ""},
	{"databases agree", `{"name":"a.example.org","asn":45090,"registry_country":"CN","geo_country":"CN","geo_country_2":"CN"}`,
		"CN", Medium, "CN", "", "location operator", "", "", ""},
	{"mainland-only network recorded elsewhere", `{"name":"a.mi.com","asn":37963,"registry_country":"SG","geo_country":"SG"}`,
		"CN", Low, "CN", "CN", "location-suspected operator owner", "", "", "mainland-only network"},
	{"mainland-only network, databases silent", `{"name":"a.mi.com","asn":37963}`,
		"CN", Low, "CN", "CN", "location-suspected operator owner", "", "", "mainland-only network"},
	{"mainland-only network recorded as it is", `{"name":"a.mi.com","asn":37963,"registry_country":"CN","geo_country":"CN"}`,
		"CN", Medium, "CN", "CN", "location operator owner", "", "", ""},
	{"a question without a flow", `{"name":"update.miui.com","cname":[],"asn":null,"registry_country":null,"geo_country":null,"flow_seen":false}`,
		"", NoIdea, "", "CN", "owner", "owners", "", ""},
	{"a question whose answer is known has no place either", `{"name":"update.miui.com","asn":4134,"registry_country":"CN","geo_country":"CN","flow_seen":false}`,
		"", NoIdea, "CN", "CN", "operator owner", "", "", ""},
	{"relay", `{"name":"mask.icloud.com","asn":13335,"registry_country":"US","geo_country":"CN","tunnel":true}`,
		"", NoIdea, "US", "US", "", "", "", "relay: no place"},
	{"iCloud of Chinese accounts", `{"name":"gateway.icloud.com.cn","asn":4837,"registry_country":"CN","geo_country":"CN"}`,
		"CN", Medium, "CN", "US", "location operator", "", "", ""},
	{"network without a row", `{"name":"a.example.com","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "SE", "", "", "", "registry", ""},
	{"no network, no operator", `{"name":"a.example.com","registry_country":"CN","geo_country":"CN"}`,
		"CN", Medium, "", "", "location", "", "", ""},
	{"registry country alone is no place", `{"name":"a.example.com","asn":3301,"registry_country":"SE"}`,
		"", NoIdea, "SE", "", "", "", "registry", "not known"},
	{"what is no country", `{"name":"a.example.com","asn":3301,"registry_country":"EU","geo_country":"A1","geo_country_2":"XX"}`,
		"", NoIdea, "", "", "", "", "", ""},
	{"AP is no country, the second database speaks", `{"name":"a.example.com","asn":3301,"registry_country":"AP","geo_country":"AP","geo_country_2":"JP"}`,
		"JP", Medium, "", "", "", "", "", ""},
	{"Hong Kong is not CN", `{"name":"www.example.hk","asn":9304,"registry_country":"HK","geo_country":"HK"}`,
		"HK", Medium, "HK", "HK", "", "cctld", "registry", ""},
	{"Taiwan is not CN", `{"name":"www.example.com.tw","asn":3462,"registry_country":"TW","geo_country":"TW"}`,
		"TW", Medium, "TW", "TW", "", "cctld", "registry", ""},
	{"Macao is not CN", `{"name":"www.example.mo","asn":4609,"registry_country":"MO","geo_country":"MO"}`,
		"MO", Medium, "MO", "MO", "", "cctld", "registry", ""},
	{"a code that is sold to anybody", `{"name":"api.example.io","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "SE", "", "", "", "", ""},
	{"CDN of one country inside a network of another", `{"name":"www.mi.com","cname":["www.mi.com.edgekey.net","e1.a.akamaiedge.net"],"asn":55836,"registry_country":"IN","geo_country":"IN"}`,
		"IN", Medium, "US", "CN", "owner", "", "cname", ""},
	{"Chinese CDN abroad", `{"name":"www.example.com","cname":["www.example.com.wscdns.com"],"asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "CN", "", "operator", "", "cname", ""},
	{"the last cloud of a chain operates", `{"name":"www.example.com","cname":["x.azureedge.net","x.cdn.kunlunsl.com"],"asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "CN", "", "operator", "", "cname", ""},
	{"a cloud's own name owns nothing", `{"name":"bucket.oss-us-west-1.aliyuncs.com","asn":45102,"registry_country":"US","geo_country":"US"}`,
		"US", High, "CN", "", "operator", "", "cname", ""},
	{"company of another country under .cn", `{"name":"www.apple.com.cn","asn":714,"registry_country":"US","geo_country":"US"}`,
		"US", Medium, "US", "US", "", "owners", "", ""},
	{"a carrier's name that looks like a maker's", `{"name":"www.vivo.com.br","asn":26599,"registry_country":"BR","geo_country":"BR"}`,
		"BR", Medium, "BR", "ES", "", "owners", "", ""},
	{"not below the domain", `{"name":"notmi.com","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "SE", "", "", "", "", ""},
	{"search suffix", `{"name":"grs.dbankcloud.eu.home","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "SE", "CN", "owner", "", "", ""},
	{"capitals and final dot", `{"name":"API.IO.MI.COM.","asn":3301,"registry_country":"se","geo_country":"SE"}`,
		"SE", Medium, "SE", "CN", "owner", "", "", ""},
	{"customers of a platform are not its owner", `{"name":"somebody.github.io","cname":["x.fastly.net"],"asn":54113,"registry_country":"US","geo_country":"US"}`,
		"", NoIdea, "US", "", "", "", "", "anycast: no place"},
	{"Telegram is at home in Dubai", `{"name":"api.telegram.org","asn":62041,"registry_country":"AG","geo_country":"RU"}`,
		"RU", Medium, "AE", "AE", "location", "", "", ""},
	{"Chinese domain in its own script", `{"name":"www.example.xn--fiqs8s","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "SE", "CN", "owner", "cctld", "", ""},
	{"private address", `{"name":"a.mi.com","addr":"10.1.2.3","asn":4134,"registry_country":"CN","geo_country":"CN"}`,
		"", NoIdea, "", "CN", "owner", "", "", ""},
	{"address in place of a name", `{"name":"81.224.0.7","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"SE", Medium, "SE", "", "", "", "", ""},
	{"documentation address in place of a name", `{"name":"203.0.113.7","asn":3301,"registry_country":"SE","geo_country":"SE"}`,
		"", NoIdea, "", "", "", "", "", ""},
}

func TestJudgeFacts(t *testing.T) {
	g := shipped(t, nil)
	set := restricted(t, "CN", "RU")
	for _, c := range judgeCases {
		f, err := ParseFacts([]byte(c.facts))
		if err != nil {
			t.Errorf("%s: %v", c.title, err)
			continue
		}
		j := g.JudgeFacts(f)
		var hits []string
		for _, h := range Hits(j, set, nil) {
			hits = append(hits, string(h))
		}
		if j.Location != c.location || j.LocationConfidence != c.confidence || j.Operator.Home != c.operator || j.Owner.Home != c.owner || strings.Join(hits, " ") != c.hits {
			t.Errorf("%s:\n got %s %s, operator %s, owner %s, hits %v\nwant %s %s, operator %s, owner %s, hits [%s]", c.title,
				j.Location, j.LocationConfidence, j.Operator.Home, j.Owner.Home, hits, c.location, c.confidence, c.operator, c.owner, c.hits)
		}
		for _, from := range [][2]string{{c.ownerFrom, j.OwnerFrom}, {c.operatorFrom, j.OperatorFrom}, {c.locationFrom, j.LocationFrom}} {
			if from[0] != "" && from[0] != from[1] {
				t.Errorf("%s: from %q, want %q", c.title, from[1], from[0])
			}
		}
		if j.Agree == (j.Disagreement != "") && (j.Location != "" || j.Registration != "") {
			t.Errorf("%s: agree %v, but who says what: %q", c.title, j.Agree, j.Disagreement)
		}
	}
}

func TestRegistrationHitsOnlyWhenAskedFor(t *testing.T) {
	j := Jurisdiction{Registration: "CN", Location: "CN", LocationConfidence: Low}
	set := restricted(t, "CN")
	if got := Hits(j, set, nil); !slices.Equal(got, []Basis{LocationSuspected}) {
		t.Errorf("default bases: %v", got)
	}
	if got := Hits(j, set, []Basis{Registration}); !slices.Equal(got, []Basis{Registration}) {
		t.Errorf("registration: %v", got)
	}
	if got := Hits(j, set, []Basis{Operator}); len(got) != 0 || got == nil {
		t.Errorf("operator: %v, want an empty list", got)
	}
}

func TestPlacelessAddressesHaveNoCountry(t *testing.T) {
	g := shipped(t, nil)
	for _, s := range []string{
		"0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
		"192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::fb", "2001:db8::1", "3fff::1", "100::1",
		"64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:c0a8:101::1", "2002:7f00:1::", "2001:0:1:2:3:4:f5ff:fffe", "2001:10::1", "2001:20::1", "5f00::1", "4000::1",
	} {
		j := g.Judge(Query{Addr: netip.MustParseAddr(s)})
		if j.Location != "" || j.Registration != "" || j.Operator != (Party{}) || j.LocationConfidence != NoIdea {
			t.Errorf("%s: %+v", s, j)
		}
	}
	if j := g.Judge(Query{}); j.Location != "" || j.Operator.Home != "" || j.Agree {
		t.Errorf("no address: %+v", j)
	}
}

func TestPublicNeighboursOfPlacelessAddresses(t *testing.T) {
	for _, s := range []string{"9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:db7::1", "2001:db9::1", "2600::1"} {
		if Placeless(netip.MustParseAddr(s)) {
			t.Errorf("%s has no country", s)
		}
	}
}
