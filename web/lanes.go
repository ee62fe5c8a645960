package web

import (
	"math"
	"time"

	"picket/evidence"
)

// Lanes is when each server was sent to: drawn here, and again by charts.js,
// to be asked, from the drawing.
type Lanes struct {
	List        []Lane
	More        int // servers that are not drawn
	First, Last time.Time
}

// Lane is one name, or the address of a server without one.
type Lane struct {
	Name  string
	Sent  uint64
	Share float64 // of the bytes of all
	Spans []Span
}

// Span is a while in which a server was sent to. Numbers are of a drawing
// 1000 wide.
type Span struct {
	evidence.Server
	X, W int
}

// maxLanes bounds the drawing; the table beside it has all servers.
const maxLanes = 12

// lanes draws the servers with most bytes, of a list that begins with them.
func lanes(servers []evidence.Server) (l Lanes) {
	var sent uint64
	at := map[string]int{}
	for i := range servers {
		s := &servers[i]
		sent += s.Sent
		if s.First.IsZero() || s.Last.IsZero() { // asked for by name alone
			continue
		}
		name := s.Name
		if name == "" && s.Addr.IsValid() {
			name = s.Addr.Addr().String()
		}
		k, there := at[name]
		switch {
		case !there && len(l.List) == maxLanes:
			l.More++
			continue
		case !there:
			k = len(l.List)
			at[name] = k
			l.List = append(l.List, Lane{Name: name})
		}
		lane := &l.List[k]
		lane.Sent += s.Sent
		lane.Spans = append(lane.Spans, Span{Server: *s})
		if l.First.IsZero() || s.First.Before(l.First) {
			l.First = s.First
		}
		if s.Last.After(l.Last) {
			l.Last = s.Last
		}
	}
	length := l.Last.Sub(l.First)
	if length <= 0 {
		return Lanes{}
	}
	for i := range l.List {
		lane := &l.List[i]
		lane.Share = float64(lane.Sent) / math.Max(1, float64(sent))
		for k := range lane.Spans {
			s := &lane.Spans[k]
			s.X = int(990 * float64(s.First.Sub(l.First)) / float64(length))
			s.W = max(10, int(1000*float64(s.Last.Sub(l.First))/float64(length))-s.X)
		}
	}
	return l
}
