package wire

import (
	"bytes"
	"unicode/utf8"
)

// check adds the identifier when value has the shape that the name promises.
func (f *Identifiers) check(t IdentifierText, rule identifierName, name, value []byte) bool {
	value = bytes.Trim(value, " \t\"'")
	start := len(f.scratch)
	ok := false
	switch rule.kind {
	case idIMEI:
		ok = f.imei(value, rule.weak)
	case idIMSI:
		ok = f.imsi(value, rule.weak)
	case idMSISDN:
		ok = f.msisdn(value, rule)
	case idAndroid:
		ok = f.androidID(value, rule.weak)
	case idOAID:
		ok = f.oaid(value)
	case idMAC:
		ok = f.mac(value)
	case idCarrier:
		ok = f.carrier(value)
	}
	if !ok {
		f.scratch = f.scratch[:start]
		return false
	}
	seen := IdentifierSeen{identifierKinds[rule.kind], t, name, f.scratch[start:len(f.scratch):len(f.scratch)]}
	for i := range f.Found {
		if f.Found[i].Kind == seen.Kind && bytes.Equal(f.Found[i].Value, seen.Value) {
			return true
		}
	}
	if len(f.Found) < identifierMax {
		f.Found = append(f.Found, seen)
	}
	return true
}

// digits appends the digits of v to scratch, passing the separators named;
// any other byte, or more than max digits, ends it.
func (f *Identifiers) digits(v []byte, separators string, max int) (n int, ok bool) {
	for _, c := range v {
		switch {
		case isDigit(c):
			if n++; n > max {
				return n, false
			}
			f.scratch = append(f.scratch, c)
		case bytes.IndexByte([]byte(separators), c) >= 0:
		default:
			return n, false
		}
	}
	return n, true
}

// imei: fifteen digits of which the last is the check digit (3GPP TS 23.003,
// section 6.2.1 and annex B), after a reporting body that allocates (GSMA
// TS.06). Of two with a comma between, as dual-SIM phones send, the first.
func (f *Identifiers) imei(v []byte, weak bool) bool {
	if i := bytes.IndexAny(v, ",;|"); i > 0 {
		v = v[:i]
	}
	separators := "- "
	if weak {
		separators = ""
	}
	start := len(f.scratch)
	n, ok := f.digits(v, separators, 15)
	if !ok || n != 15 {
		return false
	}
	d := f.scratch[start:]
	body := int(d[0]-'0')*10 + int(d[1]-'0')
	return isReportingBody(body, weak) && luhn(d) && !bytes.Equal(d[8:14], zeroSerial) && distinct(d) > 2
}

var zeroSerial = []byte("000000")

// isReportingBody: the first two digits of a type allocation code. 01 PTCRB,
// 35 BABT and TÜV SÜD, 86 TAF (China), 91 MSAI (India), 98 and 99 for several
// technologies; the others allocated to phones of before 2005.
func isReportingBody(body int, weak bool) bool {
	switch body {
	case 1, 35, 86, 91, 99:
		return true
	case 33, 44, 45, 49, 50, 51, 52, 53, 54, 98:
		return !weak
	}
	return false
}

// luhn checks the digit at the end (ISO/IEC 7812-1, annex B).
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// distinct counts the different digits: test values have one or two.
func distinct(d []byte) int {
	seen := [10]bool{}
	n := 0
	for _, c := range d {
		if !seen[c-'0'] {
			seen[c-'0'] = true
			n++
		}
	}
	return n
}

// imsi: a mobile country code that is assigned, then network and subscriber:
// fifteen digits, fourteen where an operator uses fewer (ITU-T E.212).
func (f *Identifiers) imsi(v []byte, weak bool) bool {
	if i := bytes.IndexAny(v, ",;|"); i > 0 {
		v = v[:i]
	}
	start := len(f.scratch)
	n, ok := f.digits(v, "", 15)
	if !ok || n < 14 || weak && n != 15 {
		return false
	}
	d := f.scratch[start:]
	return isMobileCountry(d) && distinct(d) > 2
}

// isMobileCountry: the first three digits are a country code in use (ITU-T
// E.212, annex to the Operational Bulletin).
func isMobileCountry(d []byte) bool {
	if len(d) < 3 {
		return false
	}
	code := int(d[0]-'0')*100 + int(d[1]-'0')*10 + int(d[2]-'0')
	for _, r := range mobileCountries {
		if code >= int(r[0]) && code <= int(r[1]) {
			return true
		}
	}
	return false
}

var mobileCountries = [...][2]uint16{
	{202, 202}, {204, 204}, {206, 206}, {208, 208}, {212, 214}, {216, 216}, {218, 222}, {225, 226}, {228, 228},
	{230, 232}, {234, 235}, {238, 238}, {240, 240}, {242, 242}, {244, 244}, {246, 248}, {250, 250}, {255, 255},
	{257, 257}, {259, 260}, {262, 262}, {266, 266}, {268, 268}, {270, 270}, {272, 272}, {274, 274}, {276, 276},
	{278, 278}, {280, 280}, {282, 284}, {286, 286}, {288, 290}, {292, 295}, {297, 297}, {302, 302}, {308, 308},
	{310, 316}, {330, 330}, {334, 334}, {338, 338}, {340, 340}, {342, 342}, {344, 344}, {346, 346}, {348, 348},
	{350, 350}, {352, 352}, {354, 354}, {356, 356}, {358, 358}, {360, 360}, {362, 366}, {368, 368}, {370, 370},
	{372, 372}, {374, 374}, {376, 376}, {400, 402}, {404, 406}, {410, 410}, {412, 422}, {424, 432}, {434, 434},
	{436, 438}, {440, 441}, {450, 450}, {452, 452}, {454, 457}, {460, 461}, {466, 467}, {470, 470}, {472, 472},
	{502, 502}, {505, 505}, {510, 510}, {514, 515}, {520, 520}, {525, 525}, {528, 528}, {530, 530}, {536, 537},
	{539, 555}, {602, 643}, {645, 655}, {657, 659}, {702, 702}, {704, 704}, {706, 706}, {708, 708}, {710, 710},
	{712, 712}, {714, 714}, {716, 716}, {722, 722}, {724, 724}, {730, 730}, {732, 732}, {734, 734}, {736, 736},
	{738, 738}, {740, 740}, {742, 742}, {744, 744}, {746, 746}, {748, 748}, {750, 750},
}

// msisdn: a telephone number. With a plus or 00 before it, 8 to 15 digits
// after a country code (ITU-T E.164). Without, only in the shapes of mobile
// numbers whose length and first digits tell them from counters and times.
func (f *Identifiers) msisdn(v []byte, rule identifierName) bool {
	international := false
	switch {
	case bytes.HasPrefix(v, []byte("+")):
		international, v = true, v[1:]
	case bytes.HasPrefix(v, []byte("00")) && !bytes.HasPrefix(v, []byte("000")):
		international, v = true, v[2:]
	}
	if len(v) == 0 || v[0] == '-' || v[0] == ' ' {
		return false
	}
	start := len(f.scratch)
	n, ok := f.digits(v, "-() .", 15)
	if !ok || n < 8 {
		return false
	}
	d := f.scratch[start:]
	if d[0] == '0' || distinct(d) < 3 {
		return false
	}
	if international {
		return n >= 9 || !rule.weak
	}
	return !rule.plus && isMobileNumber(d) || !rule.weak && isNationalNumber(d)
}

// isMobileNumber: China 1[3-9]x and nine digits more, with or without 86;
// India 91 and ten digits from 6 up; both are assigned to mobile phones alone.
func isMobileNumber(d []byte) bool {
	switch {
	case len(d) == 13 && d[0] == '8' && d[1] == '6':
		return d[2] == '1' && d[3] >= '3'
	case len(d) == 12 && d[0] == '9' && d[1] == '1':
		return d[2] >= '6'
	case len(d) == 11:
		return d[0] == '1' && d[1] >= '3'
	}
	return false
}

// isNationalNumber, under a name that leaves no doubt: ten digits of India or
// North America, eleven or twelve that begin with a country code and are not
// a time in milliseconds (13 digits).
func isNationalNumber(d []byte) bool {
	switch len(d) {
	case 10:
		return d[0] >= '6' || d[0] >= '2' && d[3] >= '2'
	case 11, 12:
		return true
	}
	return false
}

// androidID: sixteen hexadecimal digits (Settings.Secure.ANDROID_ID), not the
// constant that emulators and a flaw of Android 2.2 gave to many devices.
func (f *Identifiers) androidID(v []byte, weak bool) bool {
	start := len(f.scratch)
	if n, letters := f.hex(v, ""); n != 16 || weak && !letters {
		return false
	}
	d := f.scratch[start:]
	return !same(d) && string(d) != "9774d56d682e549c"
}

// oaid: a UUID, or 16, 32 or 64 hexadecimal digits (MSA: the format is the
// vendor's); all zeros means that the person declined.
func (f *Identifiers) oaid(v []byte) bool {
	start := len(f.scratch)
	n, _ := f.hex(v, "-")
	if n == 32 && len(v) != 32 && (len(v) != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-') {
		return false
	}
	if n != len(v) && n != 32 || n != 16 && n != 32 && n != 64 {
		return false
	}
	return bytes.Trim(f.scratch[start:], "0-") != nil && !same(f.scratch[start:])
}

// mac: see macText; not the constant that Android gives to applications.
func (f *Identifiers) mac(v []byte) bool {
	mac, rest, ok := macText(v)
	if !ok || len(rest) > 0 || mac == [6]byte{2} {
		return false
	}
	const hexDigits = "0123456789abcdef"
	for _, c := range mac {
		f.scratch = append(f.scratch, hexDigits[c>>4], hexDigits[c&15])
	}
	return true
}

// hex appends hexadecimal digits in lower case and returns how many there
// are, or -1, and whether any is a letter.
func (f *Identifiers) hex(v []byte, separators string) (n int, letters bool) {
	for _, c := range v {
		switch {
		case hexDigit(c) < 16:
			f.scratch = append(f.scratch, lower(c))
			letters = letters || !isDigit(c)
			if n++; n > 64 {
				return -1, letters
			}
		case bytes.IndexByte([]byte(separators), c) >= 0:
		default:
			return -1, letters
		}
	}
	return n, letters
}

func same(d []byte) bool {
	for _, c := range d {
		if c != d[0] {
			return false
		}
	}
	return true
}

// carrierWords tell a mobile operator's name from a parcel carrier, a logical
// operator and whatever else is called so. They count as whole words; one
// that begins with a blank or hyphen needs another word before it, since
// "mobile" alone is a kind of connection.
var carrierWords = [...]string{
	" mobile", "-mobile", " telecom", " unicom", "-unicom", " cellular", " wireless",
	"airtel", "vodafone", "reliance jio", "jio 4g", "jio 5g", "jio true5g", "vi india", "bsnl", "verizon", "at&t", "orange",
	"telefonica", "movistar", "docomo", "softbank", "kddi", "sk telecom", "sktelecom", "olleh", "lg u+", "singtel", "starhub", "smartone",
	"telstra", "optus", "telkomsel", "indosat", "telenor", "telia", "swisscom", "proximus", "kpn", "turkcell", "turk telekom",
	"mtn", "safaricom", "etisalat", "zain", "beeline", "megafon", "claro", "celcom", "maxis", "dtac", "cmcc", "chn-ct",
	"中国移动", "中国联通", "中国电信", "中国广电", "中華電信", "台灣大哥大", "遠傳",
}

// carrier: a network's code (country and network, 5 or 6 digits), or a name
// with a word that operators use.
func (f *Identifiers) carrier(v []byte) bool {
	if len(v) < 3 || len(v) > 48 || !utf8.Valid(v) {
		return false
	}
	start := len(f.scratch)
	if n, ok := f.digits(v, "", 6); ok && n >= 5 {
		return isMobileCountry(f.scratch[start:])
	}
	f.scratch = f.scratch[:start]
	for _, c := range v {
		if c < ' ' || c == 0x7f {
			return false
		}
		f.scratch = append(f.scratch, lower(c))
	}
	for _, word := range carrierWords {
		if hasWord(f.scratch[start:], word) {
			copy(f.scratch[start:], v) // as sent
			return true
		}
	}
	return false
}

// hasWord reports that word stands in text between things that are no letters.
func hasWord(text []byte, word string) bool {
	i := bytes.Index(text, []byte(word))
	if i < 0 || i == 0 && (word[0] == ' ' || word[0] == '-') {
		return false
	}
	end := i + len(word)
	isLetter := func(c byte) bool { return c >= 'a' && c <= 'z' }
	return (i == 0 || !isLetter(word[0]) || !isLetter(text[i-1])) &&
		(end == len(text) || !isLetter(word[len(word)-1]) || !isLetter(text[end]))
}
