package evidence

import (
	"strings"
	"time"
)

// DeviceQuery chooses devices. The zero value is all of them, last heard first.
type DeviceQuery struct {
	Text    string  // id, model, address or hardware address
	Maker   string  // empty: any
	Class   string  // empty: any
	Concern Concern // empty: any
	Sort    string  // last (default), first, maker, model, confidence
	Up      bool    // smallest first
	Offset  int
	Limit   int // default 50, at most 1000
}

// DevicePage is one page of devices.
type DevicePage struct {
	Devices []Device `json:"devices"`
	Total   int      `json:"total"` // that the query chooses
	Offset  int      `json:"offset"`
	Limit   int      `json:"limit"`
}

// deviceOrders are what devices may be sorted by; id makes pages stable.
var deviceOrders = map[string]string{"last": "last", "first": "first", "maker": "maker", "model": "model", "confidence": "confidence"}

// DeviceSorts lists what DeviceQuery.Sort may be.
func DeviceSorts() []string { return []string{"last", "first", "maker", "model", "confidence"} }

// Devices returns a page of the devices that a query chooses.
func (s *Store) Devices(q DeviceQuery) (DevicePage, error) {
	q.Limit, q.Offset = min(max(or(q.Limit, 50), 1), 1000), max(q.Offset, 0)
	page := DevicePage{Devices: []Device{}, Offset: q.Offset, Limit: q.Limit}
	where, args := q.where()
	err := s.rows("SELECT count(*) FROM device"+where, args, func(scan func(...any) error) error { return scan(&page.Total) })
	if err != nil {
		return page, err
	}
	order, ok := deviceOrders[q.Sort]
	if !ok {
		order = "last"
	}
	way := " DESC"
	if q.Up {
		way = ""
	}
	// The indices hold all that is asked for and ordered by: bodies are read of one page alone.
	ids := "SELECT rowid AS row, " + order + " AS key, id AS tie FROM device" + where + " ORDER BY key" + way + ", tie" + way + " LIMIT ? OFFSET ?"
	err = s.rows("SELECT body FROM ("+ids+") JOIN device ON device.rowid = row ORDER BY key"+way+", tie"+way, append(args, q.Limit, q.Offset), func(scan func(...any) error) error {
		var d Device
		if err := scanJSON(scan, &d); err != nil {
			return err
		}
		page.Devices = append(page.Devices, d)
		return nil
	})
	return page, err
}

func (q *DeviceQuery) where() (string, []any) {
	var terms []string
	var args []any
	for _, t := range [...]struct{ column, value string }{{"maker", q.Maker}, {"class", q.Class}, {"concern", string(q.Concern)}} {
		if t.value != "" {
			terms, args = append(terms, t.column+" = ?"), append(args, t.value)
		}
	}
	if text := strings.ToLower(strings.TrimSpace(q.Text)); text != "" {
		if strings.HasPrefix(text, "d-") || strings.ContainsAny(text, ":.") { // no model looks like an id or an address
			terms, args = append(terms, "id IN (SELECT ? UNION ALL SELECT device FROM address WHERE value = ?)"), append(args, text, text)
		} else {
			terms, args = append(terms, "instr(lower(model), ?) > 0"), append(args, text)
		}
	}
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// HoldersOf returns the ids of the devices that had an address or a hardware
// address, the latest first.
func (s *Store) HoldersOf(value string) ([]string, error) {
	out := []string{}
	err := s.rows("SELECT device FROM address WHERE value = ? GROUP BY device ORDER BY max(until) DESC", []any{strings.ToLower(value)}, func(scan func(...any) error) error {
		var id string
		if err := scan(&id); err != nil {
			return err
		}
		out = append(out, id)
		return nil
	})
	return out, err
}

// Makers lists the makers of the devices kept, by name.
func (s *Store) Makers() ([]string, error) {
	out := []string{}
	err := s.rows("SELECT DISTINCT maker FROM device WHERE maker <> '' ORDER BY maker", nil, func(scan func(...any) error) error {
		var m string
		if err := scan(&m); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

// CrowdCount is how many devices of a maker and class were there, of all that
// no policy concerns and of those it does.
type CrowdCount struct {
	Maker   string `json:"maker"` // empty: unknown
	Class   string `json:"class"`
	Devices int    `json:"devices"` // at once, at most, on that day
}

// CrowdOn returns the counts of a day, most devices first.
func (s *Store) CrowdOn(at time.Time) ([]CrowdCount, error) {
	out := []CrowdCount{}
	err := s.rows("SELECT maker, class, devices FROM crowd WHERE day = ? ORDER BY devices DESC, maker, class", []any{dayOf(at)}, func(scan func(...any) error) error {
		var c CrowdCount
		if err := scan(&c.Maker, &c.Class, &c.Devices); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	})
	return out, err
}
