package explain

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// change says what would have changed the verdict of m.
func (e *explanation) change(m *report.Metric) {
	v, ok := byBounds(m)
	switch {
	case !ok && m.Reason != "":
		e.say("There is no interval to reason from: what is missing is named above.")
		return
	case !ok:
		e.say("There is no interval to reason from.")
		return
	case v != m.Verdict:
		e.say(fmt.Sprintf("By the bounds alone it would be %s: what is named above stands in the way, not the margin.", v))
		return
	}
	c := m.Comparison()
	if h := hold(c); h != nil {
		e.item("·", "The margin. "+marginChange(c, h))
		if s := candidateChange(m, c, h); s != "" {
			e.item("·", "The candidate. "+s)
		}
		e.item("·", "The data. "+e.rowsChange(m, h))
	}
	for _, b := range limits(m) {
		e.item("·", fmt.Sprintf("The %s. %s", b.name, boundChange(b)))
	}
	if m.Verdict != verdict.Pass {
		e.say("A margin or floor that is moved after the result is known proves nothing: the exam guard shows the change, and a person has to acknowledge it.")
	}
}

// marginChange says at which margins the same interval would have been judged
// otherwise: it passes above -low and fails below -high.
func marginChange(c report.Comparison, h *held) string {
	// What is said to pass or fail like today's margin lies on its side of it.
	most, least := math.Inf(1), math.Inf(-1)
	switch h.verdict {
	case verdict.Pass:
		most = -h.limit
	case verdict.Fail:
		least = -h.limit
	}
	pass, hasPass := above(c, -h.low, most)
	fail, hasFail := below(c, -h.high, least)
	passes, fails := fmt.Sprintf("of %s or more would have passed", pass), fmt.Sprintf("of %s or less would have failed", fail)
	switch h.verdict {
	case verdict.Pass:
		switch {
		case h.low > 0:
			return "None: low is above 0, so it passes whatever the margin is, even one of 0."
		case !hasFail:
			return fmt.Sprintf("The smallest that still passes is %s; a smaller one would have been INCONCLUSIVE.", pass)
		}
		return fmt.Sprintf("The smallest that still passes is %s; one %s, and in between it would have been INCONCLUSIVE.", pass, fails)
	case verdict.Fail:
		if !hasPass {
			return fmt.Sprintf("The largest that still fails is %s; beyond it these rows are INCONCLUSIVE, and no margin passes.", fail)
		}
		return fmt.Sprintf("The largest that still fails is %s; one %s, and in between it would have been INCONCLUSIVE.", fail, passes)
	}
	switch {
	case hasPass && hasFail:
		return fmt.Sprintf("One %s; one %s.", passes, fails)
	case hasPass:
		return fmt.Sprintf("One %s; none would have failed, since high is not below 0.", passes)
	}
	return "None would have passed: the interval has no lower bound that a margin can cover."
}

// above returns the smallest margin of few digits that is larger than v, and at
// most most, on the scale of c: one that passes where v is -low. ok is false
// where no margin is, as a relative one must be under 100 %.
func above(c report.Comparison, v, most float64) (text string, ok bool) {
	v = max(v, 0)
	if math.IsInf(v, 0) || (ratio(c) && v >= 1) {
		return "", false
	}
	for more := 0; ; more++ {
		text, next := rounded(c, v, math.Floor, 1, more)
		if next <= most || more > 12 {
			return text, !ratio(c) || next < 1
		}
	}
}

// below returns the largest margin of few digits that is smaller than v, and at
// least least: one that fails where v is -high. ok is false where v is not
// above 0.
func below(c report.Comparison, v, least float64) (text string, ok bool) {
	if math.IsInf(v, 0) || v <= 0 {
		return "", false
	}
	for more := 0; ; more++ {
		text, next := rounded(c, v, math.Ceil, -1, more)
		if next >= max(least, 0) || more > 12 {
			return text, next >= 0
		}
	}
}

// rounded returns the number on the grid next to v in the given direction, and
// never v itself: as text, in percent on the scale of ratios, and as a number.
// The grid shows the digits that the interval deserves, and some more.
func rounded(c report.Comparison, v float64, toGrid func(float64) float64, direction float64, more int) (string, float64) {
	spread := v
	if c.CI.Low != nil && c.CI.High != nil && *c.CI.High > *c.CI.Low {
		spread = (*c.CI.High - *c.CI.Low) / 2
	}
	unit := ""
	shown := v
	if ratio(c) {
		shown, spread, unit = v*100, spread*100, "%"
	}
	decimals := report.Decimals(spread) + more
	step := math.Pow10(-decimals)
	k := toGrid(shown/step) + direction
	// The text is what is held against v, and binary fractions may let a
	// number of the grid pass for its neighbour.
	for try := 0; ; try++ {
		text := strconv.FormatFloat(k*step, 'f', decimals, 64)
		got, err := strconv.ParseFloat(text, 64)
		if unit != "" {
			got /= 100 // as a config's percentage is read
		}
		if try > 2 || (err == nil && (got-v)*direction > 0) {
			return text + unit, got
		}
		k += direction
	}
}

func ratio(c report.Comparison) bool { return c.CI != nil && c.CI.Scale == report.Ratio }

// candidateChange says how much better or worse the candidate would have to
// be, with the spread as it is.
func candidateChange(m *report.Metric, c report.Comparison, h *held) string {
	if c.Point == nil || math.IsInf(h.low, 0) {
		return ""
	}
	slack := h.low - h.limit // how far the worse bound is from the limit; negative: beyond it
	amount := inUnit(m, math.Abs(slack))
	value := ""
	if v := valueAt(m, *c.Point-slack); v != "" {
		value = fmt.Sprintf(": with a value of about %s instead of %s", v, c.Figures().Candidate)
	}
	if h.verdict == verdict.Pass {
		return fmt.Sprintf("With the same spread it would stop passing if it were worse by another %s%s.", amount, value)
	}
	s := fmt.Sprintf("With the same spread it would pass if it were better by %s than it is%s.", amount, value)
	if h.verdict == verdict.Fail && !math.IsInf(h.high, 0) {
		s += fmt.Sprintf(" Better by %s it would no longer fail.", inUnit(m, h.limit-h.high))
	}
	return s
}

// inUnit prints v, which is on the scale of CI, in the unit of the metric.
func inUnit(m *report.Metric, v float64) string {
	if m.CI.Scale == report.Ratio && m.Baseline != nil {
		return report.Short(v * math.Abs(*m.Baseline))
	}
	return m.CI.Scaled(v)
}

// valueAt is the candidate's value at an improvement on the scale of CI.
func valueAt(m *report.Metric, improvement float64) string {
	if m.Baseline == nil || m.Direction == "" {
		return ""
	}
	if m.CI.Scale == report.Ratio {
		improvement *= math.Abs(*m.Baseline)
	}
	if m.Direction == report.Lower {
		improvement = -improvement
	}
	return report.Number(*m.Baseline + improvement)
}

// rowsChange says what more data would do.
func (e *explanation) rowsChange(m *report.Metric, h *held) string {
	units, have := e.r.Units(), e.r.Have()
	short := m.RowsNeeded != nil && *m.RowsNeeded > int64(have)
	switch {
	case h.verdict == verdict.Fail:
		return fmt.Sprintf("More %s would narrow the interval about the true loss; they help only if that is smaller than the margin, which these speak against.", units)
	case h.verdict == verdict.Pass && short:
		return fmt.Sprintf("It passed although %s are few for this margin: an unchanged model would pass 4 times in 5 only from about %s %s on.", count(have, units[:len(units)-1]), report.RoundedUp(*m.RowsNeeded), units)
	case h.verdict == verdict.Pass:
		return fmt.Sprintf("There are %s enough: an unchanged model passes more than 4 times in 5.", units)
	case short:
		times := float64(*m.RowsNeeded) / float64(max(have, 1))
		return fmt.Sprintf("About %s %s, %s times as many, are what an unchanged model needs to pass 4 times in 5. That follows from the spread and the margin alone, not from the difference that was seen.", report.RoundedUp(*m.RowsNeeded), units, report.Short(times))
	case m.RowsNeeded != nil:
		return fmt.Sprintf("There are %s enough for an unchanged model to pass 4 times in 5, so the candidate is either worse by chance or truly a little worse; more %s would tell which.", units, units)
	}
	return fmt.Sprintf("More %s would narrow the interval.", units)
}

// boundChange says how far a floor or ceiling could be moved.
func boundChange(b bound) string {
	up, down := "up to", "over"
	if b.name == "ceiling" {
		up, down = "down to", "under"
	}
	kept, missed := report.Number(b.worse), report.Number(b.better)
	switch b.verdict() {
	case verdict.Pass:
		return fmt.Sprintf("It is kept with %s to spare; one %s about %s would have been kept, one %s about %s missed.", report.Short(b.inside(b.worse)), up, kept, down, missed)
	case verdict.Fail:
		return fmt.Sprintf("To keep it, the value would have to be better by %s, with the same spread; one %s about %s would have been kept.", report.Short(-b.inside(b.worse)), up, kept)
	}
	return fmt.Sprintf("To keep it, the value would have to be better by %s, with the same spread, or known more exactly; one %s about %s would have been kept, one %s about %s missed.", report.Short(-b.inside(b.worse)), up, kept, down, missed)
}
