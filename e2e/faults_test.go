package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// told tells the desk's Alertmanager by push.
const told = "alertmanager: {urls: ['" + managerURL + "']}\n"

// policyOf is a policy about servers in CN, by location alone.
func policyOf(name, more string) string {
	return "policies:\n  - name: " + name + "\n    restricted: {countries: [CN], basis: [location]}\n    quiet: 2h\n" + more
}

const (
	paging    = "    severity: page\n    devices: {makers: [xiaomi]}\n"
	reviewing = "    severity: page\n    severity_at: {likely: ticket}\n    devices: {makers: [xiaomi], confidence: likely}\n"
)

// faults are in the order in which they are caused: those that spoil the
// span for the next come last.
var faults = []fault{
	{"PicketWatchdog", func(w *walk) { w.starts("") }, []string{"PicketWatchdog"}},
	{"PicketGeoDatabaseOld", func(w *walk) { w.starts("") }, []string{"routeviews-asn"}},
	{"PicketImportedDataOld", importedLongAgo, []string{"signatures"}},
	{"PicketViolation", func(w *walk) { w.violates(policyOf("xiaomi-to-cn", paging)) }, []string{"xiaomi", "certain"}},
	{"PicketEpisode", func(w *walk) { w.violates(told + policyOf("xiaomi-to-cn", paging)) }, []string{"xiaomi", "certain"}},
	{"PicketReview", func(w *walk) { w.isLikely(policyOf("xiaomi-to-cn", reviewing)) }, []string{"xiaomi", "likely"}},
	{"PicketEpisodeReview", func(w *walk) { w.isLikely(told + policyOf("xiaomi-to-cn", reviewing)) }, []string{"xiaomi", "likely"}},
	{"PicketIdentifierInClear", func(w *walk) {
		w.starts(policyOf("xiaomi-to-cn", paging))
		w.joins()
		w.phone.get("tracking.miui.com", "/t?imei=490154203237518", redmiAgent)
	}, []string{`condition="identifier"`}},
	{"PicketProhibitedDevicePresent", func(w *walk) {
		w.starts(policyOf("xiaomi-to-cn", paging+"    severities: {seen: ticket}\n"))
		w.joins()
	}, []string{`condition="seen"`}},
	{"PicketHiddenTraffic", func(w *walk) {
		hiding := policyOf("xiaomi-to-kp", paging+"    severities: {hidden: ticket}\n    hidden: {share: 0.3, sent: 50KiB}\n")
		w.starts(strings.Replace(hiding, "[CN]", "[KP]", 1)) // what goes to a restricted address is no secret
		w.joins()
		w.uploadsUnnamed()
	}, []string{`condition="hidden"`}},
	{"PicketExemptionEnding", func(w *walk) {
		soon := time.Now().AddDate(0, 0, 2).UTC().Format(time.DateOnly)
		w.starts(policyOf("xiaomi-to-cn", paging+"    except: {devices: [{value: d-0123456789ab, until: "+soon+", comment: lab phone}]}\n"))
	}, []string{"lab phone", "ends on"}},
	{"PicketStorm", func(w *walk) { w.crowds(told + policyOf("xiaomi-to-cn", paging)) }, []string{"picket_notifications_held"}},
	{"PicketNotifierFailing", func(w *walk) { // one of two Alertmanagers is down
		w.violates("alertmanager: {urls: ['" + managerURL + "', 'http://127.0.0.1:9094']}\n" + policyOf("xiaomi-to-cn", paging))
	}, []string{`notifications_total{outcome="failed"}`, "notifications_pending 1"}},
	{"PicketCanaryFailing", func(w *walk) { // no Alertmanager listens, and no episode is there to say so
		w.starts("alertmanager: {urls: ['http://127.0.0.1:9094']}\ncanary: {every: 1m}\n" + policyOf("xiaomi-to-cn", paging))
		within(w.t, 5*time.Minute, "PicketCanaryFailing", func() bool {
			n, err := w.prom.series(`ALERTS{alertstate="firing",alertname="PicketCanaryFailing"}`)
			return err == nil && n > 0
		})
	}, []string{`picket_canary_detections{result="missing"} 0`, "picket_canary_last_success_timestamp_seconds 0"}},
	{"PicketReloadFailed", func(w *walk) {
		w.starts(policyOf("xiaomi-to-cn", paging))
		w.write("picket.yml", "%s", policyOf("xiaomi-to-cn", strings.Replace(paging, "page", "pgae", 1)))
		w.sensor.signal(syscall.SIGHUP)
	}, []string{"picket.yml:5", `did you mean "page"?`}},
	{"PicketStoreFailing", storeIsFull, []string{"100%"}},
	{"PicketSeriesBudgetReached", func(w *walk) {
		w.starts("limits: {series: 1600}\n" + policyOf("xiaomi-to-cn", paging))
		w.joins()
		w.phone.upload("www.sina.com.cn", 5_000)
	}, []string{`picket_series_overflow_total`}},
	{"PicketHomeUnknown", func(w *walk) {
		w.starts("home_networks: [192.168.0.0/16]\n")
		w.joins()
		w.keep(func() { w.phone.upload("www.sina.com.cn", 1_200_000) }) // enough to advise on
		w.sensor.said("home_networks")
	}, []string{"picket_bytes_without_home_ratio 0.9"}},
	{"PicketVisibilityLow", func(w *walk) {
		w.starts("")
		w.joins()
		w.keep(w.uploadsUnnamed)
	}, []string{`picket_handset_visibility_bytes_total{visibility="none"}`}},
	{"PicketUpstreamLoss", func(w *walk) { // the span carries less than it mirrors
		w.starts("")
		w.output(w.gw, "tc", "qdisc", "add", "dev", "span0", "root", "tbf", "rate", "2mbit", "burst", "20k", "limit", "20k")
		defer w.output(w.gw, "tc", "qdisc", "del", "dev", "span0", "root")
		w.phone.address("10.20.0.60")
		w.keep(func() { w.phone.upload("www.sina.com.cn", 1_000_000) })
	}, []string{"picket_capture_missed_bytes_total"}},
	{"PicketOneWaySpan", func(w *walk) { // only what the phones send is mirrored
		w.starts("")
		w.output(w.gw, "tc", "filter", "del", "dev", "br0", "egress")
		defer w.output(w.gw, "tc", "filter", "add", "dev", "br0", "egress", "protocol", "all", "u32", "match", "u32", "0", "0",
			"action", "mirred", "egress", "mirror", "dev", "span0")
		w.phone.address("10.20.0.60")
		w.keep(func() { w.phone.upload("www.sina.com.cn", 20_000) })
	}, []string{"picket_flow_one_way_bytes_total"}},
	{"PicketCaptureDropping", func(w *walk) { // a sensor that does not get to read
		w.starts("capture: {ring_size: 1MiB}\n")
		w.keep(func() {
			w.sensor.signal(syscall.SIGSTOP)
			w.floods(20_000)
			w.sensor.signal(syscall.SIGCONT)
			w.reaches(1, "picket_capture_dropped_frames_total", "where=kernel")
		})
	}, []string{`where="kernel"`}},
	{"PicketObservationsDropped", func(w *walk) { // DHCP from a hundred thousand addresses
		w.starts("")
		w.keep(func() { w.floods(100_000) })
	}, []string{"picket_observations_dropped_total"}},
	{"PicketCaptureGap", func(w *walk) {
		w.starts("")
		w.ip(w.gw, "link set %s down", span)
		w.reaches(2, "picket_capture_gap_seconds_total")
		w.ip(w.gw, "link set %s up", span)
		w.sensor.said("up again")
	}, []string{"interface is up again"}},
	{"PicketNoFrames", func(w *walk) {
		w.starts("")
		w.ip(w.gw, "link set %s down", span)
		w.t.Cleanup(func() { _ = w.gw.IP("link set %s up", span) })
	}, []string{"DOWN"}},
	{"PicketSensorDown", func(w *walk) {
		w.starts("")
		w.sensor.stop(syscall.SIGTERM)
	}, []string{"curl: (7)"}},
	{"PicketSensorAbsent", func(w *walk) {
		w.starts("")
		file := filepath.Join(w.dir, "prometheus.yml")
		b, err := os.ReadFile(file)
		ok(w.t, err)
		w.write("prometheus.yml", "%s", strings.Replace(string(b), "job_name: picket", "job_name: sensors", 1))
		w.prom.signal(syscall.SIGHUP)
	}, []string{"job_name: sensors"}},
}

// violates lets a certain handset send to CN.
func (w *walk) violates(config string) {
	w.t.Helper()
	w.starts(config)
	w.joins()
	w.phone.upload("data.mistat.xiaomi.com", 30_000)
}

// isLikely does the same with a handset of which one family is seen: a static
// address, and names alone.
func (w *walk) isLikely(config string) {
	w.t.Helper()
	w.starts(config)
	w.phone.address("10.20.0.60")
	w.phone.ask("update.intl.miui.com")
	w.phone.ask("find.api.micloud.xiaomi.net")
	w.phone.ask("api.sec.intl.miui.com")
	w.phone.upload("data.mistat.xiaomi.com", 30_000)
}

// uploadsUnnamed sends over TLS to an address whose name nobody sees.
func (w *walk) uploadsUnnamed() {
	u := w.phone.secure(servers["www.sina.com.cn"], "")
	u.send(200_000)
	u.close()
}

// keep does something again and again until the alert fires.
func (w *walk) keep(do func()) {
	w.t.Helper()
	pause := time.NewTicker(time.Second)
	defer pause.Stop()
	for range 60 {
		do()
		if n, err := w.prom.series(`ALERTS{alertstate="firing",alertname="` + w.alert + `"}`); err == nil && n > 0 {
			return
		}
		<-pause.C
	}
	w.t.Fatalf("%s does not fire", w.alert)
}

// storeIsFull has a store on a file system without room.
func storeIsFull(w *walk) {
	need(w.t, "mount", "umount")
	state := filepath.Join(w.dir, "small")
	ok(w.t, os.Mkdir(state, 0o700))
	run(w.t, "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", state)
	w.t.Cleanup(func() { run(w.t, "umount", "-l", state) })
	w.startsIn(state, policyOf("xiaomi-to-cn", paging))
	full, err := os.Create(filepath.Join(state, "full"))
	ok(w.t, err)
	defer full.Close()
	for err == nil {
		_, err = full.Write(make([]byte, 4096))
	}
	w.joins()
	w.phone.upload("data.mistat.xiaomi.com", 30_000)
}

// importedLongAgo runs on a bundle that was made a year ago.
func importedLongAgo(w *walk) {
	state, err := os.MkdirTemp(w.dir, "state")
	ok(w.t, err)
	groups, key, bundle := filepath.Join(w.dir, "site", "groups"), filepath.Join(w.dir, "key"), filepath.Join(w.dir, "bundle")
	ok(w.t, os.MkdirAll(groups, 0o755))
	w.write("site/groups/ours.yml", "groups:\n  ours: [NO, SE]\n")
	w.output(w.gw, binary(w.t), "data", "keygen", "-o", key)
	w.output(w.gw, binary(w.t), "data", "pack", filepath.Dir(groups), "--key", key, "-o", bundle)
	w.output(w.gw, binary(w.t), "data", "import", bundle, "--key", key+".pub", "--state", state)
	manifest := filepath.Join(state, "data", "current", "manifest.json")
	made := time.Now().AddDate(-1, 0, 0).UTC().Format(time.RFC3339)
	ok(w.t, os.WriteFile(manifest, []byte(`{"created":"`+made+`"}`), 0o644))
	w.startsIn(state, "")
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}
