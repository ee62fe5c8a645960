// Package spellcheck finds the word that was meant by one that is not known, for
// the messages about mistakes in configuration and signature files.
package spellcheck

import "strings"

// Nearest returns the known word with the fewest edits from got, the first of
// several; "" when each is further off than a third of got's length, two edits
// at least. Case does not count.
func Nearest(got string, known []string) string {
	best, least := "", max(2, len(got)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(got), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
