package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"picket/evidence"
)

// reportDays is what a report is about unless asked otherwise.
const reportDays = 30

// reportCmd draws the residency report.
type reportCmd struct {
	stateFlag
	From    string `placeholder:"DATE" help:"First day (UTC), as 2026-05-01; 30 days ago without it."`
	To      string `placeholder:"DATE" help:"Last day; today without it."`
	Maker   string `placeholder:"MAKER" help:"Of this maker alone."`
	Compare string `placeholder:"FROM..TO" help:"An earlier period to compare with."`
	Output  string `short:"o" name:"output" required:"" placeholder:"FILE" help:"Report to write: .html, .csv or .json."`
}

// Run writes the report in the form that its name asks for.
func (c *reportCmd) Run(a *app) error {
	write, err := reportWriter(c.Output)
	if err != nil {
		return usageError{err}
	}
	q, err := c.query(time.Now().UTC())
	if err != nil {
		return usageError{err}
	}
	return c.with(func(s *evidence.Store) error {
		r, err := s.Report(q)
		if err != nil {
			return err
		}
		s.Note(time.Now(), evidence.KindAccess, "", map[string]string{"event": "report", "period": q.Period.String(), "maker": c.Maker})
		if err := output(a, c.Output, func(w io.Writer) error { return write(w, &r) }); err != nil {
			return err
		}
		for _, x := range r.Changes {
			fmt.Fprintln(a.stdout, x.Sentence)
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %d makers, %d of %d days watched.\n", c.Output, len(r.Makers), r.Watched, r.Period.Days())
		return err
	})
}

func reportWriter(path string) (func(io.Writer, *evidence.Residencies) error, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".html", ".htm":
		return writeReportHTML, nil
	case ".csv":
		return writeReportCSV, nil
	case ".json":
		return writeReportJSON, nil
	default:
		return nil, fmt.Errorf("-o %s: want a name that ends in .html, .csv or .json", path)
	}
}

// query reads the periods.
func (c *reportCmd) query(now time.Time) (evidence.ReportQuery, error) {
	q := evidence.ReportQuery{Period: evidence.Period{From: now.AddDate(0, 0, 1-reportDays), To: now}, Maker: c.Maker}
	var err error
	if c.To != "" {
		if q.Period.To, err = parseDay(c.To); err != nil {
			return q, fmt.Errorf("--to: %w", err)
		}
		q.Period.From = q.Period.To.AddDate(0, 0, 1-reportDays)
	}
	if c.From != "" {
		if q.Period.From, err = parseDay(c.From); err != nil {
			return q, fmt.Errorf("--from: %w", err)
		}
	}
	if q.Period.Days() < 1 {
		return q, fmt.Errorf("--from %s is after --to %s", c.From, q.Period.To.Format(time.DateOnly))
	}
	if c.Compare == "" {
		return q, nil
	}
	from, to, ok := strings.Cut(c.Compare, "..")
	if !ok {
		return q, fmt.Errorf("--compare %q: want FROM..TO, as 2026-04-01..2026-04-30", c.Compare)
	}
	var p evidence.Period
	if p.From, err = parseDay(from); err == nil {
		p.To, err = parseDay(to)
	}
	switch {
	case err != nil:
		return q, fmt.Errorf("--compare: %w", err)
	case p.Days() < 1:
		return q, fmt.Errorf("--compare %s: ends before it begins", c.Compare)
	case !p.To.Before(q.Period.From):
		return q, errors.New("--compare: the period to compare with must end before the other begins")
	}
	q.Before = &p
	return q, nil
}

func writeReportJSON(w io.Writer, r *evidence.Residencies) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// writeReportCSV writes a row for each day, maker and country by location.
func writeReportCSV(w io.Writer, r *evidence.Residencies) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"day", "maker", "country", "sent_bytes", "share_of_day", "change"}) // errors stay in out
	for _, d := range r.Days {
		for _, p := range d.Parts {
			_ = out.Write([]string{
				d.Day.Format(time.DateOnly), or(d.Maker, "unknown"), or(p.Key, "unknown"), strconv.FormatUint(p.Sent, 10),
				strconv.FormatFloat(p.Share, 'f', 6, 64), changeOn(r, d),
			})
		}
	}
	out.Flush()
	return out.Error()
}

// changeOn says what changed for a maker on a day.
func changeOn(r *evidence.Residencies, d evidence.ReportDay) string {
	for _, c := range r.Changes {
		if c.Maker == d.Maker && c.Plane == "" && c.Day.Equal(d.Day) {
			if c.Attributable {
				return "moved"
			}
			return "not attributable"
		}
	}
	return ""
}
