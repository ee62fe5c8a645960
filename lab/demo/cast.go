package main

// A device of the story, with what it says of itself and what it does.
type device struct {
	name  string // of its namespace
	mac   string
	ip    string
	dhcp  dhcpClient
	tasks []task
}

// dhcpClient is what the device's DHCP client sends; params are names that
// dhclient knows (or that its configuration defines).
type dhcpClient struct {
	hostname string // "" sends none
	class    string // option 60, "" sends none
	params   string
}

// task is one thing a device does; exactly one of the verbs is set.
type task struct {
	ask   string // resolve only
	tls   string // name to connect to over TLS
	quic  string // the same over QUIC
	http  string // plain HTTP
	hello string // which real client: okhttp, ios, chrome, go
	send  int    // bytes of request body
	path  string
	agent string
	body  string // instead of send random bytes
	form  bool
}

// Parameter request lists, in the words of dhclient's configuration.
const (
	android10 = "subnet-mask, routers, domain-name-servers, domain-name, interface-mtu, broadcast-address, dhcp-lease-time, dhcp-renewal-time, dhcp-rebinding-time, vendor-encapsulated-options, captive-portal, v6-only"
	android4  = "subnet-mask, static-routes, routers, domain-name-servers, domain-name, broadcast-address, dhcp-lease-time, dhcp-renewal-time, dhcp-rebinding-time"
	androidTV = "subnet-mask, routers, domain-name-servers, domain-name, interface-mtu, broadcast-address, dhcp-lease-time, dhcp-renewal-time, dhcp-rebinding-time, vendor-encapsulated-options"
	ios       = "subnet-mask, classless-routes, routers, domain-name-servers, domain-name, v6-only, captive-portal, domain-search, wpad"
)

// cast is the story: see the README of this folder's output in the demo.
var cast = []device{
	{"redmi", "5a:11:22:33:44:01", "10.20.0.11", dhcpClient{"Redmi-Note-12", "android-dhcp-13", android10}, []task{
		{http: "connectivitycheck.gstatic.com", path: "/generate_204", agent: "Dalvik/2.1.0 (Linux; U; Android 13; 23021RAAEG Build/TKQ1.221114.001)"},
		{ask: "mtalk.google.com"},
		{tls: "update.intl.miui.com", hello: "okhttp", send: 2200},
		{tls: "find.api.micloud.xiaomi.net", hello: "okhttp", send: 1400},
		{tls: "api.sec.intl.miui.com", hello: "okhttp", send: 3100},
		{tls: "data.mistat.xiaomi.com", hello: "okhttp", send: 24000},
		{tls: "tracking.miui.com", hello: "okhttp", send: 9000},
	}},
	{"poco", "7e:21:0b:5d:90:02", "10.20.0.12", dhcpClient{"POCO-X5-Pro-5G", "android-dhcp-13", android10}, []task{
		{http: "connectivitycheck.gstatic.com", path: "/generate_204", agent: "Dalvik/2.1.0 (Linux; U; Android 13; 22101320G Build/TKQ1.221114.001)"},
		{tls: "api.sec.intl.miui.com", hello: "okhttp", send: 1800},
		{tls: "update.intl.miui.com", hello: "okhttp", send: 1500},
		{tls: "api.launcher.intl.miui.com", hello: "okhttp", send: 1300},
		{tls: "data.mistat.intl.xiaomi.com", hello: "okhttp", send: 31000},
		{quic: "app.chat.global.xiaomi.net", send: 5200},
	}},
	{"iphone", "b6:4c:0e:71:a2:03", "10.20.0.13", dhcpClient{"Johns-iPhone", "", ios}, []task{
		{http: "captive.apple.com", path: "/hotspot-detect.html", agent: "CaptiveNetworkSupport-471.60.7 wispr"},
		{ask: "18-courier.push.apple.com"},
		{tls: "gsp-ssl.ls.apple.com", hello: "ios", send: 900},
		{tls: "de.api.io.mi.com", hello: "ios", send: 4200},
		{tls: "api.account.xiaomi.com", hello: "ios", send: 1100},
		{http: "neverssl.com", path: "/", agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"},
	}},
	{"galaxy", "d2:9a:47:13:58:04", "10.20.0.14", dhcpClient{"Galaxy-A54", "android-dhcp-14", android10}, []task{
		{http: "connectivitycheck.gstatic.com", path: "/generate_204", agent: "Dalvik/2.1.0 (Linux; U; Android 14; SM-A546B Build/UP1A.231005.007)"},
		{tls: "fota-cloud-dn.ospserver.net", hello: "okhttp", send: 1200},
		{tls: "dc.di.atlas.samsung.com", hello: "okhttp", send: 2600},
		{tls: "resolver.msg.global.xiaomi.net", hello: "okhttp", send: 700},
		{tls: "fr.app.chat.global.xiaomi.net", hello: "okhttp", send: 3900},
	}},
	{"mitv", "04:7a:0b:3c:10:05", "10.20.0.15", dhcpClient{"MiTV-AXSO0", "android-dhcp-9", androidTV}, []task{
		{http: "connectivitycheck.gstatic.com", path: "/generate_204", agent: "Dalvik/2.1.0 (Linux; U; Android 9; MiTV-AXSO0 Build/PI)"},
		{tls: "mitv.tracking.intl.miui.com", hello: "okhttp", send: 1900},
		{tls: "box.pandora.xiaomi.com", hello: "okhttp", send: 1500},
		{tls: "data.mistat.xiaomi.com", hello: "okhttp", send: 7000},
	}},
	{"pixel", "aa:3f:66:c0:12:06", "10.20.0.16", dhcpClient{"Mia-s-Pixel-8", "android-dhcp-14", android10}, []task{
		{http: "connectivitycheck.gstatic.com", path: "/generate_204", agent: "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A.231105.004)"},
		{quic: "www.google.com", send: 1600},
		{tls: "www.sina.com.cn", hello: "chrome", send: 2100},
		{tls: "www.mi.com", hello: "chrome", send: 1700},
	}},
	{"hm1s", "64:09:80:1c:22:07", "10.20.0.17", dhcpClient{"android-3f1c77a0be42d915", "dhcpcd-5.5.6", android4}, []task{
		{http: "api.account.xiaomi.com", path: "/pass/v3/user@id", form: true,
			agent: "Dalvik/1.6.0 (Linux; U; Android 4.3; HM 1SW MIUI/JHCMIBH45.0)",
			body:  "carrier=Example+Mobile&phone=%2B12025550143&imei=864628020123454&type=activate"},
		{ask: "update.miui.com"},
		{http: "update.miui.com", path: "/updates/mi-updateV5.php", agent: "Dalvik/1.6.0 (Linux; U; Android 4.3; HM 1SW MIUI/JHCMIBH45.0)"},
		{tls: "find.api.micloud.xiaomi.net", hello: "go", send: 2400},
	}},
}

// server is where a name leads: its CNAME chain and address. The addresses
// stand in networks of the kind that the story needs; in the lab they are
// on one machine.
type server struct {
	cname string
	addr  string
}

var servers = map[string]server{
	"connectivitycheck.gstatic.com":  {"", "142.250.185.67"},
	"mtalk.google.com":               {"", "142.250.110.188"},
	"www.google.com":                 {"", "142.250.185.68"},
	"captive.apple.com":              {"", "17.253.53.201"},
	"18-courier.push.apple.com":      {"", "17.57.146.20"},
	"gsp-ssl.ls.apple.com":           {"", "17.253.53.203"},
	"neverssl.com":                   {"", "34.223.124.45"},
	"fota-cloud-dn.ospserver.net":    {"", "54.239.28.85"},
	"dc.di.atlas.samsung.com":        {"", "52.17.104.9"},
	"update.intl.miui.com":           {"update-intl-miui-com-1187.ap-southeast-1.elb.amazonaws.com", "52.76.31.14"},
	"find.api.micloud.xiaomi.net":    {"", "120.92.65.37"},
	"api.sec.intl.miui.com":          {"api-sec-intl-miui-com-903.ap-southeast-1.elb.amazonaws.com", "52.76.31.15"},
	"api.launcher.intl.miui.com":     {"api-launcher-intl-miui-com-417.ap-southeast-1.elb.amazonaws.com", "52.76.31.19"},
	"data.mistat.xiaomi.com":         {"", "120.92.96.155"},
	"tracking.miui.com":              {"", "120.92.96.156"},
	"data.mistat.intl.xiaomi.com":    {"data-mistat-intl-xiaomi-com-2231.ap-southeast-1.elb.amazonaws.com", "52.76.31.16"},
	"app.chat.global.xiaomi.net":     {"idmb-app-chat-global-xiaomi-net-771.ap-southeast-1.elb.amazonaws.com", "52.76.31.17"},
	"de.api.io.mi.com":               {"de-api-io-mi-com-402.eu-central-1.elb.amazonaws.com", "18.195.10.20"},
	"api.account.xiaomi.com":         {"", "120.92.65.38"},
	"resolver.msg.global.xiaomi.net": {"resolver-msg-global-xiaomi-net-88.eu-central-1.elb.amazonaws.com", "18.195.10.21"},
	"fr.app.chat.global.xiaomi.net":  {"fr-app-chat-global-xiaomi-net-1516.eu-central-1.elb.amazonaws.com", "18.195.10.22"},
	"mitv.tracking.intl.miui.com":    {"mitv-tracking-intl-miui-com-31.ap-southeast-1.elb.amazonaws.com", "52.76.31.18"},
	"box.pandora.xiaomi.com":         {"", "120.92.96.157"},
	"www.sina.com.cn":                {"", "123.126.45.205"},
	"www.mi.com":                     {"", "120.92.65.39"},
	"update.miui.com":                {"", "120.92.65.40"},
}
