package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestVersionTime(t *testing.T) {
	got, err := versionTime("2.3.2026061719")
	if want := time.Date(2026, 6, 17, 19, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("%s %v, want %s", got, err, want)
	}
	if _, err := versionTime("2.3.1"); err == nil {
		t.Error("a version without a date was taken")
	}
}

func TestReservedNetworks(t *testing.T) {
	for asn, want := range map[uint32]bool{0: true, 1: false, 23456: true, 64495: false, 64496: true, 65535: true, 65551: true, 65552: false, 4199999999: false, 4200000000: true, 4294967295: true} {
		if reserved(asn) != want {
			t.Errorf("AS%d: %v", asn, !want)
		}
	}
}

func TestRowsSayWhereTheyAreWrong(t *testing.T) {
	take := func(netip.Addr, netip.Addr, []string) error { return nil }
	for content, want := range map[string]string{
		"1.0.0.0,1.0.0.255,AU\n1.0.1.0,1.0.1.255\n": "a.csv:2: 2 fields",
		"1.0.0.0,1.0.0.256,AU\n":                    "a.csv:1:",
	} {
		err := rows(map[string][]byte{"a.csv": []byte(content), "b.csv": {}}, "a.csv", "b.csv", take)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if err := rows(map[string][]byte{}, "a.csv", "b.csv", take); err == nil {
		t.Error("a missing file was taken")
	}
}
