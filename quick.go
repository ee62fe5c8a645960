package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"picket/alerts"
	"picket/configs"
)

// policyFlags choose the configuration, or make one without a file.
type policyFlags struct {
	Config   string   `short:"c" name:"config" placeholder:"FILE" help:"Configuration file (default: none; every network private, nobody restricted)."`
	Prohibit []string `placeholder:"MAKER" help:"Makers whose handsets are prohibited; repeatable or a comma list."`
	Restrict []string `placeholder:"CC" help:"Countries or country groups they may not send to; repeatable or a comma list."`
	Home     []string `placeholder:"PREFIX" help:"Our own networks; replaces home_networks."`
}

// load reads the configuration and lays the flags over it.
func (f *policyFlags) load() (*configs.Config, error) {
	c := configs.Defaults()
	if f.Config != "" {
		var err error
		if c, err = configs.Load(f.Config); err != nil {
			return nil, usageError{err}
		}
	}
	if len(f.Prohibit) > 0 || len(f.Restrict) > 0 {
		p, err := alerts.Quick(f.Prohibit, f.Restrict)
		if err != nil {
			return nil, usageError{err}
		}
		c.Policies = append(c.Policies, p)
	}
	if len(f.Home) > 0 {
		c.HomeNetworks = nil
		for _, h := range f.Home {
			p, err := alerts.ParsePrefix(h)
			if err != nil {
				return nil, usageError{fmt.Errorf("--home: %w", err)}
			}
			c.HomeNetworks = append(c.HomeNetworks, configs.Prefix{Prefix: p.Prefix})
		}
	}
	return c, nil
}

// policyError says which policy of which file a mistake is in.
func policyError(c *configs.Config, i int, err error) error {
	var f *alerts.FieldError
	path := fmt.Sprintf("$.policies[%d]", i)
	if errors.As(err, &f) {
		path += f.Path
		err = f.Err
	}
	if c.File() == "" || !c.Wrote(i) {
		return fmt.Errorf("policy %s: %w", c.Policies[i].Name, err)
	}
	return c.At(path, err)
}

// inHome returns a test for the home networks.
func inHome(home []netip.Prefix) func(netip.Addr) bool {
	return func(a netip.Addr) bool {
		for _, p := range home {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
}

// logger writes to stderr as the configuration says.
func logger(a *app, c *configs.Config) *slog.Logger { return loggerAt(a, c, levelOf(c)) }

// loggerAt is logger with a level that may change.
func loggerAt(a *app, c *configs.Config, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if strings.EqualFold(c.Log.Format, "json") {
		return slog.New(newLimited(slog.NewJSONHandler(a.stderr, options)))
	}
	return slog.New(newLimited(slog.NewTextHandler(a.stderr, options)))
}

func levelOf(c *configs.Config) (level slog.Level) {
	_ = level.UnmarshalText([]byte(c.Log.Level)) // checked when it was loaded
	return level
}
