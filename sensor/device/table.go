package device

// Table says who is behind an address. It is owned by one goroutine; the
// Views that it hands out never change and may be shared.
type Table struct {
	cfg Config
}

// New returns an empty table.
func New(cfg Config) *Table {
	cfg.defaults()
	return &Table{cfg: cfg}
}

// Views calls yield for every device, oldest first, until it returns false.
func (t *Table) Views(yield func(*View) bool) {}
