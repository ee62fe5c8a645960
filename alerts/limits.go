package alerts

// Limits bounds what the judge holds. Zero values mean the defaults.
type Limits struct {
	Devices  int // default 1<<17; beyond it the one heard least recently goes
	Held     int // accounts without an episode; default 1<<16
	Episodes int // open at once; default 1<<16
}

func (l Limits) filled() Limits {
	return Limits{or(l.Devices, 1<<17), or(l.Held, 1<<16), or(l.Episodes, 1<<16)}
}
