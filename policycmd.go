package main

import (
	"fmt"
	"time"

	"picket/alerts"
	"picket/configs"
)

// policyCmd is what can be asked of a policy before it pages anybody.
type policyCmd struct {
	Test policyTestCmd `cmd:"" help:"Run the examples that a policy file brings along."`
}

type policyTestCmd struct {
	File string `arg:"" help:"Configuration file with policies and their examples."`
}

// Run prints each policy as a sentence, its warnings, and what came of its
// examples; it fails if one came out otherwise than its author wrote.
func (c policyTestCmd) Run(a *app) error {
	cfg, rules, err := policiesOf(a, c.File)
	if err != nil {
		return err
	}
	if len(rules) == 0 {
		return usageError{fmt.Errorf("%s: no policies", cfg.File())}
	}
	ran, failed := 0, 0
	for _, r := range rules {
		fmt.Fprintln(a.stdout, r.Sentence())
		for _, w := range r.Warnings(nil, time.Now()) {
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
func policiesOf(a *app, file string) (*configs.Config, []*alerts.Rule, error) {
	cfg, err := configs.Load(file)
	if err != nil {
		return nil, nil, usageError{err}
	}
	j, err := compile(cfg, logger(a, cfg))
	if err != nil {
		return nil, nil, err
	}
	return cfg, j.rules, nil
}
