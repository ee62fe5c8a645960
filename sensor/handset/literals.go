package handset

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// maxLiterals bounds the texts that are searched for instead of running an
// expression.
const maxLiterals = 8

// literal is a text, in lower case if any case will do.
type literal struct {
	text string
	fold bool
}

// requiredLiterals returns texts one of which is in everything that the
// expression matches, nil when none are plain to see. Searching for them is
// a tenth of the cost of running the expression.
func requiredLiterals(source string) []literal {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil
	}
	list := literalsOf(re.Simplify())
	if len(list) > maxLiterals {
		return nil
	}
	return list
}

func literalsOf(re *syntax.Regexp) []literal {
	switch re.Op {
	case syntax.OpLiteral:
		return oneLiteral(re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(re.Sub[0])
	case syntax.OpConcat:
		var best []literal
		for _, sub := range re.Sub {
			if list := literalsOf(sub); shortest(list) > shortest(best) {
				best = list
			}
		}
		return best
	case syntax.OpAlternate:
		var all []literal
		for _, sub := range re.Sub {
			list := literalsOf(sub)
			if list == nil {
				return nil
			}
			all = append(all, list...)
		}
		return all
	}
	return nil
}

// shortest is the length of the shortest text, 0 when there is none.
func shortest(list []literal) int {
	n := 0
	for i, s := range list {
		if i == 0 || len(s.text) < n {
			n = len(s.text)
		}
	}
	return n
}

// oneLiteral is a run of characters, or of those that fold any case the
// longest piece without k and s: these have a third form beyond ASCII.
func oneLiteral(runes []rune, fold bool) []literal {
	for _, r := range runes {
		if r >= utf8.RuneSelf {
			return nil // U+FFFD also matches what is no UTF-8
		}
	}
	if !fold {
		return []literal{{text: string(runes)}}
	}
	longest := ""
	for piece := range strings.FieldsFuncSeq(strings.ToLower(string(runes)), func(r rune) bool { return r == 'k' || r == 's' }) {
		if len(piece) > len(longest) {
			longest = piece
		}
	}
	if longest == "" {
		return nil
	}
	return []literal{{longest, true}}
}

func containsAny(s string, list []literal) bool {
	for _, l := range list {
		if !l.fold && strings.Contains(s, l.text) || l.fold && indexFold(s, l.text) >= 0 {
			return true
		}
	}
	return false
}
