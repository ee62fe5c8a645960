package handset

import (
	"regexp"
	"strings"
	"sync"
)

// expression is a regular expression that is compiled when it is first
// asked: most of a set's never are in one run, and compiling all of them is
// most of the time that picket takes to start.
type expression struct {
	source  string
	longest bool // of several matches the longest, not the first
	once    sync.Once
	re      *regexp.Regexp

	plain    sync.Once
	literals []literal // one of them is in all that it matches; nil: not known
}

// may reports whether the expression can match s at all; it costs little.
func (x *expression) may(s string) bool {
	x.plain.Do(func() { x.literals = requiredLiterals(x.source) })
	return x.literals == nil || containsAny(s, x.literals)
}

// check compiles the expression now, to say what is wrong with it.
func (x *expression) check() error {
	re, err := regexp.Compile(x.source)
	if err == nil {
		x.once.Do(func() { x.keep(re) })
	}
	return err
}

func (x *expression) keep(re *regexp.Regexp) {
	if x.longest {
		re.Longest()
	}
	x.re = re
}

// get returns the compiled expression; one that cannot be matches nothing.
func (x *expression) get() *regexp.Regexp {
	x.once.Do(func() {
		re, err := regexp.Compile(x.source)
		if err != nil {
			re = regexp.MustCompile(`[^\s\S]`) // the set was checked when it was made
		}
		x.keep(re)
	})
	return x.re
}

// literalStart is the literal text that every match of an anchored
// expression begins with; empty when there is none, or none that is plain to
// see.
func literalStart(x string) string {
	rest, anchored := strings.CutPrefix(x, "^")
	if !anchored {
		return ""
	}
	if inner, ok := strings.CutPrefix(rest, "(?:"); ok && strings.HasSuffix(inner, ")") && closes(inner) == len(inner)-1 {
		rest = inner[:len(inner)-1]
	}
	if alternatives(rest) {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		if c == '\\' && i+1 < len(rest) && strings.IndexByte(`.-+*?()[]{}|^$\/ `, rest[i+1]) >= 0 {
			i++
			c = rest[i]
		} else if strings.IndexByte(`.+*?()[]{}|^$\`, c) >= 0 || c >= 0x80 {
			break
		}
		if i+1 < len(rest) && strings.IndexByte(`?*{`, rest[i+1]) >= 0 {
			break // it may be missing
		}
		b.WriteByte(c)
	}
	return b.String()
}

// closes returns where the group that s begins inside of is closed.
func closes(s string) int {
	at := -1
	walk(s, func(i int, c byte, depth int) bool {
		if c == ')' && depth < 0 {
			at = i
			return false
		}
		return true
	})
	return at
}

// alternatives reports a bar outside of groups.
func alternatives(s string) bool {
	found := false
	walk(s, func(_ int, c byte, depth int) bool {
		found = found || c == '|' && depth == 0
		return !found
	})
	return found
}

// walk calls f for the bytes of an expression that mean something, with the
// depth of groups behind them, until it returns false.
func walk(s string, f func(i int, c byte, depth int) bool) {
	depth, class := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
			continue
		case class:
			class = c != ']'
			continue
		case c == '[':
			class = true
			if i+1 < len(s) && s[i+1] == '^' {
				i++
			}
			if i+1 < len(s) && s[i+1] == ']' {
				i++
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if !f(i, c, depth) {
			return
		}
	}
}
