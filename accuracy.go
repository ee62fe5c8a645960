package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"picket/configs"
	"picket/sensor/handset"
)

// accuracyCmd judges the enrolled sessions again and says how well it did.
type accuracyCmd struct {
	stateFlag
	Signatures string `placeholder:"DIR" help:"Lay a site's own signatures over the shipped ones."`
}

// tally is how the sessions came out.
type tally struct {
	sessions int
	said     [4]int // by confidence
	wrong    [4]int // of those, another maker than the truth
	right    [4]int // sessions whose maker was named at this confidence or above
	times    [4][]time.Duration
}

// Run prints recall, time to verdict and wrong makers, by band.
func (k *accuracyCmd) Run(a *app) error {
	set, err := loadSignatures(&configs.Config{Signatures: configs.Signatures{Directory: k.Signatures}})
	if err != nil {
		return usageError{err}
	}
	var t tally
	if err := eachSession(k.State, func(s *enrolled) { t.add(set, s) }); err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "%d sessions, signatures %s; intervals are Wilson's, 95 %%\n\n", t.sessions, set.Hash())
	fmt.Fprintln(w, "band\tright maker, this band or above\tmedian time to it\tsaid\twrong maker")
	for _, c := range []handset.Confidence{handset.Certain, handset.Likely, handset.Weak} {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", c, fraction(t.right[c], t.sessions), median(t.times[c]), t.said[c], fraction(t.wrong[c], t.said[c]))
	}
	return w.Flush()
}

// eachSession reads the enrolled sessions.
func eachSession(state string, do func(*enrolled)) error {
	f, err := os.Open(sessionsFile(state))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no phone is enrolled; see picket enrol", sessionsFile(state))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(make([]byte, 0, 64<<10), maxEvidenceLine)
	for n := 1; sc.Scan(); n++ {
		var s enrolled
		if err := json.Unmarshal(sc.Bytes(), &s); err != nil {
			return fmt.Errorf("%s:%d: %s", f.Name(), n, jsonMistake(err))
		}
		do(&s)
	}
	return sc.Err()
}

// add judges a session as it grew: the verdict after every piece of
// evidence, in the order of time.
func (t *tally) add(set *handset.Set, s *enrolled) {
	t.sessions++
	all := slices.Clone(s.Evidence)
	order := s.classifyLine
	order.Evidence = all
	slices.SortStableFunc(all, func(a, b evidenceLine) int {
		switch {
		case a.T < b.T:
			return -1
		case a.T > b.T:
			return 1
		}
		return 0
	})
	var reached [4]bool
	var v handset.Verdict
	for i := range all {
		part := order
		part.Evidence = all[:i+1]
		v = part.judge(set)
		if v.Maker != s.Maker {
			continue
		}
		for c := handset.Weak; c <= v.Confidence; c++ {
			if !reached[c] {
				reached[c] = true
				t.times[c] = append(t.times[c], time.Duration((all[i].T-all[0].T)*float64(time.Second)))
			}
		}
	}
	t.said[v.Confidence]++
	if v.Maker != s.Maker {
		t.wrong[v.Confidence]++
		return
	}
	for c := handset.Weak; c <= v.Confidence; c++ {
		t.right[c]++
	}
}

// fraction is k of n with the interval that the true share lies in.
func fraction(k, n int) string {
	if n == 0 {
		return "none said"
	}
	lo, hi := wilson(k, n)
	return fmt.Sprintf("%d of %d (%.0f-%.0f %%)", k, n, 100*lo, 100*hi)
}

// wilson is the score interval of a share at 95 % (Wilson 1927).
func wilson(k, n int) (lo, hi float64) {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	middle := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	scale := 1 + z*z/m
	return max(0, (middle-half)/scale), min(1, (middle+half)/scale)
}

func median(list []time.Duration) string {
	if len(list) == 0 {
		return "never"
	}
	slices.Sort(list)
	return list[(len(list)-1)/2].Round(time.Second).String()
}
