package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"picket/configs"
	"picket/fleet"
)

type fleetCmd struct {
	Status fleetStatusCmd `cmd:"" help:"Show every sensor of the fleet: health, coverage, and where they judge differently."`
}

type fleetStatusCmd struct {
	Config string `short:"c" name:"config" placeholder:"FILE" help:"Configuration of a sensor of the fleet."`
	JSON   bool   `name:"json" help:"One JSON object a sensor and line."`
}

// statusWait bounds how long the cluster may take to answer.
const statusWait = 10 * time.Second

// Run prints the health of every sensor. It fails when one is lost.
func (f *fleetStatusCmd) Run(a *app) error {
	path := or(f.Config, defaultConfig())
	if path == "" {
		return usageError{fmt.Errorf("no configuration: give -c FILE")}
	}
	c, err := configs.Load(path)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(a.ctx, statusWait)
	defer cancel()
	all, err := fleet.Status(ctx, c.Fleet, time.Now())
	if err != nil {
		return err
	}
	if f.JSON {
		enc := json.NewEncoder(a.stdout)
		for _, s := range all {
			if err := enc.Encode(s); err != nil {
				return err
			}
		}
		return lostOf(all)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SENSOR\tSTATE\tLAST HEARD\tFRAMES\tDROPPED\tDEVICES\tNO DEVICE\tLEARNING\tEPISODES\tWAITING\tLOST\tREFUSED\tSHARES")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%.1f %%\t%.1f %%\t%d\t%d\t%d\t%d\t%s\n", s.Name, s.State, s.Heard.UTC().Format(time.RFC3339),
			s.Frames, s.Dropped, s.Devices, 100*s.NoDevice, 100*s.Learning, s.Open, s.Waiting, s.Lost, s.Refused, or(strings.Join(s.Realms, " "), "(nothing)"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range fleet.Differences(all) {
		fmt.Fprintln(a.stdout, d)
	}
	return lostOf(all)
}

// lostOf is an error when a sensor is not heard of.
func lostOf(all []fleet.Sensor) error {
	var names []string
	for _, s := range all {
		if s.State == "lost" {
			names = append(names, s.Name)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("not heard of: %s", strings.Join(names, ", "))
	}
	return nil
}
