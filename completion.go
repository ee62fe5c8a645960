package main

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints the completions that packages ship.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints a completion script, made from the commands themselves.
func (c completionCmd) Run(a *app) error {
	model, err := kong.New(&cli{}, kong.Name("picket"), kong.Description(description))
	if err != nil {
		return err
	}
	words := wordsAfter(model.Model.Node)
	switch c.Shell {
	case "fish":
		return completeFish(a.stdout, model.Model.Node)
	case "zsh":
		if _, err := fmt.Fprintln(a.stdout, "#compdef picket\nautoload -U +X bashcompinit && bashcompinit"); err != nil {
			return err
		}
	}
	return completeBash(a.stdout, words)
}

// wordsAfter maps each command path ("", "geo", "geo update") to the words
// that may follow it.
func wordsAfter(root *kong.Node) map[string][]string {
	out := map[string][]string{}
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		words := []string{}
		for _, child := range n.Children {
			if !child.Hidden {
				words = append(words, child.Name)
				walk(child, strings.TrimSpace(path+" "+child.Name))
			}
		}
		for _, f := range n.Flags {
			if !f.Hidden {
				words = append(words, "--"+f.Name)
			}
		}
		sort.Strings(words)
		out[path] = words
	}
	walk(root, "")
	return out
}

// completeBash writes a function that looks the words up by the commands
// typed so far, and completes file names where nothing else fits.
func completeBash(w io.Writer, words map[string][]string) error {
	var b strings.Builder
	b.WriteString("_picket() {\n\tlocal cur path word\n\tcur=${COMP_WORDS[COMP_CWORD]}\n\tpath=\n" +
		"\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n\t\tcase $word in -*) ;; *) case \"${path:+$path }$word\" in\n")
	var paths []string
	for path := range words {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		if path != "" {
			fmt.Fprintf(&b, "\t\t\"%s\") path=\"%s\" ;;\n", path, path)
		}
	}
	b.WriteString("\t\tesac ;; esac\n\tdone\n\tcase $path in\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "\t\"%s\") word='%s' ;;\n", path, strings.Join(words[path], " "))
	}
	b.WriteString("\tesac\n\tCOMPREPLY=($(compgen -W \"$word\" -- \"$cur\"))\n}\ncomplete -o default -F _picket picket\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// completeFish writes one line a command and option.
func completeFish(w io.Writer, root *kong.Node) error {
	var b strings.Builder
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }
	for _, n := range root.Children {
		if n.Hidden {
			continue
		}
		fmt.Fprintf(&b, "complete -c picket -n __fish_use_subcommand -a %s -d %s\n", n.Name, quote(n.Help))
		seen := "'__fish_seen_subcommand_from " + n.Name + "'"
		for _, child := range n.Children {
			fmt.Fprintf(&b, "complete -c picket -n %s -a %s -d %s\n", seen, child.Name, quote(child.Help))
		}
		for _, f := range n.Flags {
			if !f.Hidden {
				fmt.Fprintf(&b, "complete -c picket -n %s -l %s -d %s\n", seen, f.Name, quote(f.Help))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
