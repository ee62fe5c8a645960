package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"picket/configs"
	"picket/sensor/handset"
)

// classifyCmd judges evidence that somebody else collected.
type classifyCmd struct {
	File       string `arg:"" optional:"" help:"Evidence, a device a line (JSON); standard input without it."`
	JSON       bool   `name:"json" help:"Print verdicts as JSON lines."`
	Signatures string `placeholder:"DIR" help:"Lay a site's own signatures over the shipped ones."`
}

// Run prints one verdict for every line of evidence.
func (k *classifyCmd) Run(a *app) error {
	show := showVerdict
	if k.JSON {
		show = jsonVerdict
	}
	return judgeFile(a, k.File, k.Signatures, show)
}

// judgeFile reads a file of evidence, standard input when it has no name,
// and shows the verdict on every device in it.
func judgeFile(a *app, name, overlay string, show func(io.Writer, *classifyLine, *handset.Verdict) error) error {
	set, err := loadSignatures(&configs.Config{Signatures: configs.Signatures{Directory: overlay}})
	if err != nil {
		return usageError{err}
	}
	in := a.stdin
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	} else {
		name = "stdin"
	}
	out := bufio.NewWriter(a.stdout)
	odd := map[string]bool{}
	err = eachLine(in, name, func(line *classifyLine) error {
		for _, e := range line.Evidence {
			if pair := e.Family + "/" + e.Field; !knownFields[pair] && e.Family != handset.Signature && !odd[pair] && len(odd) < 100 {
				odd[pair] = true
				fmt.Fprintf(a.stderr, "picket: %s: %s is no kind of evidence that picket knows: it counts for nothing\n", name, or(e.Family, "(no family)")+"/"+or(e.Field, "(no field)"))
			}
		}
		v := line.judge(set)
		return show(out, line, &v)
	})
	return errors.Join(err, out.Flush())
}

// knownFields are the kinds of evidence, as family/field.
var knownFields = map[string]bool{
	"mac/address": true, "dhcp/vendor_class": true, "dhcp/param_list": true, "dhcp/hostname": true,
	"dns/qname": true, "sni/server_name": true, "quic/server_name": true, "http/host": true,
	"ua/user_agent": true, "mdns/name": true, "ssdp/server": true, "push/model": true, "tls/ja4": true,
}

// classifyLine is the evidence on one device. Keys that it does not list
// are somebody else's and are passed over.
type classifyLine struct {
	ID      any `json:"id"`
	Network struct {
		SharedAddress    bool `json:"shared_address"`
		LeaseholderKnown bool `json:"leaseholder_known,omitempty"` // DHCP tells who holds the address, though shared
	} `json:"network"`
	Evidence []evidenceLine `json:"evidence"`
}

type evidenceLine struct {
	T      float64 `json:"t"` // seconds
	Family string  `json:"family"`
	Field  string  `json:"field"`
	Value  string  `json:"value"`
	Visit  bool    `json:"visit,omitempty"` // asked within seconds of a web visit
}

// judge adds the evidence to an empty dossier and returns its verdict.
func (l *classifyLine) judge(set *handset.Set) handset.Verdict {
	var d handset.Dossier
	for _, e := range l.Evidence {
		whole, part := math.Modf(e.T)
		at := time.Unix(int64(whole), int64(part*1e9)).UTC()
		d.Add(set, handset.Evidence{At: at, Family: e.Family, Field: e.Field, Value: e.Value, Visit: e.Visit})
	}
	return d.Verdict(set, d.Last(), handset.Network{SharedAddress: l.Network.SharedAddress, LeaseholderKnown: l.Network.LeaseholderKnown})
}

// maxEvidenceLine bounds one device: about 100,000 pieces of evidence.
const maxEvidenceLine = 16 << 20

// eachLine decodes JSON lines and stops at the first that is none.
func eachLine(r io.Reader, name string, do func(*classifyLine) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxEvidenceLine)
	n := 0
	for sc.Scan() {
		n++
		b := bytes.TrimSpace(sc.Bytes())
		if n == 1 {
			b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		}
		if len(b) == 0 {
			continue
		}
		var l classifyLine
		if err := json.Unmarshal(b, &l); err != nil {
			return fmt.Errorf("%s:%d: %s", name, n, jsonMistake(err))
		}
		for _, e := range l.Evidence {
			if math.IsNaN(e.T) || math.Abs(e.T) > 1e11 {
				return fmt.Errorf("%s:%d: t: %v is no time in seconds", name, n, e.T)
			}
		}
		if err := do(&l); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return nil
}

// jsonMistake says what a line of evidence should have been.
func jsonMistake(err error) string {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) && t.Field != "" {
		return fmt.Sprintf("%s: want %s, not %s", t.Field, jsonKind(t.Type.Kind().String()), jsonKind(t.Value))
	}
	if t != nil {
		return "want one JSON object a line, not " + jsonKind(t.Value)
	}
	return "want one JSON object a line: " + strings.TrimPrefix(err.Error(), "json: ")
}

// jsonKind says in words what Go and JSON call a kind of value.
func jsonKind(kind string) string {
	switch kind, _, _ := strings.Cut(kind, " "); kind {
	case "slice", "array":
		return "a list"
	case "struct", "map", "object":
		return "an object"
	case "bool":
		return "true or false"
	case "string":
		return "text"
	}
	return "a number"
}

type verdictJSON struct {
	ID      any           `json:"id"`
	Verdict verdictFields `json:"verdict"`
	Also    []alsoJSON    `json:"also"`
}

type verdictFields struct {
	Maker       string       `json:"maker"`
	Class       string       `json:"class"`
	Confidence  string       `json:"confidence"`
	Posterior   float64      `json:"posterior"`
	Handset     string       `json:"handset"`
	Shared      bool         `json:"shared"`
	Model       string       `json:"model"`
	Reasons     []string     `json:"reasons"`
	Against     []string     `json:"against"`
	WouldChange []string     `json:"would_change"`
	Weights     []reasonJSON `json:"weights"` // the same, for programs; against is negative
	Signatures  string       `json:"signatures"`
}

type reasonJSON struct {
	Signature string  `json:"signature"`
	Family    string  `json:"family"`
	Maker     string  `json:"maker"`
	Weight    float64 `json:"weight"`
	Text      string  `json:"text"`
}

type alsoJSON struct {
	Maker      string  `json:"maker"`
	Posterior  float64 `json:"posterior"`
	Confidence string  `json:"confidence"`
}

// jsonVerdict prints a verdict as one line of JSON; lists are never null.
func jsonVerdict(w io.Writer, l *classifyLine, v *handset.Verdict) error {
	out := verdictJSON{ID: l.ID, Also: []alsoJSON{}, Verdict: verdictFields{
		Maker: v.Maker, Class: v.Class, Confidence: v.Confidence.String(), Posterior: rounded(v.Posterior), Handset: v.Handset, Shared: v.Shared,
		Model: v.Model, Reasons: weighedTexts("for", v.Reasons), Against: weighedTexts("against", v.Against), WouldChange: v.WouldChange,
		Weights: append(reasonLines("for", v.Reasons), reasonLines("against", v.Against)...), Signatures: v.Signatures}}
	if out.Verdict.WouldChange == nil {
		out.Verdict.WouldChange = []string{}
	}
	for _, c := range v.Also {
		out.Also = append(out.Also, alsoJSON{c.Maker, rounded(c.Posterior), c.Confidence.String()})
	}
	return json.NewEncoder(w).Encode(out)
}

func reasonLines(head string, list []handset.Reason) []reasonJSON {
	out := make([]reasonJSON, 0, len(list))
	for _, r := range list {
		out = append(out, reasonJSON{r.Signature, r.Family, r.Maker, math.Round(signed(head, r.Weight)*100) / 100, r.Text})
	}
	return out
}

// weighedTexts are reasons as an officer reads them, with their weight.
func weighedTexts(head string, list []handset.Reason) []string {
	out := make([]string, 0, len(list))
	for _, r := range list {
		t := r.Text
		if r.Weight != 0 {
			t = fmt.Sprintf("%s (%+.2f)", t, signed(head, r.Weight))
		}
		out = append(out, t)
	}
	return out
}

// rounded keeps six of a posterior's nine digits and never rounds it up to a
// threshold.
func rounded(p float64) float64 { return math.Floor(p*1e6+0.0005) / 1e6 }
