package wire

import "bytes"

// identifierKind is what a parameter name says its value is.
type identifierKind uint8

const (
	idIMEI identifierKind = iota
	idIMSI
	idMSISDN
	idAndroid
	idOAID
	idMAC
	idCarrier
)

var identifierKinds = [...]string{"imei", "imsi", "msisdn", "android-id", "oaid", "mac", "carrier"}

// identifierName is a rule: what a parameter name claims, and whether the
// name is also used for other things (weak: the value must be of the
// strictest shape; plus: a telephone number must have its plus sign).
type identifierName struct {
	kind identifierKind
	weak bool
	plus bool
}

// identifierNames is keyed by the name in lower case without separators and
// without a leading "x-". The names are those of Android's and vendors' own
// interfaces (getDeviceId, getSubscriberId, getLine1Number, Settings.Secure),
// of the Mobile Security Alliance's identifiers, and of operators' header
// enrichment.
var identifierNames = map[string]identifierName{
	"imei": {kind: idIMEI}, "imei1": {kind: idIMEI}, "imei2": {kind: idIMEI}, "imeis": {kind: idIMEI},
	"imeino": {kind: idIMEI}, "imeinumber": {kind: idIMEI}, "imeinum": {kind: idIMEI}, "imeicode": {kind: idIMEI},
	"deviceimei": {kind: idIMEI}, "phoneimei": {kind: idIMEI}, "mobileimei": {kind: idIMEI},
	"deviceid": {kind: idIMEI, weak: true}, "devid": {kind: idIMEI, weak: true}, "did": {kind: idIMEI, weak: true}, "phoneid": {kind: idIMEI, weak: true},

	"imsi": {kind: idIMSI}, "imsi1": {kind: idIMSI}, "imsi2": {kind: idIMSI}, "simimsi": {kind: idIMSI},
	"deviceimsi": {kind: idIMSI}, "phoneimsi": {kind: idIMSI}, "up3gppimsi": {kind: idIMSI},
	"subscriberid": {kind: idIMSI, weak: true}, "simid": {kind: idIMSI, weak: true},

	"msisdn": {kind: idMSISDN}, "upcallinglineid": {kind: idMSISDN}, "nokiamsisdn": {kind: idMSISDN},
	"wapmsisdn": {kind: idMSISDN}, "hmsisdn": {kind: idMSISDN}, "line1number": {kind: idMSISDN},
	"phonenumber": {kind: idMSISDN}, "phoneno": {kind: idMSISDN}, "phonenum": {kind: idMSISDN},
	"mobilenumber": {kind: idMSISDN}, "mobileno": {kind: idMSISDN}, "mobilenum": {kind: idMSISDN},
	"simnumber": {kind: idMSISDN}, "telephonenumber": {kind: idMSISDN}, "cellphonenumber": {kind: idMSISDN},
	"phone": {kind: idMSISDN, weak: true}, "mobile": {kind: idMSISDN, weak: true}, "tel": {kind: idMSISDN, weak: true},
	"telephone": {kind: idMSISDN, weak: true}, "cellphone": {kind: idMSISDN, weak: true}, "userphone": {kind: idMSISDN, weak: true},
	"mobilephone": {kind: idMSISDN, weak: true}, "number": {kind: idMSISDN, weak: true, plus: true},

	"androidid": {kind: idAndroid}, "ssaid": {kind: idAndroid}, "aid": {kind: idAndroid, weak: true},
	"anid": {kind: idAndroid, weak: true}, "androiddeviceid": {kind: idAndroid},

	"oaid": {kind: idOAID}, "msaoaid": {kind: idOAID}, "deviceoaid": {kind: idOAID},

	"mac": {kind: idMAC}, "macaddress": {kind: idMAC}, "macaddr": {kind: idMAC}, "wifimac": {kind: idMAC},
	"wlanmac": {kind: idMAC}, "devicemac": {kind: idMAC}, "wifimacaddress": {kind: idMAC}, "wmac": {kind: idMAC},
	"btmac": {kind: idMAC}, "bluetoothmac": {kind: idMAC}, "phonemac": {kind: idMAC},

	"carrier": {kind: idCarrier}, "carriername": {kind: idCarrier}, "operator": {kind: idCarrier},
	"operatorname": {kind: idCarrier}, "simoperator": {kind: idCarrier}, "simoperatorname": {kind: idCarrier},
	"networkoperator": {kind: idCarrier}, "networkoperatorname": {kind: idCarrier}, "spn": {kind: idCarrier},
}

const identifierNameMax = 24 // the longest above, with room

// identifierRule looks the parameter name up: whole, or the last part of a
// path ("device[imei]", "user.device.imei"). A last part counts only when its
// rule is not weak.
func identifierRule(name []byte) (identifierName, bool) {
	if len(name) == 0 || len(name) > 64 {
		return identifierName{}, false
	}
	if rule, ok := identifierLookup(name); ok {
		return rule, true
	}
	last := bytes.TrimRight(name, "]")
	if i := bytes.LastIndexAny(last, "[.:"); i >= 0 {
		if rule, ok := identifierLookup(last[i+1:]); ok && !rule.weak {
			return rule, true
		}
	}
	return identifierName{}, false
}

func identifierLookup(name []byte) (identifierName, bool) {
	if len(name) > 2 && lower(name[0]) == 'x' && (name[1] == '-' || name[1] == '_') {
		name = name[2:]
	}
	var flat [identifierNameMax]byte
	n := 0
	for _, c := range name {
		if c == '-' || c == '_' || c == ' ' {
			continue
		}
		if n == len(flat) {
			return identifierName{}, false
		}
		flat[n] = lower(c)
		n++
	}
	rule, ok := identifierNames[string(flat[:n])]
	return rule, ok
}
