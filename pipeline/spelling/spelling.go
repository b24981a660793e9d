// Package spelling finds the word that somebody most likely meant, so that a
// message can say what to write instead of only what was wrong.
//
// The package is a leaf: standard library only.
package spelling

import (
	"fmt"
	"strings"
)

// maxRunes bounds the work: a longer word is no misspelling of a key.
const maxRunes = 64

// Nearest returns the candidate that is nearest to word, and whether it is
// near enough to be what was meant: at most a third of the word's letters
// changed, added, dropped or swapped with a neighbour (optimal string
// alignment), letter case set aside. Of equally near candidates the first
// wins.
func Nearest(word string, candidates []string) (string, bool) {
	w := []rune(strings.ToLower(word))
	if len(w) == 0 || len(w) > maxRunes {
		return "", false
	}
	best, bestDistance := "", -1
	for _, candidate := range candidates {
		c := []rune(strings.ToLower(candidate))
		if len(c) > maxRunes {
			continue
		}
		allowed := max(1, max(len(w), len(c))/3)
		if d := distance(w, c); d <= allowed && d < max(len(w), len(c)) && (bestDistance < 0 || d < bestDistance) {
			best, bestDistance = candidate, d
		}
	}
	return best, bestDistance >= 0
}

// Hint returns `; did you mean "x"?` with the nearest candidate, or nothing.
func Hint(word string, candidates []string) string {
	if near, ok := Nearest(word, candidates); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// distance is the optimal string alignment distance, with three rows.
func distance(a, b []rune) int {
	before, last, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i, x := range a {
		next[0] = i + 1
		for j, y := range b {
			cost := 1
			if x == y {
				cost = 0
			}
			d := min(last[j]+cost, last[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && x == b[j-1] && a[i-1] == y {
				d = min(d, before[j-1]+1)
			}
			next[j+1] = d
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}
