package main

import (
	"fmt"
	"slices"
	"strings"

	"picket/alerts"
)

// m is the name of a metric, checked against those that are exported, with
// its selector: the sensor's, and what more is given.
func m(name, more string) string {
	i := slices.IndexFunc(alerts.Defs(), func(d alerts.Def) bool { return d.Name == alerts.Namespace+name })
	if i < 0 {
		panic("gen: no metric " + name) // a mistake in this program
	}
	return alerts.Namespace + name + "{" + strings.Trim(`instance=~"$sensor",`+more, ",") + "}"
}

// about is the help text of a metric.
func about(name string) string {
	for _, d := range alerts.Defs() {
		if d.Name == alerts.Namespace+name {
			return d.Help
		}
	}
	return ""
}

func rate(metric, by string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s[$__rate_interval]))", by, metric)
}

// grown is by how much a counter grew within the range. A series that was
// born within it counts whole: increase alone does not see the first value.
func grown(metric, by string) string {
	return fmt.Sprintf("sum by (%s) ((%s unless %s offset $__range) or increase(%s[$__range]))", by, metric, metric, metric)
}

func dashboards() []board {
	return []board{overview(), policy(), blindSpots(), health()}
}

const (
	maker    = `maker=~"$maker"`
	byPolicy = `policy=~"$policy"`
)

func overview() board {
	open := m("episode_open", byPolicy)
	sent := m("sent_bytes_total", maker)
	return board{
		uid: "picket-overview", title: "picket: Overview", variables: []string{"sensor", "maker", "policy"},
		panels: []panel{
			{title: "Open: page", kind: "stat", unit: "short", width: 4, height: 4, about: "Episodes somebody was paged for and that go on.", queries: []query{{`count(` + m("episode_open", byPolicy+`,severity="page"`) + `) or vector(0)`, ""}}, thresholds: []threshold{{1, "red"}}},
			{title: "Open: ticket", kind: "stat", unit: "short", width: 4, height: 4, about: "Episodes in the review queue.", queries: []query{{`count(` + m("episode_open", byPolicy+`,severity="ticket"`) + `) or vector(0)`, ""}}, thresholds: []threshold{{1, "orange"}}},
			{title: "Open: observed", kind: "stat", unit: "short", width: 4, height: 4, about: "Episodes that nobody is told of, and those that continue within a day.", queries: []query{{`count(` + m("episode_open", byPolicy+`,severity="observe"`) + `) or vector(0)`, ""}}},
			{title: "Handsets known", kind: "stat", unit: "short", width: 4, height: 4, about: about("devices"), queries: []query{{`sum(` + m("devices", maker+`,class="handset",confidence=~"likely|certain"`) + `) or vector(0)`, ""}}},
			{title: "Countries", kind: "stat", unit: "short", width: 4, height: 4, about: "To which handsets have sent within the range.", queries: []query{{`count(` + grown(sent, "country") + ` > 0) or vector(0)`, ""}}},
			{title: "Sent by handsets", kind: "stat", unit: "bytes", width: 4, height: 4, about: about("sent_bytes_total"), queries: []query{{`sum(increase(` + sent + `[$__range]))`, ""}}},
			{title: "Open episodes", kind: "table", unit: "short", width: 24, about: "A row leads to the evidence page of its device.", link: true, queries: []query{
				{open, ""}, {m("episode_info", byPolicy), ""}, {m("episode_sent_bytes", byPolicy), ""}}},
			{title: "Bytes of handsets by country", kind: "bargauge", unit: "bytes", width: 12, about: about("sent_bytes_total"), queries: []query{{`topk(15, ` + grown(sent, "country") + `)`, "{{country}}"}}},
			{title: "Bytes of handsets by country and maker", kind: "table", unit: "bytes", width: 12, queries: []query{{grown(sent, "maker, country") + ` > 0`, ""}}},
			{title: "Makers", kind: "bargauge", unit: "short", width: 12, about: about("devices"), queries: []query{{`topk(15, sum by (maker) (` + m("devices", maker+`,class="handset",confidence=~"likely|certain"`) + `))`, "{{maker}}"}}},
			{title: "Rate by country", kind: "timeseries", unit: "Bps", width: 12, queries: []query{{`topk(10, ` + rate(sent, "country") + `)`, "{{country}}"}}},
		},
	}
}

func policy() board {
	total := m("episodes_total", byPolicy+","+maker)
	return board{
		uid: "picket-policy", title: "picket: Policy", variables: []string{"sensor", "maker", "policy"},
		panels: []panel{
			{title: "Open episodes", kind: "timeseries", unit: "short", width: 12, about: about("episode_open"), queries: []query{{`count by (policy, severity) (` + m("episode_open", byPolicy) + `)`, "{{policy}} {{severity}}"}}},
			{title: "What they did", kind: "timeseries", unit: "short", width: 12, about: about("episode_condition"), queries: []query{{`sum by (policy, condition) (` + m("episode_condition", byPolicy) + `)`, "{{policy}} {{condition}}"}}},
			{title: "Episodes opened, by maker", kind: "bargauge", unit: "short", width: 8, about: about("episodes_total"), queries: []query{{grown(total, "maker") + ` > 0`, "{{maker}}"}}},
			{title: "Episodes opened, by country", kind: "bargauge", unit: "short", width: 8, queries: []query{{grown(total, "country") + ` > 0`, "{{country}}"}}},
			{title: "Open episodes, by basis", kind: "bargauge", unit: "short", width: 8, about: "By which of the four answers the place is restricted.", queries: []query{{`count by (basis) (` + m("episode_info", byPolicy+","+maker) + `)`, "{{basis}}"}}},
			{title: "Bytes within open episodes", kind: "timeseries", unit: "bytes", width: 12, about: about("episode_sent_bytes"), queries: []query{{`topk(20, ` + m("episode_sent_bytes", byPolicy) + `)`, "{{policy}} {{device}}"}}},
			{title: "Exemptions end", kind: "table", unit: "s", width: 12, about: about("exemption_end_timestamp_seconds"), queries: []query{{`min by (policy) (` + m("exemption_end_timestamp_seconds", byPolicy) + `) - time() or vector(0)`, ""}}},
			{title: "Devices", kind: "table", unit: "short", width: 12, link: true, queries: []query{{m("episode_info", byPolicy+","+maker), ""}, {m("episode_detail", byPolicy), ""}, {m("episode_sent_bytes", byPolicy), ""}}},
		},
	}
}

func blindSpots() board {
	vis, all := m("handset_visibility_bytes_total", ""), m("flow_visibility_bytes_total", "")
	unnamed := m("handset_visibility_bytes_total", `visibility=~"none|ech|doh|tunnel|truncated|missed-start|one-way"`)
	return board{
		uid: "picket-blind-spots", title: "picket: Blind spots", variables: []string{"sensor"},
		panels: []panel{
			{title: "Bytes of handsets without a name", kind: "stat", unit: "percentunit", width: 6, height: 4, about: "Where they went is known by address alone, or not at all.", queries: []query{{`sum(increase(` + unnamed + `[$__range])) / sum(increase(` + vis + `[$__range]))`, ""}}, thresholds: []threshold{{.1, "orange"}, {.3, "red"}}},
			{title: "Bytes without a home", kind: "stat", unit: "percentunit", width: 6, height: 4, about: about("bytes_without_home_ratio"), queries: []query{{`max(` + m("bytes_without_home_ratio", "") + `)`, ""}}, thresholds: []threshold{{.01, "red"}}},
			{title: "Bytes without a device", kind: "stat", unit: "percentunit", width: 6, height: 4, about: about("bytes_without_device_ratio"), queries: []query{{`max(` + m("bytes_without_device_ratio", "") + `)`, ""}}, thresholds: []threshold{{.01, "orange"}}},
			{title: "Devices still learning", kind: "stat", unit: "percentunit", width: 6, height: 4, about: about("devices_learning_ratio"), queries: []query{{`max(` + m("devices_learning_ratio", "") + `)`, ""}}},
			{title: "Handsets: how destinations are named", kind: "timeseries", unit: "Bps", width: 12, about: about("handset_visibility_bytes_total"), queries: []query{{rate(vis, "visibility"), "{{visibility}}"}}},
			{title: "All devices: how destinations are named", kind: "timeseries", unit: "Bps", width: 12, about: about("flow_visibility_bytes_total"), queries: []query{{rate(all, "visibility"), "{{visibility}}"}}},
			{title: "One direction only", kind: "timeseries", unit: "Bps", width: 12, about: about("flow_one_way_bytes_total"), queries: []query{{rate(m("flow_one_way_bytes_total", ""), "instance"), "{{instance}}"}}},
			{title: "Devices by confidence", kind: "timeseries", unit: "short", width: 12, about: about("devices"), queries: []query{{`sum by (confidence) (` + m("devices", "") + `)`, "{{confidence}}"}}},
			{title: "Unknown devices by class", kind: "bargauge", unit: "short", width: 12, queries: []query{{`sum by (class) (` + m("devices", `maker="unknown"`) + `)`, "{{class}}"}}},
			{title: "Lost before the sensor", kind: "timeseries", unit: "Bps", width: 12, about: about("capture_missed_bytes_total"), queries: []query{{rate(m("capture_missed_bytes_total", ""), "instance"), "{{instance}}"}}},
			{title: "Held until a verdict", kind: "timeseries", unit: "bytes", width: 12, about: about("judge_held_bytes"), queries: []query{{`sum by (instance) (` + m("judge_held_bytes", "") + `)`, "{{instance}}"}}},
			{title: "Handshakes", kind: "timeseries", unit: "short", width: 24, about: about("handshakes_total"), queries: []query{{rate(m("handshakes_total", ""), "protocol, outcome"), "{{protocol}} {{outcome}}"}}},
		},
	}
}

func health() board {
	return board{
		uid: "picket-sensor-health", title: "picket: Sensor health", variables: []string{"sensor"},
		panels: []panel{
			{title: "Configuration", kind: "stat", unit: "short", width: 6, height: 4, about: about("config_last_reload_successful"), queries: []query{{`min(` + m("config_last_reload_successful", "") + `)`, ""}}},
			{title: "Age of the oldest database", kind: "stat", unit: "s", width: 6, height: 4, about: about("geo_database_build_timestamp_seconds"), queries: []query{{`time() - min(` + m("geo_database_build_timestamp_seconds", "") + `)`, ""}}, thresholds: []threshold{{60 * 86400, "orange"}, {90 * 86400, "red"}}},
			{title: "Alerts not told", kind: "stat", unit: "short", width: 6, height: 4, about: about("notifications_pending"), queries: []query{{`sum(` + m("notifications_pending", "") + `)`, ""}}, thresholds: []threshold{{1, "orange"}}},
			{title: "Store errors", kind: "stat", unit: "short", width: 6, height: 4, about: about("store_errors_total"), queries: []query{{`sum(increase(` + m("store_errors_total", "") + `[$__range]))`, ""}}, thresholds: []threshold{{1, "red"}}},
			{title: "Frames", kind: "timeseries", unit: "pps", width: 12, about: about("capture_frames_total"), queries: []query{{rate(m("capture_frames_total", ""), "instance, interface"), "{{instance}} {{interface}}"}}},
			{title: "Bytes", kind: "timeseries", unit: "Bps", width: 12, about: about("capture_bytes_total"), queries: []query{{rate(m("capture_bytes_total", ""), "instance"), "{{instance}}"}}},
			{title: "Frames dropped", kind: "timeseries", unit: "pps", width: 12, about: about("capture_dropped_frames_total"), queries: []query{{rate(m("capture_dropped_frames_total", ""), "instance, interface, where"), "{{instance}} {{interface}} {{where}}"}}},
			{title: "Interfaces down", kind: "timeseries", unit: "percentunit", width: 12, about: about("capture_gap_seconds_total"), queries: []query{{rate(m("capture_gap_seconds_total", ""), "instance, interface"), "{{instance}} {{interface}}"}}},
			{title: "Where decoding stopped", kind: "timeseries", unit: "pps", width: 12, about: about("packet_stops_total"), queries: []query{{rate(m("packet_stops_total", ""), "reason"), "{{reason}}"}}},
			{title: "Duplicate frames", kind: "timeseries", unit: "pps", width: 12, about: about("capture_duplicate_frames_total"), queries: []query{{rate(m("capture_duplicate_frames_total", ""), "instance"), "{{instance}}"}}},
			{title: "Flows", kind: "timeseries", unit: "short", width: 12, about: about("flows"), queries: []query{{`sum by (instance) (` + m("flows", "") + `)`, "{{instance}}"}}},
			{title: "Flows evicted", kind: "timeseries", unit: "short", width: 12, about: about("flows_evicted_total"), queries: []query{{rate(m("flows_evicted_total", ""), "reason"), "{{reason}}"}}},
			{title: "Observations lost", kind: "timeseries", unit: "short", width: 12, about: about("observations_dropped_total"), queries: []query{{rate(m("observations_dropped_total", ""), "instance"), "{{instance}}"}}},
			{title: "Alert latency", kind: "timeseries", unit: "s", width: 12, about: about("alert_latency_seconds"), queries: []query{
				{`histogram_quantile(0.5, sum by (le) (rate(` + bucket() + `[$__rate_interval])))`, "half of them"},
				{`histogram_quantile(0.99, sum by (le) (rate(` + bucket() + `[$__rate_interval])))`, "99 of 100"}}},
			{title: "Notifications", kind: "timeseries", unit: "short", width: 12, about: about("notifications_total"), queries: []query{{rate(m("notifications_total", ""), "outcome"), "{{outcome}}"}, {`sum(` + m("notifications_held", "") + `)`, "held"}}},
			{title: "Forgotten by the judge", kind: "timeseries", unit: "short", width: 12, about: about("judge_evicted_total"), queries: []query{{rate(m("judge_evicted_total", ""), "what"), "{{what}}"}, {`sum(` + m("judge_devices", "") + `)`, "devices held"}}},
			{title: "Series beyond the budget", kind: "timeseries", unit: "short", width: 12, about: about("series_overflow_total"), queries: []query{{rate(m("series_overflow_total", ""), "instance"), "{{instance}}"}}},
			{title: "Pages of the sensors", kind: "table", unit: "short", width: 12, about: about("web_info"), queries: []query{{`count by (instance, url) (` + m("web_info", "") + `) or vector(0)`, ""}}},
			{title: "Last good reload", kind: "table", unit: "dateTimeAsIso", width: 12, about: about("config_last_reload_success_timestamp_seconds"), queries: []query{{m("config_last_reload_success_timestamp_seconds", "") + ` * 1000`, ""}}},
		},
	}
}

// bucket is the series behind the histogram of latency.
func bucket() string {
	return strings.Replace(m("alert_latency_seconds", ""), "_seconds{", "_seconds_bucket{", 1)
}
