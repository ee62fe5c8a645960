package main

import (
	"fmt"
	"text/tabwriter"

	"picket/configs"
	"picket/sensor/handset"
)

// coverageCmd counts what the signatures know of each maker.
type coverageCmd struct {
	Signatures string `placeholder:"DIR" help:"Lay a site's own signatures over the shipped ones."`
	Test       bool   `help:"Run the examples of all entries."`
}

// Run prints how many entries of each plane and strength every maker has.
func (k *coverageCmd) Run(a *app) error {
	set, err := loadSignatures(&configs.Config{Signatures: configs.Signatures{Directory: k.Signatures}})
	if err != nil {
		return usageError{err}
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "maker\tkind\tos excl.\tos likely\tos copied\tapp\tweb\tdhcp\tuser-agent\tlocal\thardware\t")
	for _, r := range coverageRows(set.Coverage()) {
		fmt.Fprintf(w, "%s\t%s\t", r.maker, r.kind)
		for _, n := range r.counts {
			fmt.Fprintf(w, "%d\t", n)
		}
		fmt.Fprintln(w)
	}
	entries, overlaid := set.Size()
	fmt.Fprintf(w, "\n%d entries, %d of the site's own, hash %s\n", entries, overlaid, set.Hash())
	if err := w.Flush(); err != nil || !k.Test {
		return err
	}
	return reportExamples(a, set)
}

func reportExamples(a *app, set *handset.Set) error {
	errs := set.Examples()
	for _, err := range errs {
		fmt.Fprintln(a.stdout, err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("%d examples are not as their entries say", len(errs))
	}
	_, err := fmt.Fprintln(a.stdout, "all examples are as their entries say")
	return err
}

type coverageRow struct {
	maker, kind string
	counts      [9]int
}

// coverageRows folds the counts of a maker, which come one after another,
// into one row.
func coverageRows(counts []handset.Count) []coverageRow {
	var rows []coverageRow
	for _, c := range counts {
		if len(rows) == 0 || rows[len(rows)-1].maker != c.Maker {
			rows = append(rows, coverageRow{maker: c.Maker, kind: c.Kind})
		}
		if i := coverageColumn(c); i >= 0 {
			rows[len(rows)-1].counts[i] += c.Entries
		}
	}
	return rows
}

func coverageColumn(c handset.Count) int {
	columns := map[string]int{"names/os/exclusive": 0, "names/os/likely": 1, "names/os/copied": 2, "names/app": 3, "names/web": 4, "dhcp": 5, "user-agent": 6, "local": 7, "hardware": 8}
	for _, key := range []string{c.Family + "/" + c.Plane + "/" + c.Strength, c.Family + "/" + c.Plane, c.Family} {
		if i, ok := columns[key]; ok {
			return i
		}
	}
	return -1
}
