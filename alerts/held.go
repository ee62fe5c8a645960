package alerts

import (
	"slices"
	"time"

	"picket/geo"
	"picket/sensor/device"
)

// dossier is what the judge holds of one device.
type dossier struct {
	view         *device.View
	id           device.ID
	more         *more  // what most do not have; nil for those
	at           int64  // last heard of: Unix time, ns
	self         uint32 // its number in dossiers
	seq          uint32 // device.View.Seq
	newer, older uint32 // in the ring of dossiers
	first        [fewRules]Standing
	concerned    bool // some standing is not Permitted
}

// fewRules is how many rules there usually are at most.
const fewRules = 4

// more is what most dossiers do not have.
type more struct {
	accounts []*account
	rest     []Standing // by rule, from number fewRules on
}

// standing is how the device stands to rule i.
func (d *dossier) standing(i int) Standing {
	if i < fewRules {
		return d.first[i]
	}
	if d.more == nil || i-fewRules >= len(d.more.rest) {
		return Permitted
	}
	return d.more.rest[i-fewRules]
}

func (d *dossier) stand(i int, s Standing) {
	if i < fewRules {
		d.first[i] = s
		return
	}
	m := d.others()
	for len(m.rest) <= i-fewRules {
		m.rest = append(m.rest, Permitted)
	}
	m.rest[i-fewRules] = s
}

// leave forgets how the device stood to rules from number n on.
func (d *dossier) leave(n int) {
	for i := n; i < fewRules; i++ {
		d.first[i] = Permitted
	}
	if d.more != nil && len(d.more.rest) > max(0, n-fewRules) {
		d.more.rest = d.more.rest[:max(0, n-fewRules)]
	}
}

// undecided is how a device stands of which nothing is known yet.
func (d *dossier) undecided(rules int) {
	for i := range rules {
		d.stand(i, Undecided)
	}
	d.concerned = true
}

func (d *dossier) others() *more {
	if d.more == nil {
		d.more = new(more)
	}
	return d.more
}

func (d *dossier) accounts() []*account {
	if d.more == nil {
		return nil
	}
	return d.more.accounts
}

func (d *dossier) addAccount(a *account) {
	m := d.others()
	m.accounts = append(m.accounts, a)
}

// loseAccount reports whether d had the account.
func (d *dossier) loseAccount(a *account) bool {
	i := slices.Index(d.accounts(), a)
	if i >= 0 {
		d.more.accounts = slices.Delete(d.more.accounts, i, i+1)
	}
	return i >= 0
}

// databases are the words for databases, made once: there are a few, and
// every transfer to a restricted place names some.
type databases []databaseWord

type databaseWord struct {
	geo.Source
	word string
}

// maxDatabases bounds the words: those before a change of databases go.
const maxDatabases = 64

func (l *databases) word(s geo.Source) string {
	for i := range *l {
		if x := &(*l)[i]; x.DB == s.DB && x.Built.Equal(s.Built) {
			return x.word
		}
	}
	if len(*l) >= maxDatabases {
		*l = (*l)[:0]
	}
	w := s.DB + " " + s.Built.UTC().Format(time.DateOnly)
	*l = append(*l, databaseWord{s, w})
	return w
}
