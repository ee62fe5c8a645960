package web

import (
	"net/http"
	"strconv"

	"picket/evidence"
)

// Review is a page of the devices that wait for a person, oldest first.
type Review struct {
	evidence.DevicePage
	From, To int // numbers of the first and last shown
	Previous string
	Next     string
}

// reviewAPage is how many a person decides before looking again.
const reviewAPage = 20

func (p *pages) review(r *http.Request) (string, any, error) {
	offset, err := number(r.URL.Query(), "offset", 0, 0, 10_000_000)
	if err != nil {
		return "", nil, err
	}
	d := Review{}
	d.DevicePage, err = p.c.Store.Devices(evidence.DeviceQuery{Concern: evidence.Review, Sort: "first", Up: true, Offset: offset, Limit: reviewAPage})
	d.From, d.To = min(offset+1, d.Total), offset+len(d.Devices)
	if offset > 0 {
		d.Previous = "review?offset=" + strconv.Itoa(max(0, offset-reviewAPage))
	}
	if d.To < d.Total {
		d.Next = "review?offset=" + strconv.Itoa(d.To)
	}
	return "Review", d, err
}
