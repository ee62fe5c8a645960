package device

import "picket/sensor/handset"

// Proof is what a verdict rests on, without names and addresses.
type Proof struct {
	View     *View
	Evidence []handset.Evidence
	Network  Network
}

// Proof returns the verdict on a device and the evidence that gives it again;
// ok is false when nothing is known of the device.
func (t *Table) Proof(id ID) (p Proof, ok bool) {
	d := t.find(id)
	if d == nil {
		return p, false
	}
	d = d.root()
	r, tells := d.dossier.(interface{ Replay() []handset.Evidence })
	v := t.View(d)
	if v == nil || !tells {
		return p, false
	}
	return Proof{v, r.Replay(), Network{Shared: v.Shared, Leased: v.Leased}}, true
}

// Replay gives the evidence in the words of the signatures.
func (d *dossier) Replay() []handset.Evidence { return d.Dossier.Replay(d.by.set.Load()) }
