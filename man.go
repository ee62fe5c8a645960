package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// manCmd prints the manual page: packages ship it, made from the commands
// themselves.
type manCmd struct{}

// Run prints picket(1).
func (manCmd) Run(a *app) error {
	model, err := kong.New(&cli{}, kong.Name("picket"), kong.Description(description))
	if err != nil {
		return err
	}
	p := &manPage{w: a.stdout}
	p.head()
	for _, n := range model.Model.Leaves(true) {
		p.command(n)
	}
	p.foot()
	return p.err
}

// manPage writes man(7) macros and keeps the first error.
type manPage struct {
	w   io.Writer
	err error
}

// line writes one line of roff; arguments are escaped.
func (p *manPage) line(format string, args ...string) {
	escaped := make([]any, len(args))
	for i, s := range args {
		s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
		if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
			s = `\&` + s
		}
		escaped[i] = s
	}
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", escaped...)
	}
}

func (p *manPage) head() {
	p.line(`.TH PICKET 1 "" "picket" "User Commands"`)
	p.line(`.SH NAME`)
	p.line("picket \\- passive network sensor")
	p.line(`.SH SYNOPSIS`)
	p.line(".B picket\n.I command\n.RI [ options ]")
	p.line(`.SH DESCRIPTION`)
	p.line("%s", description)
	p.line(`.SH COMMANDS`)
}

// command describes one command with its own options.
func (p *manPage) command(n *kong.Node) {
	p.line(".SS %s", "picket "+n.Summary())
	p.line("%s", or(n.Help, n.Detail))
	for _, arg := range n.Positional {
		p.line(".TP\n.I %s\n%s", arg.Summary(), arg.Help)
	}
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", " + name
		}
		if !f.IsBool() {
			name += "=" + strings.Trim(f.FormatPlaceHolder(), `"`)
		}
		p.line(".TP\n.B %s\n%s", name, f.Help)
	}
}

func (p *manPage) foot() {
	p.line(`.SH EXIT STATUS`)
	p.line("0 done, 1 failed, 2 usage or configuration.")
	p.line(`.SH ENVIRONMENT`)
	p.line(".TP\n.B %s\n%s", "STATE_DIRECTORY", "Where state is kept, unless --state says otherwise; else /var/lib/picket.")
	p.line(`.SH FILES`)
	p.line(".TP\n.I %s\n%s", "/etc/picket/picket.yml", "Configuration; picket check --default prints it with every key.")
	p.line(".TP\n.I %s\n%s", "/var/lib/picket", "Evidence and imported data.")
	p.line(`.SH SEE ALSO`)
	p.line(".BR pcap-filter (7),\n.BR systemd.exec (5),\n.BR capabilities (7)")
}
