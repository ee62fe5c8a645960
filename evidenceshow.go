package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"time"

	"picket/alerts"
	"picket/evidence"
)

type evidenceShowCmd struct {
	stateFlag
	Subject string `arg:"" optional:"" name:"device|episode" help:"Id of a device (d-…) or an episode (e-…)."`
	MAC     string `name:"mac" placeholder:"ADDR" help:"Find the device by its hardware address; noted on the chain."`
	Addr    string `name:"addr" placeholder:"ADDR" help:"Find the devices that had an IP address; noted on the chain."`
	By      string `placeholder:"NAME" help:"Who asks; noted on the chain."`
}

// Run answers "what do you hold on my device".
func (c *evidenceShowCmd) Run(a *app) error {
	given := 0
	for _, s := range []string{c.Subject, c.MAC, c.Addr} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return usageError{errors.New("give a device, an episode, --mac or --addr")}
	}
	return c.with(func(s *evidence.Store) error {
		ids, err := c.find(s)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := showDevice(a.stdout, s, id); err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			_, err = fmt.Fprintln(a.stdout, "Nothing is kept on it. A device that no policy concerns is counted by maker and class, and not kept.")
		}
		return err
	})
}

// find lists the devices asked for.
func (c *evidenceShowCmd) find(s *evidence.Store) ([]string, error) {
	value := c.Subject
	switch {
	case c.MAC != "":
		m, err := net.ParseMAC(c.MAC)
		if err != nil {
			return nil, usageError{fmt.Errorf("--mac: %w", err)}
		}
		value = m.String()
	case c.Addr != "":
		ip, err := netip.ParseAddr(c.Addr)
		if err != nil {
			return nil, usageError{fmt.Errorf("--addr: %w", err)}
		}
		value = ip.String()
	case strings.HasPrefix(value, "e-"):
		e, ok, err := s.Episode(value)
		if err != nil || !ok {
			return nil, cmp.Or(err, fmt.Errorf("%s: %w", value, evidence.ErrUnknown))
		}
		return []string{e.Device}, nil
	default:
		return []string{value}, nil
	}
	ids, err := s.HoldersOf(value)
	for _, id := range ids {
		s.Note(time.Now(), evidence.KindAccess, id, map[string]string{"event": "identity looked up", "by": c.By})
	}
	return ids, err
}

// showDevice says in words what is kept on a device.
func showDevice(w io.Writer, s *evidence.Store, id string) error {
	f, err := s.File(id)
	if err != nil {
		return err
	}
	if !f.Known && len(f.Episodes)+len(f.Verdicts)+len(f.Rulings) == 0 {
		return fmt.Errorf("%s: %w", id, evidence.ErrUnknown)
	}
	keep := s.Retention()
	fmt.Fprintf(w, "Device %s\n", id)
	if f.Known {
		d := &f.Device
		fmt.Fprintf(w, "  What it is thought to be: %s, %s, %s (%.4f)%s\n", or(d.Maker, "maker unknown"), d.Class, d.Confidence, d.Posterior, modelWords(d.Model))
		fmt.Fprintf(w, "  Why it is kept: %s by %s\n", d.Concern, strings.Join(d.Policies, ", "))
		fmt.Fprintf(w, "  Seen from %s to %s; %s\n", stamp(d.First), stamp(d.Last), or(d.Place, "place unknown"))
		showList(w, "for", d.Reasons)
		showList(w, "against", d.Against)
		showList(w, "would change it", d.WouldChange)
	}
	fmt.Fprintf(w, "  Addresses it had (%d, kept %s after it was last heard):\n", len(f.Held), keepWords(keep.Devices))
	for _, h := range f.Held {
		fmt.Fprintf(w, "    %-4s %s, from %s to %s\n", h.Kind, h.Value, stamp(h.Since), stamp(h.Until))
	}
	fmt.Fprintf(w, "  Changes of verdict (%d, kept %s):\n", len(f.Verdicts), keepWords(keep.Verdicts))
	for _, v := range f.Verdicts {
		fmt.Fprintf(w, "    %s %s %s %s (%.4f): %s\n", stamp(v.At), or(v.Maker, "unknown"), v.Class, v.Confidence, v.Posterior, v.Why)
	}
	fmt.Fprintf(w, "  Episodes (%d, kept %s after they closed):\n", len(f.Episodes), keepWords(keep.Episodes))
	for _, e := range f.Episodes {
		showEpisode(w, &e)
		if err := showKept(w, s, e.ID, keep.Packets); err != nil {
			return err
		}
	}
	for _, r := range f.Rulings {
		fmt.Fprintf(w, "  Ruled %s by %s on %s: %s\n", r.Verdict, r.By, stamp(r.At), r.Reason)
	}
	if f.Record {
		fmt.Fprintln(w, "  The sensor's own memory of its identity and evidence is kept too, so that a restart does not forget it.")
	}
	_, err = fmt.Fprintf(w, "  `picket evidence forget %s` removes all of this.\n", id)
	return err
}

func showEpisode(w io.Writer, e *evidence.Episode) {
	state := "open"
	if !e.Closed.IsZero() {
		state = "closed " + stamp(e.Closed) + ", " + e.CloseReason
	}
	fmt.Fprintf(w, "    %s (%s): %s\n", e.ID, state, e.Sentence)
	for _, s := range e.Servers {
		fmt.Fprintf(w, "      %s %s, %s: location %s, registration %s, operator %s (%s), owner %s (%s)\n", s.Addr, or(s.Name, "no name"), alerts.Size(s.Sent),
			or(s.Location, "unknown"), or(s.Registration, "unknown"), or(s.OperatorHome, "unknown"), or(s.Operator, "unknown"), or(s.OwnerHome, "unknown"), or(s.Owner, "unknown"))
	}
}

// showKept says what is kept beside an episode.
func showKept(w io.Writer, s *evidence.Store, episode string, keep time.Duration) error {
	p, ok, err := s.Proof(episode)
	if err != nil {
		return err
	}
	if ok {
		l, err := p.Line()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "      Its proof: %d signatures that fired, with times; no name and no address.\n", len(l.Evidence))
	}
	f, n, err := s.Packets(episode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "      Its first packets: %s, kept %s; what could tell who somebody is was overwritten before they were written.\n", alerts.Size(n), keepWords(keep))
	return f.Close()
}

func showList(w io.Writer, head string, list []string) {
	for _, l := range list {
		fmt.Fprintf(w, "    %s: %s\n", head, l)
	}
}

func modelWords(model string) string {
	if model == "" {
		return ""
	}
	return ", model " + model
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func keepWords(d time.Duration) string { return fmt.Sprintf("%d days", int(d/(24*time.Hour))) }
