package handset

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

func TestRequiredLiterals(t *testing.T) {
	for source, want := range map[string][]string{
		`Android [0-9]`:                    {"Android "},
		`\(iPad;|\biPad[0-9]+,[0-9]+`:      {"(iPad;", "iPad"},
		`CFNetwork/[0-9.]+ Darwin/`:        {"CFNetwork/"},
		`(?i)Redmi`:                        {"redmi"},
		`(?i)SMART-tv.*x`:                  {"mart-tv"},
		`(?i)ks`:                           nil,
		`[0-9]+`:                           nil,
		`a*b?`:                             nil,
		`^(?:M2[0-9]{3}|Redmi Note)`:       {"M2", "Redmi Note"},
		`x|[ab]`:                           nil,
		`(?:foo)+bar`:                      {"foo"},
		`é`:                                nil,
		`(`:                                nil,
		`a|b|cc|dd|ee|ff|gg|hh|ii|jj|kk|l`: nil,
	} {
		var got []string
		for _, l := range requiredLiterals(source) {
			got = append(got, l.text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}

// FuzzLiterals: what the literals rule out, the expression does not match.
func FuzzLiterals(f *testing.F) {
	for _, x := range []string{`Android [0-9]`, `\(iPad;|\biPad[0-9]+,[0-9]+`, `(?i)redmi|x`, `^(?:M2[0-9]{3}|Redmi Note)`} {
		f.Add(x, "Mozilla/5.0 (iPad; Redmi Note M2001 Android 1")
	}
	f.Fuzz(func(t *testing.T, source, s string) {
		re, err := regexp.Compile(source)
		if err != nil || len(source) > 200 {
			return
		}
		if list := requiredLiterals(source); list != nil && !containsAny(s, list) && re.MatchString(s) {
			t.Errorf("%q matches %q without any of %v", source, s, list)
		}
	})
}

// The shipped expressions say what they need: few are run for nothing.
func TestShippedExpressionsNeedLiterals(t *testing.T) {
	s, err := Load(os.DirFS("../../configs/signatures"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.patterns[userAgents] {
		if p := &s.patterns[userAgents][i]; p.prefix == "" && requiredLiterals(p.re.source) == nil {
			t.Errorf("user_agent %s needs no text", p.re.source)
		}
	}
}
