package main

import (
	"fmt"
	"io"
	"strings"

	"picket/sensor/handset"
)

// explainCmd gives the reasons of a verdict in words.
type explainCmd struct {
	What       string `arg:"" optional:"" name:"file" help:"Evidence, a device a line (JSON); standard input without it."`
	Signatures string `placeholder:"DIR" help:"Lay a site's own signatures over the shipped ones."`
}

// Run prints what speaks for and against every device in the file.
func (k *explainCmd) Run(a *app) error { return judgeFile(a, k.What, k.Signatures, showVerdict) }

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
