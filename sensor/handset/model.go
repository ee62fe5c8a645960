package handset

import (
	"cmp"
	"slices"
)

// modelSeen is the name of a model and the signature that read it.
type modelSeen struct {
	sig  uint16
	rank uint8
	at   int64
	name string
}

const (
	maxModels    = 4
	maxModelName = 32
)

func (d *Dossier) models() []modelSeen {
	if d.rare == nil {
		return nil
	}
	return d.rare.models
}

func (d *Dossier) setModels(list []modelSeen) {
	if d.rare == nil {
		d.rare = new(rare)
	}
	d.rare.models = list
}

// addModel keeps the model names that are trusted most.
func (d *Dossier) addModel(h hit, at int64) {
	name := h.model
	if len(name) > maxModelName {
		name = name[:maxModelName]
	}
	list := d.models()
	for i := range list {
		if m := &list[i]; m.sig == h.sig && m.name == name {
			m.rank, m.at = max(m.rank, uint8(h.rank)), max(m.at, at)
			return
		}
	}
	if list == nil {
		list = make([]modelSeen, 0, 1) // most have no other
	}
	list = append(list, modelSeen{h.sig, uint8(h.rank), at, name})
	if len(list) > maxModels {
		slices.SortFunc(list, func(a, b modelSeen) int {
			return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(b.at, a.at), cmp.Compare(a.name, b.name))
		})
		list = list[:maxModels]
		d.more().evicted++
	}
	d.setModels(list)
}

// model is the best name of a model that speaks for the maker.
func (d *Dossier) model(maker uint8, since int64) string {
	var best modelSeen
	for _, m := range d.models() {
		if m.at < since || !d.set.kin(d.set.sigs[m.sig].maker, maker) {
			continue
		}
		if best.name == "" || m.rank > best.rank || m.rank == best.rank && (m.at > best.at || m.at == best.at && m.name < best.name) {
			best = m
		}
	}
	return best.name
}
