package sensor

// announced remembers which outer names ECH configurations have, as HTTPS
// records said (RFC 9848). A hello that has both name and config_id of one
// hides another name; GREASE draws its config_id at random (RFC 9849, section
// 6.2). The id is asked for because anybody may announce anybody's name: by
// itself it would blind us for that name. It forgets all when full.
type announced struct{ m map[echConfig]struct{} }

type echConfig struct {
	name string
	id   uint8
}

// maxAnnounced bounds them: a handful of providers name most.
const maxAnnounced = 4096

func (a *announced) add(name string, id uint8) {
	if _, known := a.m[echConfig{name, id}]; known {
		return
	}
	if a.m == nil || len(a.m) >= maxAnnounced {
		a.m = make(map[echConfig]struct{})
	}
	a.m[echConfig{name, id}] = struct{}{}
}

func (a *announced) has(name string, id uint8) bool {
	_, ok := a.m[echConfig{name, id}]
	return ok
}
