package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"picket/evidence"
)

// evidenceCmd is what can be done with what a sensor keeps. It works while
// the sensor runs.
type evidenceCmd struct {
	Verify  evidenceVerifyCmd  `cmd:"" help:"Walk the chain and say whether anything was edited, removed or cut off."`
	Export  evidenceExportCmd  `cmd:"" help:"One episode with everything that it rests on, as one file."`
	Show    evidenceShowCmd    `cmd:"" help:"What is kept on a device, in words."`
	Rule    evidenceRuleCmd    `cmd:"" help:"Decide an episode or a device: a person outranks inference."`
	Forget  evidenceForgetCmd  `cmd:"" help:"Remove everything that is kept on a device."`
	Backup  evidenceBackupCmd  `cmd:"" help:"Write the whole store into a new file."`
	Restore evidenceRestoreCmd `cmd:"" help:"Put a backup into a state directory that has no store."`
}

// stateFlag says where the store is.
type stateFlag struct {
	State string `name:"state" placeholder:"DIR" env:"STATE_DIRECTORY" default:"/var/lib/picket" help:"State directory of the sensor (${default})."`
}

// with opens the store, does something and closes it.
func (f stateFlag) with(do func(*evidence.Store) error) error {
	s, err := evidence.OpenExisting(f.State)
	if err != nil {
		return err
	}
	err = do(s)
	return errors.Join(err, s.Close())
}

type evidenceVerifyCmd struct {
	stateFlag
	Anchor []string `placeholder:"SEQ:HASH" help:"Head of the chain as a notification or the journal gave it; repeatable."`
}

// Run prints what was found, and fails if anything was.
func (c *evidenceVerifyCmd) Run(a *app) error {
	var anchors []evidence.Head
	for _, text := range c.Anchor {
		h, err := evidence.ParseHead(text)
		if err != nil {
			return usageError{err}
		}
		anchors = append(anchors, h)
	}
	return c.with(func(s *evidence.Store) error {
		r, err := s.Verify(anchors...)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%d entries (%d tombstones) vouch for %d rows; %d open episodes still grow.\n", r.Entries, r.Tombstones, r.Rows, r.Open)
		if r.Entries > 0 {
			fmt.Fprintln(a.stdout, "head", r.Head)
		}
		for _, f := range r.Faults {
			fmt.Fprintln(a.stdout, "FAULT", f)
		}
		if len(r.Faults) > 0 {
			return fmt.Errorf("%d faults: the evidence is not as it was written", len(r.Faults))
		}
		if len(anchors) == 0 {
			fmt.Fprintln(a.stdout, "Without --anchor, a chain that was cut at its end or computed anew cannot be told from a true one.")
		}
		return nil
	})
}

type evidenceExportCmd struct {
	stateFlag
	Episode  string `arg:"" help:"Id of the episode (e-…)."`
	Output   string `short:"o" name:"output" default:"-" placeholder:"FILE" help:"Where to write it: .zip (case, evidence and packets), .json, or .jsonl (the evidence alone, for classify and accuracy); - is standard output, as JSON."`
	By       string `placeholder:"NAME" help:"Who takes it; noted on the chain."`
	Scrubbed bool   `help:"Without whom it is about: reasons, hashes and the signatures that fired, for the tests of signatures."`
}

// Run writes the case.
func (c *evidenceExportCmd) Run(a *app) error {
	write, err := caseWriter(c.Output)
	if err != nil {
		return usageError{err}
	}
	return c.with(func(s *evidence.Store) error {
		kase, err := s.Case(c.Episode, c.By, c.Scrubbed)
		if err != nil {
			return err
		}
		return output(a, c.Output, func(w io.Writer) error { return write(w, &kase) })
	})
}

// output writes to a new file, readable by its owner alone, or to standard
// output.
func output(a *app, path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(a.stdout)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

type evidenceRuleCmd struct {
	stateFlag
	Subject string `arg:"" name:"episode|device" help:"What it is about: e-… or d-…."`
	Verdict string `required:"" enum:"confirmed,wrong,not-handset" help:"confirmed, wrong, not-handset."`
	By      string `required:"" placeholder:"NAME" help:"Who decides."`
	Reason  string `required:"" placeholder:"TEXT" help:"Why."`
	Case    string `placeholder:"FILE" help:"Also write the scrubbed case there, a line for the tests of signatures and for accuracy (.jsonl), or .json, .zip."`
	Until   string `placeholder:"DATE" help:"When it ceases to hold, as 2027-01-31 or RFC 3339; without it never."`
}

// Run keeps the ruling.
func (c *evidenceRuleCmd) Run(a *app) error {
	r := evidence.Ruling{Verdict: c.Verdict, By: c.By, Reason: c.Reason, At: time.Now().UTC()}
	if c.Until != "" {
		var err error
		if r.Until, err = parseDay(c.Until); err != nil {
			return usageError{fmt.Errorf("--until: %w", err)}
		}
		if !r.Until.After(r.At) {
			return usageError{fmt.Errorf("--until: %s is past", c.Until)}
		}
	}
	write, err := caseWriter(or(c.Case, "-"))
	if err != nil {
		return usageError{fmt.Errorf("--case: %w", err)}
	}
	return c.with(func(s *evidence.Store) error {
		r, err := s.Rule(c.Subject, r)
		if err != nil {
			return err
		}
		if c.Case != "" {
			if err := writeRuledCase(a, s, &r, c.Case, write); err != nil {
				return fmt.Errorf("the ruling is kept; the case: %w", err)
			}
		}
		_, err = fmt.Fprintf(a.stdout, "Device %s is ruled %s by %s. A running sensor follows within a second.\n", r.Device, r.Verdict, r.By)
		return err
	})
}

// writeRuledCase writes the scrubbed case of the episode that was ruled on,
// or of the device's latest.
func writeRuledCase(a *app, s *evidence.Store, r *evidence.Ruling, path string, write func(io.Writer, *evidence.Case) error) error {
	id := r.Episode
	if id == "" {
		list, err := s.EpisodesOf(r.Device)
		if err != nil || len(list) == 0 {
			return errors.Join(err, fmt.Errorf("device %s has no episode", r.Device))
		}
		id = list[len(list)-1].ID
	}
	kase, err := s.Case(id, r.By, true)
	if err != nil {
		return err
	}
	return output(a, path, func(w io.Writer) error { return write(w, &kase) })
}

// parseDay reads a day or a time.
func parseDay(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q: want a date as 2027-01-31, or RFC 3339", text)
	}
	return t.UTC(), nil
}

type evidenceForgetCmd struct {
	stateFlag
	Device string `arg:"" help:"Id of the device (d-…)."`
}

// Run forgets the device.
func (c *evidenceForgetCmd) Run(a *app) error {
	if !strings.HasPrefix(c.Device, "d-") {
		return usageError{fmt.Errorf("%q is no device: ids begin with d-; `picket evidence show --mac` finds it", c.Device)}
	}
	return c.with(func(s *evidence.Store) error {
		f, err := forgetEverywhere(s, c.State, c.Device, a.stdout)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "Forgotten: %d rows removed; %d entries of the chain are tombstones, which say nothing of the device and still verify.\n"+
			"Backups and files exported before still have it.\n", f.Rows, f.Tombstones)
		return err
	})
}

type evidenceBackupCmd struct {
	stateFlag
	File string `arg:"" help:"New file to write."`
}

// Run writes a backup while the sensor runs.
func (c *evidenceBackupCmd) Run(a *app) error {
	return c.with(func(s *evidence.Store) error {
		if err := s.Backup(c.File); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.stdout, "Written to %s. The ids of devices depend on site.key of the state directory: keep a copy of it with the backup.\n", c.File)
		return err
	})
}

type evidenceRestoreCmd struct {
	stateFlag
	File string `arg:"" help:"Backup to put in place."`
}

// Run restores a backup that verifies.
func (c *evidenceRestoreCmd) Run(a *app) error {
	r, err := evidence.Restore(c.State, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "Restored into %s: %d entries, all of them verify; the chain goes on from %s.\n", c.State, r.Entries, r.Head)
	return err
}
