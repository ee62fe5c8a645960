package alerts

// Def defines one metric. Exporter, dashboards and the test of the rule
// files are all fed from Defs.
type Def struct {
	Name   string
	Type   string // counter, gauge, histogram
	Labels []string
	Help   string
}

// Namespace is the first word of every metric.
const Namespace = "picket_"

// Defs lists every metric of package alerts. The names and labels without a
// note are a contract with dashboards and rules (DESIGN section 6).
func Defs() []Def { return append(sensorDefs(), judgeDefs()...) }

// sensorDefs are filled from a Snapshot at each scrape.
func sensorDefs() []Def {
	return []Def{
		{"picket_capture_frames_total", "counter", []string{"interface"}, "Frames read."},
		{"picket_capture_bytes_total", "counter", nil, "Bytes of the frames read, as they were on the wire."},
		{"picket_capture_dropped_frames_total", "counter", []string{"interface", "where"}, "Frames lost before they were read: by the kernel's buffer or by the interface."},
		{"picket_capture_gap_seconds_total", "counter", []string{"interface"}, "How long the interface was down: nothing was seen."},
		{"picket_capture_missed_bytes_total", "counter", nil, "Payload that was acknowledged but never seen: lost before it reached the interface."},
		{"picket_capture_duplicate_frames_total", "counter", nil, "Frames that the span delivered a second time and that were not counted again."},
		{"picket_packet_stops_total", "counter", []string{"reason"}, "Frames that were not decoded to the end, by reason."},
		{"picket_flows", "gauge", nil, "Flows being followed."},
		{"picket_flows_evicted_total", "counter", []string{"reason"}, "Flows that ended by a limit and not by themselves."},
		{"picket_handshakes_total", "counter", []string{"protocol", "outcome"}, "Handshakes seen, by what became of reading them."},
		{"picket_flow_visibility_bytes_total", "counter", []string{"visibility"}, "Bytes sent by devices, by how their destination was named."},
		{"picket_flow_one_way_bytes_total", "counter", nil, "Bytes of conversations of which only one direction was seen, whether named or not."},
		{"picket_observations_dropped_total", "counter", nil, "Observations lost because the slow side was behind."},
		{"picket_devices", "gauge", []string{"maker", "class", "confidence"}, "Devices known, by verdict."},
		{"picket_devices_learning_ratio", "gauge", nil, "Share of devices of which too little has been seen to say anything."},
		{"picket_bytes_without_home_ratio", "gauge", nil, "Share of bytes with neither end inside home_networks."},
		{"picket_bytes_without_device_ratio", "gauge", nil, "Share of bytes that no device could be found for."},
		{"picket_web_info", "gauge", []string{"url"}, "1, with the address under which people reach this sensor's pages; absent without web.external_url. Alerts link to it."},
		{"picket_geo_database_build_timestamp_seconds", "gauge", []string{"database"}, "When the database was built."},
	}
}

// judgeDefs are counted by judge and notifier.
func judgeDefs() []Def {
	return []Def{
		{"picket_sent_bytes_total", "counter", []string{"maker", "country"}, "Bytes sent by handsets, by maker and location of the server."},
		{"picket_handset_visibility_bytes_total", "counter", []string{"visibility"}, "Bytes sent by handsets, by how their destination was named."},
		{"picket_episode_open", "gauge", []string{"policy", "severity", "device"}, "1 while an episode is open. One that continues within 24 hours of its end has severity observe."},
		{"picket_episode_info", "gauge", []string{"device", "policy", "maker", "confidence", "country", "basis"}, "1 while an episode is open, with what is known of it."},
		{"picket_episode_detail", "gauge", []string{"policy", "device", "condition", "families"}, "1 while an episode is open, with what the device did and the families of evidence that speak for its maker."},
		{"picket_episode_sent_bytes", "gauge", []string{"policy", "device"}, "Bytes sent within an open episode."},
		{"picket_episode_pushed", "gauge", []string{"policy", "device"}, "1 while an open episode stands in an Alertmanager that picket itself told, or is on its way there for less than 10 seconds."},
		{"picket_episodes_total", "counter", []string{"policy", "maker", "country"}, "Episodes opened. Alert on picket_episode_open, never on the increase of this."},
		{"picket_episode_condition", "gauge", []string{"policy", "condition"}, "Open episodes by what the devices did."},
		{"picket_exemption_end_timestamp_seconds", "gauge", []string{"policy"}, "When the next exemption of a policy ends; absent where none does."},
		{"picket_alert_latency_seconds", "histogram", nil, "From the first offending byte, or the verdict if later, to acceptance by an Alertmanager."},
		{"picket_notifications_total", "counter", []string{"outcome"}, "Alerts sent to an Alertmanager, by what became of them."},
		{"picket_notifications_pending", "gauge", nil, "Alerts that some Alertmanager has not accepted yet."},
		{"picket_notifications_held", "gauge", nil, "New alerts held back by the rate limit: a storm."},
		{"picket_judge_evicted_total", "counter", []string{"what"}, "What the judge forgot by a limit: devices, held accounts, servers of an account, open episodes, conversations without a name."},
		{"picket_judge_devices", "gauge", nil, "Devices the judge holds something of."},
		{"picket_judge_held_bytes", "gauge", nil, "Bytes sent to restricted places by devices whose verdict is not in yet."},
		{"picket_store_errors_total", "counter", nil, "Failed writes of episodes and alerts to the store."},
		{"picket_config_last_reload_successful", "gauge", nil, "1 when the last reload of configuration, signatures and databases succeeded."},
		{"picket_config_last_reload_success_timestamp_seconds", "gauge", nil, "When a reload last succeeded."},
		{"picket_series_overflow_total", "counter", nil, "Updates that went to a series named other because the budget of series was used up."},
	}
}
