package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"picket/evidence"
	"picket/sensor/handset"
)

// explainCmd gives the reasons of a verdict in words.
type explainCmd struct {
	stateFlag
	What       string `arg:"" optional:"" name:"device-or-file" help:"Id of a device that the store keeps, or evidence, a device a line (JSON); standard input without it."`
	Signatures string `placeholder:"DIR" help:"Lay a site's own signatures over the shipped ones."`
}

// Run prints what speaks for and against every device in the file.
func (k *explainCmd) Run(a *app) error {
	if _, err := os.Stat(k.What); k.What == "" || k.What == "-" || err == nil || strings.ContainsAny(k.What, "/.") {
		return judgeFile(a, k.What, k.Signatures, showVerdict)
	}
	return k.with(func(s *evidence.Store) error {
		f, err := s.File(k.What)
		if err != nil {
			return err
		}
		return explainKept(a.stdout, k.What, &f)
	})
}

// explainKept prints the reasons that were kept with a device. One that no
// policy concerns has none: it is one of a crowd.
func explainKept(w io.Writer, id string, f *evidence.File) error {
	if !f.Known {
		return fmt.Errorf("%s: no such file, and the store keeps no such device: only those that a policy concerns are kept", id)
	}
	d := &f.Device
	v := handset.Verdict{Maker: d.Maker, Model: d.Model, Class: d.Class, Handset: d.Handset, Posterior: d.Posterior, Shared: d.Shared}
	for c := handset.None; c <= handset.Certain; c++ {
		if c.String() == d.Confidence {
			v.Confidence = c
		}
	}
	fmt.Fprintf(w, "%s: %s\n", d.ID, verdictSentence(&v))
	for _, list := range []struct {
		head  string
		lines []string
	}{{"for", d.Reasons}, {"against", d.Against}, {"would change it:", d.WouldChange}} {
		for _, line := range list.lines {
			fmt.Fprintf(w, "  %-7s %s\n", list.head, line)
		}
	}
	_, err := fmt.Fprintf(w, "  %s\n  signatures %s\n", or(d.Place, "place unknown: no source"), d.Signatures)
	return err
}

// showVerdict prints a verdict with its reasons in words.
func showVerdict(w io.Writer, l *classifyLine, v *handset.Verdict) error {
	if l.ID != nil {
		fmt.Fprintf(w, "%v: ", l.ID)
	}
	return writeVerdict(w, v)
}

// writeVerdict says what a device is, why, why not, and what would change
// that.
func writeVerdict(w io.Writer, v *handset.Verdict) error {
	fmt.Fprintln(w, verdictSentence(v))
	writeReasons(w, "for", v.Reasons)
	writeReasons(w, "against", v.Against)
	if len(v.Also) > 0 {
		var others []string
		for _, c := range v.Also {
			others = append(others, fmt.Sprintf("%s (%s, %.2f)", c.Maker, c.Confidence, c.Posterior))
		}
		fmt.Fprintf(w, "  also spoken for: %s\n", strings.Join(others, ", "))
	}
	for _, s := range v.WouldChange {
		fmt.Fprintf(w, "  would change it: %s\n", s)
	}
	_, err := fmt.Fprintf(w, "  signatures %s\n", v.Signatures)
	return err
}

// verdictSentence is the verdict in one line.
func verdictSentence(v *handset.Verdict) string {
	var b strings.Builder
	switch {
	case v.Maker == "":
		b.WriteString("nothing speaks for any maker")
	case v.Confidence == handset.None:
		fmt.Fprintf(&b, "maker unknown (closest: %s, %.2f)", v.Maker, v.Posterior)
	default:
		fmt.Fprintf(&b, "%s, %s (%.4f)", v.Maker, v.Confidence, v.Posterior)
	}
	if v.Model != "" && v.Confidence > handset.None {
		fmt.Fprintf(&b, ", model %s", v.Model)
	}
	switch v.Handset {
	case "yes":
		b.WriteString("; a handset")
	case "no":
		fmt.Fprintf(&b, "; no handset (%s)", v.Class)
	default:
		b.WriteString("; whether it is a handset is unknown")
	}
	if v.Shared {
		b.WriteString("; several devices share the address")
	}
	return b.String()
}

func writeReasons(w io.Writer, head string, list []handset.Reason) {
	for _, r := range list {
		source := or(r.Signature, "rule")
		if r.Family != "" {
			source = r.Family + ", " + source
		}
		fmt.Fprintf(w, "  %-7s %+5.2f  %s [%s]\n", head, signed(head, r.Weight), r.Text, source)
	}
}

// signed gives what speaks against a verdict a minus.
func signed(head string, weight float64) float64 {
	if head == "against" && weight != 0 {
		return -weight
	}
	return weight
}
