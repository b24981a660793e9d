package report

import "fmt"

// Sentence says how many rows the two models answer differently, and which of
// the answers are better.
func (f *Flips) Sentence() string {
	if f.Moved == nil {
		return fmt.Sprintf("%s of %s rows changed their predicted class: %s fixed, %s regressed.", Count(f.N), Count(f.Of), Count(f.Fixed), Count(f.Regressed))
	}
	return fmt.Sprintf("%s of %s predictions moved by more than %s, the baseline's median absolute error: %s nearer to the target, %s farther from it.",
		Count(f.N), Count(f.Of), Number(*f.Moved), Count(f.Fixed), Count(f.Regressed))
}

// Word heads a column of counts.
func (f *Flips) Word() string {
	if f.Moved == nil {
		return "flipped"
	}
	return "moved"
}

// Truth heads the column of what was true.
func (f *Flips) Truth() string {
	if f.Moved == nil {
		return "label"
	}
	return "target"
}
