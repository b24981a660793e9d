package predictions

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// ClassNames are the names of classes that one place gives: a column of labels,
// the signature of a model.
type ClassNames struct {
	Where string // for messages
	Names []string
}

// vocabularies are the pairs of names that say false and true.
var vocabularies = [][2]string{
	{"0", "1"}, {"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"},
	{"no", "yes"}, {"No", "Yes"}, {"NO", "YES"}, {"n", "y"}, {"N", "Y"}, {"f", "t"}, {"F", "T"},
}

// OneSpelling returns what gives each name of a class the one spelling under
// which names from several places are compared: one tool writes integers,
// another floats, a third booleans.
//
//   - Where all names are 0, 1, true or false, names of the same truth are one
//     class, 0.0 and False among them. So are yes and no, t and f, y and n; but
//     that yes is the 1 of another place is known only by a positive class.
//   - Where all names are numbers, those of the same value are: 2 and 2.0.
//   - Else names are text.
//
// The first place that has names decides how they are spelled. An error says
// that two names of one place may be one class or two, or that yes and no of one
// place may stand for 0 and 1 of another in two ways.
func OneSpelling(positive string, from ...ClassNames) (func(name string) string, error) {
	var all []string
	for _, place := range from {
		all = append(all, place.Names...)
	}
	switch {
	case len(all) == 0:
		return func(name string) string { return name }, nil
	case !slices.ContainsFunc(all, func(name string) bool { _, ok := truth(name); return !ok }):
		return spellTruth(positive, from)
	case !slices.ContainsFunc(all, func(name string) bool { _, ok := number(name); return !ok }):
		return spellNumbers(from)
	}
	return func(name string) string { return name }, nil
}

// truth reads a name that says false or true.
func truth(name string) (value, ok bool) {
	if value, ok = table.Word(name); ok {
		return value, true
	}
	switch whole(name) {
	case "0":
		return false, true
	case "1":
		return true, true
	}
	return false, false
}

// literal reports whether a name that says a truth is one of 0, 1, true, false.
func literal(name string) bool {
	_, ok := table.TrueFalse(name)
	return ok || whole(name) == "0" || whole(name) == "1"
}

func number(name string) (float64, bool) {
	v, ok := table.Number(name)
	return v, ok && !math.IsNaN(v)
}

// whole takes the zeros off a whole number that was made a float: 17.0 is 17.
func whole(name string) string {
	head, zeros, point := strings.Cut(name, ".")
	if !point || strings.Trim(zeros, "0") != "" {
		return name
	}
	digits := strings.TrimPrefix(head, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return name
	}
	return head
}

func spellTruth(positive string, from []ClassNames) (func(string) string, error) {
	var spelled [2]string
	words, literals := "", ""
	for _, place := range from {
		for _, name := range place.Names {
			value, _ := truth(name)
			if spelled == [2]string{} {
				spelled = vocabularyOf(name)
			}
			if literal(name) {
				literals = place.Where
			} else {
				words = place.Where
			}
			for _, too := range place.Names {
				if v, _ := truth(too); v == value && whole(name) != whole(too) && !strings.EqualFold(name, too) {
					return nil, twoReadings(place, name, too)
				}
			}
		}
	}
	if words != "" && literals != "" {
		value, ok := truth(positive)
		switch {
		case !ok:
			return func(name string) string { return name }, nil
		case !value:
			return nil, fmt.Errorf("%s has words, %s has 0 and 1, and the positive class is %q: it may be 0 by its meaning, or 1 as the class that a model calls positive; write both with the same names", words, literals, positive)
		}
	}
	return func(name string) string {
		value, ok := truth(name)
		switch {
		case !ok, words == "" && !literal(name):
			return name
		case value:
			return spelled[1]
		}
		return spelled[0]
	}, nil
}

func twoReadings(place ClassNames, name, too string) error {
	return fmt.Errorf("%s has both %q and %q, which may be one class or two; write one class with one name", place.Where, clip([]byte(name)), clip([]byte(too)))
}

// vocabularyOf returns the pair of names that has a name.
func vocabularyOf(name string) [2]string {
	name = whole(name)
	for _, pair := range vocabularies {
		if name == pair[0] || name == pair[1] {
			return pair
		}
	}
	for _, pair := range vocabularies {
		if strings.EqualFold(name, pair[0]) || strings.EqualFold(name, pair[1]) {
			return pair
		}
	}
	return vocabularies[0]
}

func spellNumbers(from []ClassNames) (func(string) string, error) {
	spelled := map[float64]string{}
	for _, place := range from {
		here := map[float64]string{}
		for _, name := range place.Names {
			v, _ := number(name)
			if before, ok := here[v]; ok && whole(before) != whole(name) {
				return nil, twoReadings(place, before, name)
			}
			here[v] = name
			if _, ok := spelled[v]; !ok {
				spelled[v] = whole(name)
			}
		}
	}
	return func(name string) string {
		if v, ok := number(name); ok {
			if as, ok := spelled[v]; ok {
				return as
			}
		}
		return whole(name)
	}, nil
}

// SortClasses returns the distinct names, by number where all are numbers, else
// by text.
func SortClasses(names []string) []string {
	out := slices.Clone(names)
	numeric := !slices.ContainsFunc(out, func(name string) bool {
		_, err := strconv.ParseFloat(name, 64)
		return err != nil
	})
	slices.SortFunc(out, func(a, b string) int {
		if numeric {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			if c := cmp.Compare(x, y); c != 0 {
				return c
			}
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(out)
}

// IDs takes the zeros off ids that are whole numbers and were made floats, where
// all of them are whole numbers: 17.0 is 17, as the file has it that another
// tool wrote.
func IDs(ids []string) []string {
	floats := false
	for _, id := range ids {
		plain := whole(id)
		if strings.Trim(strings.TrimPrefix(plain, "-"), "0123456789") != "" {
			return ids
		}
		floats = floats || len(plain) < len(id)
	}
	if !floats {
		return ids
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = whole(id)
	}
	return out
}
