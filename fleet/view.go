package fleet

import "time"

// View is what this sensor knows of the fleet, and of its own part in it. It
// is what pages and `/api/v1/fleet` show.
type View struct {
	Mode        string    `json:"mode"` // off, embedded, url
	Name        string    `json:"name"`
	Connected   bool      `json:"connected"`       // to a cluster that has the streams
	Trouble     string    `json:"trouble"`         // why not; empty: none
	Heard       time.Time `json:"heard,omitzero"`  // of the latest message of another sensor
	Waiting     int       `json:"waiting"`         // said and not acknowledged by the cluster
	Oldest      time.Time `json:"oldest,omitzero"` // of what waits: when it was said
	SpoolBytes  int64     `json:"spool_bytes"`     // on disk
	Lost        uint64    `json:"lost"`            // given up because the queue was full
	Published   uint64    `json:"published"`       // things the cluster has acknowledged
	Applied     uint64    `json:"applied"`         // things of others taken over
	Refused     uint64    `json:"refused"`         // messages of others not believed
	Sensors     []Sensor  `json:"sensors"`         // every one, this one too, by name
	Differences []string  `json:"differences"`     // in words, where they judge differently
}

// View tells how the fleet is doing, as this sensor sees it.
func (n *Node) View() View {
	v := View{
		Mode: n.c.Mode, Name: n.c.Name, Connected: n.at.Load() != nil && n.nc.IsConnected(), Lost: n.spool.dropped.Load(),
		Published: n.published.Load(), Applied: n.applied.Load(), Refused: n.refused.Load(), SpoolBytes: n.spool.bytes(), Sensors: n.Sensors(),
	}
	if text := n.trouble.Load(); text != nil {
		v.Trouble = *text
	}
	if at := n.latest.Load(); at != 0 {
		v.Heard = time.Unix(0, at).UTC()
	}
	v.Waiting, v.Oldest, _ = n.spool.waiting() // a disk in trouble is told elsewhere
	v.Differences = Differences(v.Sensors)
	return v
}
