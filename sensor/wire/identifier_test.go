package wire

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// withCheckDigit makes an IMEI of fourteen made-up digits.
func withCheckDigit(fourteen string) string {
	for c := byte('0'); c <= '9'; c++ {
		if d := append([]byte(fourteen), c); luhn(d) {
			return string(d)
		}
	}
	return ""
}

func foundText(f *Identifiers) string {
	var s []string
	for _, i := range f.Found {
		s = append(s, fmt.Sprintf("%s %v %s=%s", i.Kind, i.Where, i.Field, i.Value))
	}
	return strings.Join(s, "; ")
}

// TestLaboratory2014: a handset that sends carrier, number and IMEI in clear
// when it is switched on, as a laboratory reported in 2014. Made up.
func TestLaboratory2014(t *testing.T) {
	imei := withCheckDigit("86371302765432")
	body := "carrier=" + url.QueryEscape("China Mobile") + "&number=" + url.QueryEscape("+8613800138000") + "&imei=" + imei + "&model=2013022"
	request := "POST /pass/activate HTTP/1.1\r\nHost: api.account.xiaomi.com\r\nUser-Agent: Dalvik/1.6.0 (Linux; U; Android 4.2.2; 2013022 MIUI/JHBCNAH1.0)\r\n" +
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body
	var h HTTP
	n, s := h.Parse([]byte(request))
	if s != Whole || string(h.Host) != "api.account.xiaomi.com" || string(h.ContentType) != "application/x-www-form-urlencoded" {
		t.Fatalf("%v %+v", s, h)
	}
	var f Identifiers
	f.Find(InURL, h.Query)
	f.Find(InHeader, h.Headers())
	f.Find(InForm, []byte(request)[n:])
	want := "carrier form carrier=China Mobile; msisdn form number=8613800138000; imei form imei=" + imei
	if got := foundText(&f); got != want {
		t.Errorf("found %s\nwant  %s", got, want)
	}
}

func TestIdentifiersFound(t *testing.T) {
	imei := withCheckDigit("35419002389644")
	for _, c := range []struct {
		where      IdentifierText
		text, want string
	}{
		{InURL, "a=1&imei=" + imei, "imei"},
		{InURL, "IMEI=" + imei[:6] + "-" + imei[6:14] + "-" + imei[14:], "imei"},
		{InURL, "device%5Bimei%5D=" + imei, "imei"},
		{InURL, "deviceId=" + imei, "imei"},
		{InURL, "imei=" + imei + "%2C" + withCheckDigit("35419002389645"), "imei"},
		{InURL, "imei=" + base64.StdEncoding.EncodeToString([]byte(imei)), "imei"},
		{InURL, "data=" + url.QueryEscape(`{"imei":"`+imei+`"}`), "imei"},
		{InURL, "data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(`{"device":{"imei":"`+imei+`"}}`))), "imei"},
		{InURL, "imsi=460001234567890", "imsi"},
		{InURL, "phone=13800138000", "msisdn"},
		{InURL, "phone=%2B919812345678", "msisdn"},
		{InURL, "phone=+8613800138000", "msisdn"}, // the plus was not encoded
		{InURL, "msisdn=447700900123", "msisdn"},
		{InURL, "phone_number=0086%20138-0013-8000", "msisdn"},
		{InURL, "android_id=3f1a9b7c5d2e4f60", "android-id"},
		{InURL, "oaid=7e3b5f1c-9a2d-4c8e-b6f0-1d2c3b4a5968", "oaid"},
		{InURL, "oaid=1f2e3d4c5b6a7980", "oaid"},
		{InURL, "mac=64%3Acc%3A2e%3A01%3A02%3A03", "mac"},
		{InURL, "wifi_mac=64CC2E010203", "mac"},
		{InURL, "operator=46000", "carrier"},
		{InURL, "carrier=Vodafone+UK", "carrier"},
		{InHeader, "X-IMEI: " + imei + "\r\n", "imei"},
		{InHeader, "x-up-calling-line-id: 447700900123\r\n", "msisdn"},
		{InHeader, "Cookie: a=b; imei=" + imei + "\r\n", "imei"},
		{InJSON, `{"device":{"imei":"` + imei + `","n":1}}`, "imei"},
		{InJSON, `{"imei":` + imei + `,"x":[1,2]}`, "imei"},
		{InJSON, `{"imeis":["` + imei + `"]}`, "imei"},
		{InJSON, `{"payload":"{\"imei\":\"` + imei + `\"}"}`, "imei"},
		{InJSON, `[{"phone":"+86 138 0013 8000"`, "msisdn"}, // cut short
		{InPush, "\x12\x04imei=" + imei + "\x00", "imei"},
	} {
		var f Identifiers
		f.Find(c.where, []byte(c.text))
		if len(f.Found) != 1 || f.Found[0].Kind != c.want {
			t.Errorf("%v %q: found %s, want one %s", c.where, c.text, foundText(&f), c.want)
		}
	}
}

func TestIdentifiersNotFound(t *testing.T) {
	imei := withCheckDigit("35419002389644")
	wrong := imei[:14] + string('0'+(imei[14]-'0'+1)%10)
	for _, c := range []struct {
		where IdentifierText
		text  string
	}{
		{InURL, "order=" + imei},                         // the number alone is nothing
		{InURL, imei},                                    //
		{InURL, "imei=" + wrong},                         // check digit
		{InURL, "imei=378282246310005"},                  // a card number of fifteen digits
		{InURL, "imei=000000000000000"},                  //
		{InURL, "imei=" + imei + "1"},                    // sixteen digits
		{InURL, "imei=d41d8cd98f00b204e9800998ecf8427e"}, // a hash of one
		{InURL, "imei=null&imsi=&phone=&mac="},           //
		{InURL, "imei_md5=" + imei},                      // says that it is something else
		{InURL, "deviceid=" + wrong},                     //
		{InURL, "device_id=141000000000000"},             //
		{InURL, "phone=android&mobile=1&tel=yes"},        //
		{InURL, "phone=1600000000"},                      // a time
		{InURL, "phone=1600000000000"},                   // a time in milliseconds
		{InURL, "number=13800138000"},                    // any number may be called so
		{InURL, "order_no=13912345678&tracking=1Z999AA10123456784&card=4111111111111111"},
		{InURL, "phone=M2007J20CG&model=Redmi+Note+9+Pro"},
		{InURL, "phone=11111111111"},
		{InURL, "imsi=999999999999999"},        // no such country
		{InURL, "imsi=160000000000000"},        // a time in microseconds
		{InURL, "android_id=unknown"},          //
		{InURL, "android_id=9774d56d682e549c"}, // the constant of emulators
		{InURL, "aid=1128"},                    //
		{InURL, "aid=1600000000123456"},        // sixteen digits under a weak name
		{InURL, "oaid=00000000-0000-0000-0000-000000000000"},
		{InURL, "mac=02%3A00%3A00%3A00%3A00%3A00"},      // Android's constant
		{InURL, "mac=ffffffffffff"},                     //
		{InURL, "mac=9f86d081884c7d659a2feaa0c55ad015"}, // a message authentication code
		{InURL, "carrier=ups&operator=and"},             //
		{InURL, "carrier=mobile"},                       // a kind of connection
		{InURL, "operator=99999"},                       //
		{InURL, "t=" + "1600000000000" + "&sign=" + strings.Repeat("a", 32)},
		{InHeader, "User-Agent: Dalvik/2.1.0 (Linux; U; Android 11; M2007J20CG)\r\nX-Request-Id: " + imei + "\r\nPhone: iPhone13,2\r\n"},
		{InHeader, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"3f1a9b7c5d2e4f60\"\r\n"},
		{InJSON, `{"order":"` + imei + `","phone":{"model":"x","price":13800138000},"ts":1600000000000}`},
		{InJSON, `{"imei":"","mac":null,"phone":false,"carrier":"DHL Express"}`},
		{InJSON, `{"imei`},
		{InForm, "description=my imei is " + imei},
		{InPush, "model=x;order=" + imei},
	} {
		var f Identifiers
		f.Find(c.where, []byte(c.text))
		if len(f.Found) != 0 {
			t.Errorf("%v %q: found %s", c.where, c.text, foundText(&f))
		}
	}
}

func TestIdentifiersBounds(t *testing.T) {
	var f Identifiers
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "imei=%s&", withCheckDigit(fmt.Sprintf("863713027%05d", i+100)))
	}
	f.Find(InURL, []byte(b.String()))
	if len(f.Found) != identifierMax {
		t.Errorf("%d found, want %d", len(f.Found), identifierMax)
	}
	f.Reset()
	f.Find(InJSON, []byte(strings.Repeat("[", 100)+`{"imei":"`+withCheckDigit("86371302765432")+`"}`))
	if len(f.Found) != 0 {
		t.Error("found below the depth bound")
	}
	f.Find(InForm, []byte(strings.Repeat("a", identifierText)+"&imei="+withCheckDigit("86371302765432")))
	if len(f.Found) != 0 {
		t.Error("found behind the first 4 KiB")
	}
}

func TestIdentifiersAllocateNothing(t *testing.T) {
	text := []byte("a=1&b=%7Bx&data=aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ&imei=" + withCheckDigit("86371302765432"))
	var f Identifiers
	if n := testing.AllocsPerRun(100, func() { f.Reset(); f.Find(InURL, text) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzIdentifiers(f *testing.F) {
	imei := withCheckDigit("86371302765432")
	f.Add(uint8(InURL), []byte("imei="+imei+"&phone=%2B8613800138000"))
	f.Add(uint8(InJSON), []byte(`{"payload":"{\"imei\":\"`+imei+`\"}","mac":"64:cc:2e:01:02:03"}`))
	f.Add(uint8(InHeader), []byte("X-IMEI: "+imei+"\r\nCookie: oaid=1f2e3d4c5b6a7980\r\n"))
	f.Add(uint8(InPush), []byte("\x12imei="+imei))
	f.Fuzz(func(t *testing.T, where uint8, b []byte) {
		var ids Identifiers
		ids.Find(IdentifierText(where%5), b)
		for _, i := range ids.Found {
			if len(i.Field) == 0 || len(i.Value) < 3 || i.Kind == "imei" && (len(i.Value) != 15 || !luhn(i.Value)) {
				t.Errorf("%s %q=%q", i.Kind, i.Field, i.Value)
			}
		}
	})
}

func BenchmarkIdentifiersNone(b *testing.B) {
	text := []byte("ver=4.0&type=wifi&uuid=0&list=app.chat.xiaomi.net%2Cresolver.msg.xiaomi.net&countrycode=IN&t=1600000000")
	var f Identifiers
	b.ReportAllocs()
	for b.Loop() {
		f.Reset()
		f.Find(InURL, text)
	}
}
