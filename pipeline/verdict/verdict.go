// Package verdict is the three-valued answer of a gate and of a run.
//
// A verdict is never a boolean: "not worse" and "cannot tell" are different
// answers, and a tool that maps the second to the first fails open.
package verdict

// Verdict is PASS, FAIL or INCONCLUSIVE.
type Verdict string

const (
	Pass         Verdict = "PASS"
	Fail         Verdict = "FAIL"
	Inconclusive Verdict = "INCONCLUSIVE"
)

// rank orders verdicts from best to worst. An unknown value ranks worst, so
// that a damaged report can never read as a PASS.
func (v Verdict) rank() int {
	switch v {
	case Pass:
		return 0
	case Inconclusive:
		return 1
	case Fail:
		return 2
	}
	return 3
}

// Valid reports whether v is one of the three values.
func (v Verdict) Valid() bool { return v.rank() < 3 }

// Worst returns the worst of vs: FAIL before INCONCLUSIVE before PASS. The
// worst of nothing is INCONCLUSIVE: where nothing was judged, nothing passed.
func Worst(vs ...Verdict) Verdict {
	if len(vs) == 0 {
		return Inconclusive
	}
	worst := vs[0]
	for _, v := range vs[1:] {
		if v.rank() > worst.rank() {
			worst = v
		}
	}
	if !worst.Valid() {
		return Fail
	}
	return worst
}

// ExitCode returns the exit code of a command that ends with v: 0 for PASS,
// 1 for FAIL, 3 for INCONCLUSIVE.
func (v Verdict) ExitCode() int {
	switch v {
	case Pass:
		return 0
	case Inconclusive:
		return 3
	}
	return 1
}
