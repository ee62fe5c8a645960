package geo

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const awsFile = `{"syncToken":"1","createDate":"2026-11-01-10-20-30","prefixes":[
 {"ip_prefix":"52.28.0.0/16","region":"eu-central-1","service":"AMAZON","network_border_group":"eu-central-1"},
 {"ip_prefix":"52.28.7.0/24","region":"GLOBAL","service":"GLOBALACCELERATOR","network_border_group":"GLOBAL"},
 {"ip_prefix":"13.32.0.0/15","region":"GLOBAL","service":"CLOUDFRONT","network_border_group":"GLOBAL"},
 {"ip_prefix":"52.80.0.0/16","region":"cn-north-1","service":"AMAZON","network_border_group":"cn-north-1"},
 {"ip_prefix":"3.5.0.0/24","region":"mars-1","service":"AMAZON"}],
 "ipv6_prefixes":[{"ipv6_prefix":"2a05:d014::/35","region":"eu-central-1","service":"AMAZON"}]}`

const googleFile = `{"syncToken":"1","creationTime":"2026-11-01T10:20:30.12345","prefixes":[
 {"ipv4Prefix":"34.1.208.0/20","service":"Google Cloud","scope":"africa-south1"},
 {"ipv4Prefix":"34.96.64.0/18","service":"Google Cloud","scope":"global"},
 {"ipv6Prefix":"2600:1900:8000::/44","service":"Google Cloud","scope":"asia-east1"}]}`

const azureFile = `{"changeNumber":1,"cloud":"Public","values":[
 {"name":"AzureCloud.westeurope","id":"x","properties":{"region":"westeurope","platform":"Azure","systemService":"","addressPrefixes":["13.69.0.0/17","2603:1020:200::/46"]}},
 {"name":"AzureCloud.norwaye","id":"x","properties":{"region":"norwaye","platform":"Azure","systemService":"","addressPrefixes":["51.120.0.0/17"]}},
 {"name":"AzureFrontDoor.Frontend","id":"x","properties":{"region":"","platform":"Azure","systemService":"AzureFrontDoor","addressPrefixes":["13.107.208.0/24"]}},
 {"name":"AzureAD","id":"x","properties":{"region":"","platform":"Azure","systemService":"AzureAD","addressPrefixes":["20.190.128.0/18"]}}]}`

const oracleFile = `{"last_updated_timestamp":"2026-11-01T10:20:30.123456","regions":[
 {"region":"eu-frankfurt-1","cidrs":[{"cidr":"130.61.0.0/16","tags":["OCI"]}]}]}`

const geofeedFile = "# our network\r\n2a00:1::/32,NL,NL-NH,Amsterdam,\n52.28.0.0/16,se,,,\n52.29.0.0/16,,,,\nnonsense,DE,,,\n52.30.0.1,FI\n"

func TestPublishedRanges(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, content, database string
		addr                    string
		location                Country
		confidence              Confidence
	}{
		{"ip-ranges.json", awsFile, "aws-ranges", "52.28.1.1", "DE", High},
		{"ip-ranges.json", awsFile, "aws-ranges", "52.28.7.1", "", NoIdea},
		{"ip-ranges.json", awsFile, "aws-ranges", "52.80.1.1", "CN", High},
		{"ip-ranges.json", awsFile, "aws-ranges", "2a05:d014::1", "DE", High},
		{"cloud.json", googleFile, "google-ranges", "34.1.208.1", "ZA", High},
		{"cloud.json", googleFile, "google-ranges", "34.96.64.1", "", NoIdea},
		{"cloud.json", googleFile, "google-ranges", "2600:1900:8000::1", "TW", High},
		{"ServiceTags_Public.json", azureFile, "azure-ranges", "13.69.1.1", "NL", High},
		{"ServiceTags_Public.json", azureFile, "azure-ranges", "51.120.1.1", "NO", High},
		{"ServiceTags_Public.json", azureFile, "azure-ranges", "13.107.208.1", "", NoIdea},
		{"public_ip_ranges.json", oracleFile, "oracle-ranges", "130.61.1.1", "DE", High},
		{"ours.csv", geofeedFile, "ours", "52.28.1.1", "SE", High},
		{"ours.csv", geofeedFile, "ours", "52.30.0.1", "FI", High},
		{"ours.csv", geofeedFile, "ours", "2a00:1::1", "NL", High},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		g := shipped(t, func(cfg *Config) { cfg.Databases = []string{path} })
		j := g.Judge(Query{Addr: netip.MustParseAddr(c.addr)})
		if j.Location != c.location || j.LocationConfidence != c.confidence {
			t.Errorf("%s %s: %s %s (%s), want %s %s", c.name, c.addr, j.Location, j.LocationConfidence, j.LocationFrom, c.location, c.confidence)
		}
		if c.confidence == High && j.Sources[0].DB != c.database {
			t.Errorf("%s: sources %v", c.name, j.Sources)
		}
	}
}

func TestPublishedRangeAgainstLabel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ip-ranges.json")
	if err := os.WriteFile(path, []byte(awsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	g := shipped(t, func(c *Config) { c.Databases = []string{path} })
	j := g.Judge(Query{Addr: netip.MustParseAddr("52.28.1.1"), Name: "a.mi.com", CNAMEs: []string{"x.ap-south-1.elb.amazonaws.com"}})
	if j.Location != "DE" || j.LocationConfidence != Low {
		t.Errorf("%s %s: %s", j.Location, j.LocationConfidence, j.Disagreement)
	}
}

func FuzzPublished(f *testing.F) {
	for _, s := range []string{awsFile, googleFile, azureFile, oracleFile, `{}`, `{"prefixes":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _, err := parsePublished(b, map[string]map[string]Country{"aws": {"eu-central-1": "DE"}})
		if err == nil && r.table.Size() == 0 {
			t.Error("nothing read, and no error")
		}
	})
}

func FuzzGeofeed(f *testing.F) {
	f.Add([]byte(geofeedFile))
	f.Add([]byte("\ufeff1.0.0.0/8,AU"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseGeofeed(b)
		if err == nil && r.table.Size() == 0 {
			t.Error("nothing read, and no error")
		}
	})
}

func FuzzFacts(f *testing.F) {
	for _, c := range judgeCases {
		f.Add([]byte(c.facts))
	}
	f.Add([]byte(`{"id":"x","input":{"asn":"AS13238","tunnel":"wireguard","flow_seen":null}}`))
	g := shipped(f, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := ParseFacts(b)
		if err != nil {
			return
		}
		j := g.JudgeFacts(facts)
		if (j.Location == "") != (j.LocationConfidence == NoIdea) {
			t.Errorf("location %q at %s", j.Location, j.LocationConfidence)
		}
	})
}

func TestFactsShapes(t *testing.T) {
	for in, id := range map[string]string{
		`{"id":"a","asn":1}`:                           "a",
		`{"id":"b","input":{"asn":"AS15169"}}`:         "b",
		`{"input":{"id":"c"},"expect":{"location":1}}`: "c",
		`{"name":"x","unknown":[1,2],"tunnel":"vpn"}`:  "",
	} {
		f, err := ParseFacts([]byte(in))
		if err != nil || f.ID != id {
			t.Errorf("%s: %+v %v", in, f, err)
		}
	}
	for _, in := range []string{``, `[]`, `1`, `{"asn":"x"}`, `{"name":1}`, `{"tunnel":{}}`, `{"input":3}`} {
		if _, err := ParseFacts([]byte(in)); err == nil {
			t.Errorf("%s was taken", in)
		}
	}
	for in, want := range map[string]string{
		`{bad`:                     "want one JSON object a line: invalid character",
		`["a"]`:                    "want one JSON object a line",
		`{"id":5}`:                 "id: want text, not a number",
		`{"cname":"a.example"}`:    "cname: want a list of names, not text",
		`{"geo_country":["CN"]}`:   "geo_country: want text, not a list",
		`{"input":{"name":false}}`: "name: want text, not true or false",
		`{"asn":-1}`:               "asn -1: want a number",
	} {
		if _, err := ParseFacts([]byte(in)); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	if f, err := ParseFacts([]byte("\ufeff{\"id\":\"bom\"}")); err != nil || f.ID != "bom" {
		t.Errorf("byte order mark: %v", err)
	}
}
