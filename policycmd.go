package main

import (
	"fmt"
	"time"

	"picket/alerts"
	"picket/configs"
	"picket/evidence"
)

// policyCmd is what can be asked of a policy before it pages anybody.
type policyCmd struct {
	Test policyTestCmd `cmd:"" help:"Run the examples that a policy file brings along."`
	Try  policyTryCmd  `cmd:"" help:"Say whom the policies of a file would have told of, over what is stored."`
}

type policyTestCmd struct {
	File string `arg:"" help:"Configuration file with policies and their examples."`
}

// Run prints each policy as a sentence, its warnings, and what came of its
// examples; it fails if one came out otherwise than its author wrote.
func (c policyTestCmd) Run(a *app) error {
	cfg, j, err := policiesOf(a, c.File)
	if err != nil {
		return err
	}
	if len(j.rules) == 0 {
		return usageError{fmt.Errorf("%s: no policies", cfg.File())}
	}
	ran, failed := 0, 0
	for _, r := range j.rules {
		fmt.Fprintln(a.stdout, r.Sentence())
		for _, w := range r.Warnings(j.set.Makers(), time.Now()) {
			fmt.Fprintln(a.stdout, "  warning:", w)
		}
		results, err := r.RunExamples()
		if err != nil {
			return err
		}
		for _, x := range results {
			ran++
			if x.OK() {
				fmt.Fprintf(a.stdout, "  ok    %s: %s (%s)\n", x.Name, x.Got, x.Why)
				continue
			}
			failed++
			fmt.Fprintf(a.stdout, "  FAIL  %s: %s, want %s (%s)\n", x.Name, x.Got, x.Want, x.Why)
		}
	}
	fmt.Fprintf(a.stdout, "%d examples, %d failed\n", ran, failed)
	if failed > 0 {
		return fmt.Errorf("%s: %d of %d examples failed", cfg.File(), failed, ran)
	}
	return nil
}

// policiesOf loads a file and compiles its policies.
func policiesOf(a *app, file string) (*configs.Config, *judgement, error) {
	cfg, err := configs.Load(file)
	if err != nil {
		return nil, nil, usageError{err}
	}
	j, err := compile(cfg, logger(a, cfg))
	if err != nil {
		return nil, nil, err
	}
	return cfg, j, nil
}

type policyTryCmd struct {
	File  string          `arg:"" help:"Configuration file with the policies to try."`
	Last  alerts.Duration `default:"7d" placeholder:"7d" help:"How far back (${default})."`
	State string          `placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"State directory."`
	First int             `default:"10" placeholder:"N" help:"How many devices to name for each policy (${default})."`
}

// Run replays the stored episodes against the policies of the file. The
// store has only what some policy concerned, and Run says so.
func (c policyTryCmd) Run(a *app) error {
	_, j, err := policiesOf(a, c.File)
	if err != nil {
		return err
	}
	store, err := evidence.OpenExisting(c.State)
	if err != nil {
		return err
	}
	defer store.Close()
	now := time.Now()
	past, err := store.Episodes(now.Add(-time.Duration(c.Last)))
	if err != nil {
		return err
	}
	list, err := alerts.Try(j.rules, j.geo, past, now)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "Over the %d episodes stored in the last %s (devices and places that no policy looked at are not stored):\n", len(past), c.Last)
	for _, o := range alerts.Look(j.rules, list) {
		if _, err := fmt.Fprintln(a.stdout, o.Words(c.First)); err != nil {
			return err
		}
	}
	return nil
}
