package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// RecipesNote says what the comparison of recipes is, wherever it is shown.
func (r *Report) RecipesNote() string {
	return fmt.Sprintf("A recipe is judged by the mean over its seeds; the interval holds for other seeds and other %s. It informs and gates nothing: the candidate is one model, and that one ships.", r.Units())
}

// Comparison returns x as a comparison.
func (x *Recipe) Comparison() Comparison {
	return comparison(x.Baseline, x.Candidate, x.Improvement, x.CI, x.Margin)
}

// Sentence says what was found of x.
func (x *Recipe) Sentence() string {
	c := x.Comparison()
	return sentence(fmt.Sprintf("%s over %s", x.Metric, plural(x.Seeds.Candidate, "seed")), x.other(), c, x.Margin, x.Verdict,
		c.low() != nil && *c.low() > 0, x.Reason, "")
}

// other names what the recipe is held against.
func (x *Recipe) other() string {
	if x.Seeds.Baseline == 1 {
		return "the baseline's one model"
	}
	return "the baseline's recipe"
}

// Sides says how many seeds stand on each side.
func (x *Recipe) Sides() string {
	if x.Seeds.Baseline == 1 {
		return plural(x.Seeds.Candidate, "seed") + " against one model"
	}
	return fmt.Sprintf("%s against %d", plural(x.Seeds.Candidate, "seed"), x.Seeds.Baseline)
}

// Scatter says how much of the standard error is due to the seeds and how much
// to the units, rows or groups, on the scale of CI; "" where that is not known.
func (x *Recipe) Scatter(units string) string {
	seeds, rows, ok := x.errors()
	if !ok || x.SE == nil {
		return ""
	}
	return fmt.Sprintf("standard error %s; the seeds alone would give %s, the %s alone %s", x.CI.Scaled(*x.SE), x.CI.Scaled(seeds), units, x.CI.Scaled(rows))
}

// errors returns the standard errors of the seeds alone and of the rows alone,
// on the scale of CI.
func (x *Recipe) errors() (seeds, rows float64, ok bool) {
	p := x.Components
	if p == nil || x.CI == nil {
		return 0, 0, false
	}
	unit := 1.0
	if x.CI.Scale == Ratio {
		if x.Baseline == nil || *x.Baseline == 0 {
			return 0, 0, false
		}
		unit = math.Abs(*x.Baseline)
	}
	seeds, rows = math.Sqrt(p.SeedsCandidate+p.SeedsBaseline)/unit, math.Sqrt(p.Rows)/unit
	return seeds, rows, finite(seeds) != nil && finite(rows) != nil
}

// Narrower says what would narrow the interval more, seeds or units; "" where
// that is not known.
func (x *Recipe) Narrower(units string) string {
	seeds, rows, ok := x.errors()
	switch {
	case !ok:
		return ""
	case seeds > rows:
		return "more seeds would narrow it more than more " + units
	}
	return "more " + units + " would narrow it more than more seeds"
}

// Remarks says how the interval was found: method, degrees of freedom, errors.
func (x *Recipe) Remarks(units string) string {
	var parts []string
	if x.CI != nil && x.CI.Method != "" {
		method := string(x.CI.Method)
		if x.CI.Source != "" {
			method += " (" + string(x.CI.Source) + ")"
		}
		if x.DF != nil {
			method += fmt.Sprintf(" with %s degrees of freedom", Short(*x.DF))
		}
		parts = append(parts, method)
	}
	for _, s := range []string{x.Scatter(units), string(x.Reason)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "; ")
}

// Dissent returns the candidate's own verdict by the margin where the recipe's
// is another one, else "". Only an interval can dissent: too few seeds say
// nothing.
func (r *Report) Dissent(x *Recipe) verdict.Verdict {
	if r.Unchanged || x.Verdict == "" || x.CI == nil {
		return ""
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Name != x.Metric || m.Against == AgainstAnchor || m.Margin == "" {
			continue
		}
		own := m.Verdict
		// A floor is none of the recipe's business.
		if by := m.Comparison().byMargin(); by != "" && (m.Floor != nil || m.Ceiling != nil) {
			own = by
		}
		if own != x.Verdict {
			return own
		}
	}
	return ""
}

// byMargin is the verdict of the interval against the limit alone, "" without
// either.
func (c Comparison) byMargin() verdict.Verdict {
	low, high := c.low(), c.high()
	switch {
	case c.Limit == nil || (low == nil && high == nil):
		return ""
	case low != nil && *low > *c.Limit:
		return verdict.Pass
	case high != nil && *high < *c.Limit:
		return verdict.Fail
	}
	return verdict.Inconclusive
}

// recipeLine is there only where a recipe and its candidate come to different
// verdicts.
func (r *Report) recipeLine() Line {
	var parts []string
	seeds := 0
	for i := range r.Recipes {
		x := &r.Recipes[i]
		if own := r.Dissent(x); own != "" {
			parts = append(parts, fmt.Sprintf("%s would be %s, the candidate's is %s", x.Metric, x.Verdict, own))
			seeds = x.Seeds.Candidate
		}
	}
	if len(parts) == 0 {
		return Line{}
	}
	text := fmt.Sprintf("over %s %s", plural(seeds, "seed"), parts[0])
	if n := len(parts) - 1; n > 0 {
		text += fmt.Sprintf("; and %s", plural(n, "more metric"))
	}
	return Line{Name: "recipe", Text: text}
}
