package main

import (
	"strings"
	"testing"
)

const sample = `{"client":"10.0.0.1","client_port":40000,"server":"192.0.2.1","server_port":443,"proto":"tcp","name":"a.example","visibility":"sni","sent":900,"handshake":600,"received":5000,"attempt":false}
{"client":"10.0.0.2","client_port":40000,"server":"192.0.2.1","server_port":443,"proto":"udp","name":"b.example","visibility":"quic","sent":90,"handshake":60,"received":500,"attempt":false}
`

func TestVerify(t *testing.T) {
	line := func(s string) string { return strings.ReplaceAll(s, `{"client"`, `{"type":"flow","client"`) }
	for name, c := range map[string]struct {
		lines string
		check func(*verdict) bool
		wrong bool
	}{
		"all right": {line(sample), func(v *verdict) bool { return v.found == 2 && v.flows == 2 }, false},
		"in two lines": {line(strings.Replace(sample, `"sent":900`, `"sent":500`, 1)) +
			`{"type":"flow","client":"10.0.0.1","client_port":40000,"server":"192.0.2.1","server_port":443,"proto":"tcp","name":"a.example","visibility":"sni","sent":400}`,
			func(v *verdict) bool { return v.sent == 0 }, false},
		"one missing":     {line(strings.SplitAfter(sample, "\n")[0]), func(v *verdict) bool { return v.missing == 1 && v.found == 1 }, true},
		"one byte more":   {line(strings.Replace(sample, `"sent":900`, `"sent":901`, 1)), func(v *verdict) bool { return v.sent == 1 }, true},
		"another name":    {line(strings.Replace(sample, `a.example`, `c.example`, 1)), func(v *verdict) bool { return v.names == 1 && v.falseNames == 1 }, true},
		"no name":         {line(strings.Replace(sample, `a.example`, ``, 1)), func(v *verdict) bool { return v.names == 1 && v.falseNames == 0 }, true},
		"a flow too many": {line(sample + strings.Replace(sample, "10.0.0.", "10.9.9.", -1)), func(v *verdict) bool { return v.extra == 2 }, true},
	} {
		v, err := verify(strings.NewReader(sample), strings.NewReader(c.lines))
		if err != nil || !c.check(v) || v.wrong() != c.wrong {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}
