package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"picket/configs"
	"picket/sensor/handset"
)

// enrolCmd records a session of a phone that the site owns, with what the
// phone is, for `picket accuracy` to judge again.
type enrolCmd struct {
	stateFlag
	MAC        string `arg:"" name:"mac" help:"Hardware address by which the phone joined."`
	File       string `arg:"" optional:"" help:"Evidence, a device a line (JSON), as for classify; standard input without it."`
	Truth      string `required:"" placeholder:"MODEL" help:"What the phone is: a model name or code."`
	Maker      string `help:"Its maker, when no signature knows the model."`
	Signatures string `placeholder:"DIR" help:"Lay a site's own signatures over the shipped ones."`
}

// enrolled is one labelled session: a line of sessions.jsonl.
type enrolled struct {
	Truth string `json:"truth"`
	Maker string `json:"maker"`
	classifyLine
}

func sessionsFile(state string) string { return filepath.Join(state, "sessions.jsonl") }

// Run appends the sessions of the address to the state directory.
func (k *enrolCmd) Run(a *app) error {
	mac, err := net.ParseMAC(k.MAC)
	if err != nil {
		return usageError{fmt.Errorf("%q is no hardware address", k.MAC)}
	}
	set, err := loadSignatures(&configs.Config{Signatures: configs.Signatures{Directory: k.Signatures}})
	if err != nil {
		return usageError{err}
	}
	maker, err := truthMaker(set, k.Truth, k.Maker)
	if err != nil {
		return usageError{err}
	}
	found, err := k.sessions(a, mac.String(), maker)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("no device in the evidence has the hardware address %s", mac)
	}
	if err := appendSessions(k.State, found); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%d sessions of a %s (%s) recorded\n", len(found), k.Truth, maker)
	return err
}

func (k *enrolCmd) sessions(a *app, mac, maker string) ([]enrolled, error) {
	in, name := a.stdin, "stdin"
	if k.File != "" && k.File != "-" {
		f, err := os.Open(k.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, name = f, k.File
	}
	var found []enrolled
	err := eachLine(in, name, func(l *classifyLine) error {
		for _, e := range l.Evidence {
			if hw, err := net.ParseMAC(e.Value); e.Family == "mac" && err == nil && hw.String() == mac {
				found = append(found, enrolled{k.Truth, maker, *l})
				break
			}
		}
		return nil
	})
	return found, err
}

// truthMaker is whose phone a model is: what the user says, else what the
// signatures say of the model.
func truthMaker(set *handset.Set, model, maker string) (string, error) {
	if maker != "" {
		if !slices.Contains(set.Makers(), maker) {
			return "", fmt.Errorf("--maker %s: unknown; one of %s", maker, strings.Join(set.Makers(), ", "))
		}
		return maker, nil
	}
	var d handset.Dossier
	d.Add(set, handset.Evidence{Family: "push", Field: "model", Value: model})
	if v := d.Verdict(set, d.Last(), handset.Network{}); v.Confidence > handset.None {
		return v.Maker, nil
	}
	return "", fmt.Errorf("--truth %q: no signature knows the model; say whose it is with --maker", model)
}

func appendSessions(state string, found []enrolled) error {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	f, err := os.OpenFile(sessionsFile(state), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, s := range found {
		line, err := json.Marshal(s)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	_, err = io.WriteString(f, b.String()) // in one write: a line is whole or not there
	return errors.Join(err, f.Sync(), f.Close())
}
