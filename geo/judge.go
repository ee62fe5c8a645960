package geo

// Geo judges servers. It is safe for concurrent use.
type Geo struct{}

// New opens the databases of c.
func New(c Config) (*Geo, error) { return &Geo{}, nil }

// Judge says under whose law the server of q is.
func (g *Geo) Judge(q Query) Jurisdiction {
	return Jurisdiction{Addr: q.Addr, LocationConfidence: NoIdea}
}
