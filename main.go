// Picket is a passive sensor: it listens on a span port, works out which
// handsets are on the network and under whose law the servers they talk to
// are, and raises alerts when devices that a policy prohibits send data to
// places that it restricts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit statuses (contract): 0 done, 1 failed, 2 usage or configuration.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake of the user's: command line or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// app is what every command is given: where it reads and writes.
type app struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time // nil: time.Now
}

func main() {
	collectLate()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(&app{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:]))
}

// run parses args, runs one command and returns the exit status.
func run(a *app, args []string) (status int) {
	parser, err := newParser(a, commands(args))
	if err != nil {
		fmt.Fprintln(a.stderr, "picket:", err)
		return exitFailed
	}
	defer func() { // kong ends the process after --help; here that is a return
		if r := recover(); r != nil {
			if _, ok := r.(helpShown); !ok {
				panic(r)
			}
			status = exitDone
		}
	}()
	kctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(a.stderr, "picket:", err)
		return exitUsage
	}
	return statusOf(a, kctx.Run(a))
}

type helpShown struct{}

// newParser parses the commands that grammar points to.
func newParser(a *app, grammar any) (*kong.Kong, error) {
	return kong.New(grammar, kong.Name("picket"), kong.Description(description),
		kong.Writers(a.stdout, a.stderr), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(int) { panic(helpShown{}) }))
}

func statusOf(a *app, err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(a.stderr, "picket:", err)
	if u := (usageError{}); errors.As(err, &u) {
		return exitUsage
	}
	return exitFailed
}
