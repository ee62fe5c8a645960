package geo

import (
	"fmt"
	"strings"
)

// evidence is what names and databases together say of one server.
type evidence struct {
	q       *Query
	c       *claims
	x       *ruleIndex
	special bool // the address can have no country
	named   *named

	cloud       *NameRule // the last name of the chain that is a cloud's own
	label       string    // region label in the chain
	labelled    Country
	mainland    Country       // all servers of the network stand there
	operator    *OperatorRule // of the ASN
	used        uint16        // databases that were heard, a bit each
	disputeText string        // what the location rests on against what
}

// decide draws the four answers into j, which must be zero. They depend on
// its arguments alone.
func decide(j *Jurisdiction, q *Query, c *claims, x *ruleIndex, special bool) {
	e := evidence{q: q, c: c, x: x, special: special, named: x.named(q.Name)}
	j.LocationConfidence, j.Relay = NoIdea, q.Tunnel || c.relay
	if !special {
		e.readChain()
		e.operator = x.operators[c.asn]
		if e.operator != nil {
			e.mainland = e.operator.Mainland
		}
		e.decideSites(j)
		e.decideLocation(j)
		e.decideOperator(j)
		j.Registration = c.registration.country
		e.use(c.registration)
	}
	e.decideOwner(j)
	e.conclude(j)
}

// readChain finds the cloud whose own name ends the chain, and the label
// that names its region. CNAMEs go before the name itself: they are nearer to
// the address. Behind a cloud's name without a label none is looked for: a
// CDN in front of a bucket does not stand where the bucket stands. Reverse
// names name a region but no operator.
func (e *evidence) readChain() {
	for i := len(e.q.CNAMEs) - 1; i >= 0 && e.cloud == nil && e.labelled == ""; i-- {
		name := canonical(e.q.CNAMEs[i])
		e.readName(name, true)
		if e.cloud == nil && e.labelled == "" {
			e.label, e.labelled = e.x.makerRegion(name)
		}
	}
	if e.cloud == nil {
		e.cloud = e.named.cloud
		if e.cloud != nil && e.labelled == "" {
			e.label, e.labelled = e.named.label, e.named.labelled
		}
	}
	for _, n := range e.q.PTRs {
		if e.labelled == "" {
			e.readName(canonical(n), false)
		}
	}
}

func (e *evidence) readName(name string, operates bool) {
	r, left := e.x.cloudName(name)
	if r == nil {
		return
	}
	if operates && e.cloud == nil {
		e.cloud = r
	}
	if e.labelled == "" {
		e.label, e.labelled = e.x.region(r.Regions, left)
	}
}

// decideSites says whether the address is one of many of the same number
// (anycast), or of a network whose registry country is no place.
func (e *evidence) decideSites(j *Jurisdiction) {
	j.Anycast = e.c.anycast || e.c.everywhere
	if o := e.c.override; o != nil && (o.Anycast || o.Location != "") {
		j.Anycast = o.Anycast
		return
	}
	kind := ""
	switch {
	case e.c.site != nil:
		kind = e.c.site.Type
	case e.operator != nil && e.c.published.country == "":
		kind = e.operator.Sites // a label of a cloud behind it gives no place either
	}
	switch kind {
	case "":
	case "anycast", "mixed":
		j.Anycast = true
	default:
		j.MultiSite = true
	}
}

// decideLocation takes the best evidence there is; DESIGN section 3.
func (e *evidence) decideLocation(j *Jurisdiction) {
	c := e.c
	switch {
	case j.Relay:
		j.LocationFrom = "relay: no place"
	case e.q.Question:
		j.LocationFrom = "no flow seen: no place"
	case j.Anycast:
		j.LocationFrom = "anycast: no place"
	case c.override != nil && c.override.Location != "":
		j.Location, j.LocationConfidence, j.LocationFrom = c.override.Location, High, "override"
	case c.published.country != "":
		e.use(c.published)
		j.Location, j.LocationConfidence, j.LocationFrom = c.published.country, High, "published range"
		if e.labelled != "" && e.labelled != c.published.country {
			j.LocationConfidence = Low
			e.disputeText = fmt.Sprintf("published range %s, region label %s", c.published.country, e.labelled)
		}
	case e.labelled != "":
		e.locateByLabel(j)
	default:
		e.locateByDatabase(j)
	}
}

// locateByLabel believes a region label, unless the network belongs to
// someone of another country than the cloud that the label speaks for and the
// databases see the address elsewhere: then the name does not fit the address.
func (e *evidence) locateByLabel(j *Jurisdiction) {
	first, _ := e.c.agreedPlace()
	foreign := e.operator != nil && e.cloud != nil && e.operator.Home != e.cloud.Home
	if foreign && first.country != "" && first.country != e.labelled {
		e.locateByDatabase(j)
		j.LocationConfidence, e.cloud = Low, nil // the network's own operator answers for it
		e.disputeText = fmt.Sprintf("region label %s %s, but the address is %s's, database %s", e.label, e.labelled, e.operator.Name, first.country)
		return
	}
	j.Location, j.LocationConfidence, j.LocationFrom = e.labelled, High, "region label"
}

func (e *evidence) locateByDatabase(j *Jurisdiction) {
	c := e.c
	first, agreed := c.agreedPlace()
	for _, p := range c.places[:c.placed] {
		e.use(p)
	}
	if e.mainland != "" {
		j.Location, j.LocationConfidence, j.LocationFrom = e.mainland, Medium, "mainland-only network"
		registry := c.registration.country
		if !agreed || first.country != e.mainland || registry != "" && registry != e.mainland {
			j.LocationConfidence = Low
			e.disputeText = e.mainlandDispute(first.country, registry)
		}
		return
	}
	if first.country == "" {
		j.LocationFrom = "not known"
		return
	}
	j.Location, j.LocationConfidence, j.LocationFrom = first.country, Medium, "database"
	if !agreed {
		j.LocationConfidence = Low
		e.disputeText = e.databaseDispute()
	}
	if j.MultiSite {
		j.LocationConfidence, j.LocationFrom = Low, "database, network of many sites"
	}
}

func (e *evidence) mainlandDispute(database, registry Country) string {
	if database == "" && registry == "" {
		return ""
	}
	return fmt.Sprintf("network of %s only; database %s, registry %s overruled", e.mainland, known(database), known(registry))
}

func (e *evidence) databaseDispute() string {
	var b strings.Builder
	b.WriteString("databases:")
	for _, p := range e.c.places[:e.c.placed] {
		name := "database"
		if e.c.sources != nil {
			name = e.c.sources.all[p.source].DB
		}
		fmt.Fprintf(&b, " %s %s", name, p.country)
	}
	return b.String()
}

func known(c Country) Country {
	if c == "" {
		return "unknown"
	}
	return c
}

// decideOperator: the operator's own word, the cloud that the chain ends in,
// the prefix, the network, the registry.
func (e *evidence) decideOperator(j *Jurisdiction) {
	c := e.c
	o := e.c.override
	j.Operator.ASN = c.asn
	if c.asn != 0 {
		e.use(claim{source: c.asnSource, country: "-"})
	}
	byASN := e.x.homes[c.asn]
	switch {
	case o != nil && o.Home != "":
		j.Operator.Name, j.Operator.Home, j.OperatorFrom = o.Name, o.Home, "override"
	case byASN != nil && c.asn != 0 && e.cloud == nil:
		j.Operator.Name, j.Operator.Home, j.OperatorFrom = byASN.Name, byASN.Home, "override"
		if byASN.Name == "" {
			j.Operator.Name = e.networkName()
		}
	case e.cloud != nil:
		j.Operator.Name, j.Operator.Home, j.OperatorFrom = e.cloud.Operator, e.cloud.Home, "cname"
	case c.site != nil && c.site.Home != "":
		j.Operator.Name, j.Operator.Home, j.OperatorFrom = c.site.Operator, c.site.Home, "prefix"
	case e.operator != nil:
		j.Operator.Name, j.Operator.Home, j.OperatorFrom = e.operator.Name, e.operator.Home, "asn"
	case c.asn != 0:
		j.Operator.Name = c.network
		if j.Operator.Home = c.registration.country; j.Operator.Home != "" {
			j.OperatorFrom = "registry"
		}
	}
}

func (e *evidence) networkName() string {
	if e.operator != nil {
		return e.operator.Name
	}
	return e.c.network
}

func (e *evidence) decideOwner(j *Jurisdiction) {
	n := e.named
	j.CloudOwner = n.cloudOwner
	switch {
	case n.owner != nil:
		j.Owner, j.OwnerFrom = n.owner.party, n.owner.from
	case n.code != "":
		j.Owner.Home, j.OwnerFrom = n.code, "cctld"
	}
}

func (e *evidence) use(c claim) {
	if c.country != "" {
		e.used |= 1 << c.source
	}
}

// conclude says whether the answers agree, or who says what, and on which
// databases they rest.
func (e *evidence) conclude(j *Jurisdiction) {
	j.Agree = e.disputeText == ""
	first := Country("")
	for _, b := range [...]Country{j.Location, j.Registration, j.Operator.Home, j.Owner.Home} {
		switch {
		case b == "":
		case first == "":
			first = b
		case b != first:
			j.Agree = false
		}
	}
	if first == "" {
		j.Agree = false
	} else if !j.Agree {
		j.Disagreement = e.x.phrases.of(j, e.disputeText)
	}
	if e.c.relay {
		e.used |= 1 << e.c.relaySource
	}
	j.Sources = e.c.sources.chosen(e.used)
}
