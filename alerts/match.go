package alerts

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"picket/geo"
	"picket/sensor"
	"picket/sensor/device"
	"picket/sensor/handset"
)

// Standing is how a device stands to a policy.
type Standing uint8

// The standings. What an Undecided device does is held until its verdict
// decides.
const (
	Permitted Standing = iota
	Undecided
	Prohibited
)

// Case is one transfer to be judged. Nothing else decides.
type Case struct {
	Transfer sensor.Transfer
	Server   geo.Jurisdiction
}

// Ruling is what a policy says of a case, with its reason.
type Ruling struct {
	Device     Standing
	Restricted bool        // the place, the owner, the plane, the hour and the zone are the policy's
	Hits       []geo.Basis // by which bases the place is restricted
	Why        string      // what decided, in words
}

// Broken reports whether the transfer counts against the device.
func (r Ruling) Broken() bool { return r.Device == Prohibited && r.Restricted }

// Judge is a pure function: the same case gives the same ruling. It does not
// weigh how much was sent: that is the threshold's, over time.
func (r *Rule) Judge(c Case) Ruling {
	t := &c.Transfer
	var out Ruling
	var why string
	out.Device, out.Why = r.Standing(t.Device, t.Last)
	if out.Device == Permitted {
		return out
	}
	out.Hits = r.Places(c.Server)
	if out.Restricted, why = r.restricted(t, len(out.Hits) > 0, c.Server.Owner.Name, t.Device.Verdict.Maker); !out.Restricted || out.Device == Prohibited {
		out.Why = why
	}
	return out
}

// Standing says how the device stands at now, and why.
func (r *Rule) Standing(v *device.View, now time.Time) (Standing, string) {
	if v == nil {
		return Undecided, "nothing known of the device"
	}
	if v.Router {
		return Permitted, "a router is nobody"
	}
	if e, ok := r.except.device(v, now); ok {
		return Permitted, e.why()
	}
	d := v.Verdict
	if d.Confidence == handset.None {
		return Undecided, "device not identified"
	}
	if !r.names(d) {
		if d.Confidence == handset.Certain {
			return Permitted, "the device is " + d.Maker
		}
		return Undecided, "not known to be of a prohibited make: " + d.Confidence.String() + " " + d.Maker
	}
	if s, why := r.class(d); s != Prohibited {
		return s, why
	}
	if d.Confidence < handset.Confidence(r.Policy.Devices.Confidence) {
		return Undecided, "only " + d.Confidence.String() + " to be " + d.Maker
	}
	for _, f := range r.Policy.Devices.Families {
		if !slices.ContainsFunc(d.Reasons, func(x handset.Reason) bool { return x.Family == string(f) }) {
			return Undecided, "no evidence from " + string(f)
		}
	}
	return Prohibited, "prohibited device"
}

// names reports whether the verdict is for a prohibited maker or model.
func (r *Rule) names(d *handset.Verdict) bool {
	if r.anyMaker || r.makers[d.Maker] {
		return true
	}
	model := strings.ToLower(d.Model)
	return model != "" && slices.ContainsFunc(r.models, func(p string) bool {
		ok, _ := path.Match(p, model)
		return ok
	})
}

func (r *Rule) class(d *handset.Verdict) (Standing, string) {
	switch {
	case r.classes == nil:
		return Prohibited, ""
	case r.classes[d.Class]:
		if d.Class == "handset" && d.Handset == "no" {
			return Permitted, "not a handset"
		}
		return Prohibited, ""
	case d.Class == "" || d.Class == "unknown" || d.Confidence < handset.Likely:
		return Undecided, "class not known"
	}
	return Permitted, "the device is a " + d.Class
}

// Places lists the bases by which the server is restricted, under match and
// the least location confidence.
func (r *Rule) Places(j geo.Jurisdiction) []geo.Basis {
	hits := geo.Hits(j, r.Policy.Restricted.Countries, r.bases)
	suspected := slices.Contains(r.bases, geo.LocationSuspected) || r.minLoc == geo.Low
	hits = slices.DeleteFunc(hits, func(b geo.Basis) bool {
		return b == geo.LocationSuspected && !suspected ||
			b == geo.Location && r.minLoc == geo.High && j.LocationConfidence != geo.High
	})
	if r.Policy.Restricted.Match != allOf {
		return hits
	}
	for _, b := range r.bases {
		met := slices.Contains(hits, b) || b == geo.Location && slices.Contains(hits, geo.LocationSuspected)
		if !met {
			return nil
		}
	}
	return hits
}

// restricted reports whether the conversation is one the policy is about,
// for a device of maker. It allocates nothing.
func (r *Rule) restricted(t *sensor.Transfer, placed bool, owner, maker string) (bool, string) {
	switch {
	case !placed:
		return false, "server outside the restricted places"
	case !r.hours.contains(t.Last):
		return false, "outside the hours of the policy"
	case !r.inZone(t.VLAN, t.Client.Addr(), t.Device):
		return false, "outside the zones of the policy"
	case !r.planes[t.Plane]:
		return false, "name of another plane"
	case r.sameMaker && (t.NameMaker != "" && r.kin(t.NameMaker, maker) || owner != "" && strings.EqualFold(owner, maker)):
	case r.owners != nil && (r.owners[t.NameMaker] || r.owners[strings.ToLower(owner)]):
	case r.sameMaker:
		return false, "not a server of the maker"
	case r.owners != nil:
		return false, "server of another owner"
	}
	if e, ok := r.except.transfer(t.Client.Addr(), t.Server.Addr(), t.Name, t.Last); ok {
		return false, e.why()
	}
	return true, "restricted place"
}

// kin reports whether two maker names can mean one maker.
func (r *Rule) kin(a, b string) bool {
	return a == b || slices.Contains(r.groups[a], b) || slices.Contains(r.groups[b], a)
}

func (r *Rule) inZone(vlan uint16, client netip.Addr, v *device.View) bool {
	z := &r.Policy.Zones
	if len(z.VLANs) > 0 && !slices.Contains(z.VLANs, vlan) {
		return false
	}
	if len(z.Realms) > 0 && (v == nil || !slices.Contains(z.Realms, v.Realm)) {
		return false
	}
	if len(r.networks) == 0 {
		return true
	}
	return slices.ContainsFunc(r.networks, func(p netip.Prefix) bool { return p.Contains(client) })
}
