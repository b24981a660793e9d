package report

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Sentence says what was found.
func (e *Export) Sentence() string {
	if e.Verdict == "" && e.Claimed {
		return fmt.Sprintf("Claimed by the change: what ships says what the trained model said of %s, within %s.", e.sample(), e.Tolerance())
	}
	if e.Verdict == "" {
		return join("What ships was not held against what was trained", string(e.Reason))
	}
	if e.Differ == 0 {
		return fmt.Sprintf("What ships says what the trained model said of %s, within %s.", e.sample(), e.Tolerance())
	}
	s := fmt.Sprintf("What ships is not what was trained: of %s it says something else of %s", e.sample(), Count(e.Differ))
	if e.Largest != nil && *e.Largest > 0 {
		s += ", by up to " + Short(*e.Largest)
	}
	if e.Cause == "" {
		return join(s, "what caused it is not known; the rows are listed below")
	}
	return join(s, string(e.Cause))
}

// sample is the rows that were compared.
func (e *Export) sample() string {
	s := plural(int(e.Rows), "row") + " of the training table"
	if e.Of > e.Rows {
		s += fmt.Sprintf(" (of %s that the trainer wrote of)", Count(e.Of))
	}
	return s
}

// Tolerance is what two numbers may differ by.
func (e *Export) Tolerance() string {
	return fmt.Sprintf("%s + %s·|value|", Short(e.Absolute), Short(e.Relative))
}

func (r *Report) exportLine() Line {
	e := r.Export
	switch {
	case e == nil:
		return Line{}
	case e.Verdict == "" && e.Claimed:
		return Line{Name: "export", Text: fmt.Sprintf("claimed by the change: %s as trained", plural(int(e.Rows), "row"))}
	case e.Verdict == "":
		return Line{Name: "export", Text: "not compared: " + string(e.Reason)}
	case e.Verdict == verdict.Pass:
		return Line{Name: "export", Verdict: e.Verdict, Text: fmt.Sprintf("%s as trained, within %s", plural(int(e.Rows), "row"), e.Tolerance())}
	}
	return Line{Name: "export", Verdict: e.Verdict, Text: fmt.Sprintf("%s of %s are not as trained", Count(e.Differ), plural(int(e.Rows), "row"))}
}
