package modeldiff

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// Bounds of what FlipsOf lists.
const (
	MaxRows   = 50 // rows that are named
	MaxLevels = 30 // levels of one column
)

// Flips are the rows that the two models answer differently.
//
// Of a classifier a row flips when its predicted class changes. It is fixed
// when the class was wrong and is right, regressed when it was right and is
// wrong; among more than two classes it may be neither.
//
// Of a regression nearly every prediction changes a little. There a row flips
// when its prediction moved by more than Moved, the baseline's median absolute
// error: by more than the baseline is usually wrong. It is fixed when it came
// nearer to its target, regressed when it went farther away.
type Flips struct {
	N, Of            int64
	Fixed, Regressed int64
	Moved            float64 // regression
	Rows             []Flip  // at most MaxRows: those that changed the most, in the order of the rows
	Complete         bool    // Rows holds all of them
	BySlice          []SliceFlip
}

// Flip is one row.
type Flip struct {
	ID        string
	Label     string // the true class, or the target
	Baseline  string // the predicted class, or value
	Candidate string
}

// SliceFlip counts flips in one level of a slice column.
type SliceFlip struct {
	Column, Level string
	N, Of         int64
}

// FlipsOf compares the answers of two models, which are paired by id; that they
// cannot be paired is a usage error. columns are the slice columns to count by;
// one that the candidate's set does not have is passed over.
func FlipsOf(candidate, baseline *predictions.Set, columns []string) (Flips, error) {
	baseline, err := predictions.Align(candidate, baseline)
	if err != nil {
		return Flips{}, err
	}
	var f Flips
	var rows []moved
	if candidate.Task == exam.Regression {
		rows = f.values(candidate, baseline)
	} else {
		rows = f.classes(candidate, baseline)
	}
	f.N, f.Of = int64(len(rows)), int64(candidate.N)
	for i, name := range columns {
		if c := candidate.Column(name); c != nil && !slices.Contains(columns[:i], name) {
			f.BySlice = append(f.BySlice, countByLevel(c, rows)...)
		}
	}
	f.Complete = len(rows) <= MaxRows
	slices.SortFunc(rows, func(a, b moved) int {
		if c := cmp.Compare(b.by, a.by); c != 0 {
			return c
		}
		return a.row - b.row
	})
	rows = rows[:min(len(rows), MaxRows)]
	slices.SortFunc(rows, func(a, b moved) int { return a.row - b.row })
	for _, m := range rows {
		f.Rows = append(f.Rows, flip(candidate, baseline, m.row))
	}
	return f, nil
}

// moved is a row and how far its answer moved.
type moved struct {
	row int
	by  float64
}

// classes returns the rows whose class changed, and counts them. How far a row
// moved is the largest change of a probability, where there are any.
func (f *Flips) classes(candidate, baseline *predictions.Set) []moved {
	var rows []moved
	if candidate.Pred == nil || baseline.Pred == nil {
		return rows // scores alone, which no class was read from
	}
	for i := range candidate.N {
		is, was, label := candidate.Pred[i], baseline.Pred[i], candidate.Label[i]
		if is == was {
			continue
		}
		switch label {
		case is:
			f.Fixed++
		case was:
			f.Regressed++
		}
		m := moved{row: i}
		if candidate.Score != nil && baseline.Score != nil {
			m.by = math.Abs(candidate.Score[i] - baseline.Score[i])
		}
		for k := range min(len(candidate.Proba), len(baseline.Proba)) {
			m.by = max(m.by, math.Abs(candidate.Proba[k][i]-baseline.Proba[k][i]))
		}
		rows = append(rows, m)
	}
	return rows
}

// values is classes for a regression.
func (f *Flips) values(candidate, baseline *predictions.Set) []moved {
	errors := make([]float64, baseline.N)
	for i := range errors {
		errors[i] = math.Abs(baseline.Value[i] - baseline.Target[i])
	}
	slices.Sort(errors)
	if n := len(errors); n > 0 {
		f.Moved = errors[n/2]
		if n%2 == 0 {
			f.Moved = errors[n/2-1]/2 + errors[n/2]/2
		}
	}
	var rows []moved
	for i := range candidate.N {
		by := math.Abs(candidate.Value[i] - baseline.Value[i])
		if !(by > f.Moved) {
			continue
		}
		is, was := math.Abs(candidate.Value[i]-candidate.Target[i]), math.Abs(baseline.Value[i]-baseline.Target[i])
		switch {
		case is < was:
			f.Fixed++
		case is > was:
			f.Regressed++
		}
		rows = append(rows, moved{i, by})
	}
	return rows
}

func flip(candidate, baseline *predictions.Set, row int) Flip {
	f := Flip{ID: candidate.ID[row]}
	if candidate.Task == exam.Regression {
		digits := 6
		if number(baseline.Value[row], digits) == number(candidate.Value[row], digits) {
			digits = -1 // as many as it takes to tell them apart
		}
		f.Label, f.Baseline, f.Candidate = number(candidate.Target[row], digits), number(baseline.Value[row], digits), number(candidate.Value[row], digits)
		return f
	}
	f.Label, f.Baseline, f.Candidate = candidate.Classes[candidate.Label[row]], baseline.Classes[baseline.Pred[row]], candidate.Classes[candidate.Pred[row]]
	return f
}

func number(v float64, digits int) string { return strconv.FormatFloat(v, 'g', digits, 64) }

// countByLevel counts the rows by level: the MaxLevels with the most flips, in
// the order of their texts.
func countByLevel(c *predictions.Column, rows []moved) []SliceFlip {
	out := make([]SliceFlip, len(c.Levels))
	for k, level := range c.Levels {
		out[k] = SliceFlip{Column: c.Name, Level: level}
	}
	for _, code := range c.Code {
		out[code].Of++
	}
	for _, m := range rows {
		out[c.Code[m.row]].N++
	}
	if len(out) > MaxLevels {
		slices.SortFunc(out, func(a, b SliceFlip) int {
			return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Level, b.Level))
		})
		out = out[:MaxLevels]
	}
	slices.SortFunc(out, func(a, b SliceFlip) int { return cmp.Compare(a.Level, b.Level) })
	return out
}
