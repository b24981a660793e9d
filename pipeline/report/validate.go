package report

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// maxProblems bounds how many problems one error names.
const maxProblems = 20

// Validate returns all problems of r (at most 20 are named), each with the
// field it is about, or nil.
func (r *Report) Validate() error {
	c := &checker{}
	c.leaves(reflect.ValueOf(r).Elem(), false)
	c.run(r)
	for i := range r.Metrics {
		c.metric(&r.Metrics[i], fmt.Sprintf("metrics[%d]", i))
		// Of a bundle held against itself there is nothing to judge.
		if r.Metrics[i].Verdict == "" && !r.Unchanged && r.asked(&r.Metrics[i]) {
			c.add(fmt.Sprintf("metrics[%d].verdict", i), "is missing although the metric has a margin, floor or ceiling")
		}
	}
	for i := range r.Slices {
		c.slice(&r.Slices[i], fmt.Sprintf("slices[%d]", i))
	}
	c.parts(r)
	if len(c.problems) == 0 {
		c.gates(r)
	}
	return c.err()
}

type checker struct {
	problems []error
	more     int
	path     []place // where leaves is
}

func (c *checker) add(path, format string, args ...any) {
	if len(c.problems) >= maxProblems {
		c.more++
		return
	}
	c.problems = append(c.problems, fmt.Errorf("%s: %s", where(path), fmt.Sprintf(format, args...)))
}

func (c *checker) err() error {
	if c.more > 0 {
		return errors.Join(append(c.problems, fmt.Errorf("and %d more problems", c.more))...)
	}
	return errors.Join(c.problems...)
}

// leaves checks every value that knows its own form, and that every number is
// finite. optional is true where an empty value is written as no value.
func (c *checker) leaves(v reflect.Value, optional bool) {
	if v.Type().Implements(checkedType) {
		if optional && v.IsZero() {
			return
		}
		if err := v.Interface().(checked).check(); err != nil {
			c.add(pathText(c.path), "%v", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.leaves(v.Elem(), false)
		}
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			c.add(pathText(c.path), "is %v; an undefined number is null", f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.within(place{index: i}, v.Index(i), false)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			c.within(place{key: key.String()}, key, false)
			c.within(place{key: key.String()}, v.MapIndex(key), false)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			c.within(place{key: name}, v.Field(i), options == "omitempty" || v.Field(i).Type() == textType)
		}
	}
}

func (c *checker) within(p place, v reflect.Value, optional bool) {
	c.path = append(c.path, p)
	c.leaves(v, optional)
	c.path = c.path[:len(c.path)-1]
}

var checkedType = reflect.TypeFor[checked]()

// textType marks fields whose emptiness says something (an exam's old value):
// an empty Text is well formed everywhere.
var textType = reflect.TypeFor[Text]()

func oneOf[T ~string](c *checker, path string, v T, allowed ...T) {
	if !slices.Contains(allowed, v) {
		c.add(path, "is %s, not one of %s", quote(string(v)), list(allowed))
	}
}

func list[T ~string](values []T) string {
	var texts []string
	for _, v := range values {
		if v != "" {
			texts = append(texts, string(v))
		}
	}
	return strings.Join(texts, ", ")
}

func (c *checker) verdict(path string, v verdict.Verdict, optional bool) {
	if v == "" && optional {
		return
	}
	if !v.Valid() {
		c.add(path, "is %s, not PASS, FAIL or INCONCLUSIVE", quote(string(v)))
	}
}

func (c *checker) notNegative(path string, values ...int64) {
	for _, v := range values {
		if v < 0 {
			c.add(path, "is negative")
			return
		}
	}
}

func (c *checker) notNegativePtr(path string, values ...*float64) {
	for _, v := range values {
		if v != nil && *v < 0 {
			c.add(path, "is negative")
			return
		}
	}
}

func (c *checker) probability(path string, v *float64) {
	if v != nil && (*v < 0 || *v > 1) {
		c.add(path, "is %v, not a probability", *v)
	}
}

func (c *checker) run(r *Report) {
	if r.Schema != SchemaName {
		c.add("schema", "is %s, this release knows %s", quote(r.Schema), SchemaName)
	}
	c.verdict("verdict", r.Verdict, false)
	oneOf(c, "run.task", r.Run.Task, "binary", "multiclass", Regression)
	oneOf(c, "run.mode", r.Run.Mode, Gate, Advise)
	if !(r.Run.Confidence > 0.5 && r.Run.Confidence < 1) {
		c.add("run.confidence", "is %v, not between 0.5 and 1", r.Run.Confidence)
	}
	if r.Run.DurationMS != nil {
		c.notNegative("run.duration_ms", *r.Run.DurationMS)
	}
	if d := r.Run.Data.Train; d != nil {
		c.notNegative("run.data.train.rows", d.Rows)
	}
	if d := r.Run.Data.Eval; d != nil {
		c.notNegative("run.data.eval.rows", d.Rows)
	}
	c.notNegative("n", int64(r.N))
	c.notNegative("groups", int64(r.Groups))
	c.notNegativePtr("n_eff", &r.NEff)
	if r.Unchanged && (r.Baseline == nil || r.Baseline.Bundle != r.Candidate.Bundle) {
		c.add("unchanged", "is true, but candidate and baseline are not the same bundle")
	}
}

func (c *checker) interval(path string, ci *Interval) {
	if ci == nil {
		return
	}
	if ci.Low != nil && ci.High != nil && *ci.Low > *ci.High {
		c.add(path, "low is %v, above high, %v", *ci.Low, *ci.High)
	}
	if !(ci.Confidence > 0.5 && ci.Confidence < 1) {
		c.add(path+".confidence", "is %v, not between 0.5 and 1", ci.Confidence)
	}
	if ci.Sides != 1 && ci.Sides != 2 {
		c.add(path+".sides", "is %d, not 1 or 2", ci.Sides)
	}
	oneOf(c, path+".scale", ci.Scale, Difference, Ratio)
}

func (c *checker) metric(m *Metric, path string) {
	oneOf(c, path+".direction", m.Direction, "", Higher, Lower)
	oneOf(c, path+".against", m.Against, "", AgainstBaseline, AgainstAnchor)
	c.verdict(path+".verdict", m.Verdict, true)
	c.interval(path+".ci", m.CI)
	c.interval(path+".value_ci", m.Value)
	c.notNegativePtr(path+".mde", m.MDE)
	c.notNegativePtr(path+".se", m.SE)
	if m.RowsNeeded != nil {
		c.notNegative(path+".rows_needed", *m.RowsNeeded)
	}
}

func (c *checker) slice(s *Slice, path string) {
	oneOf(c, path+".direction", s.Direction, "", Higher, Lower)
	oneOf(c, path+".mode", s.Mode, "", AlarmSlice, GateSlice)
	c.verdict(path+".verdict", s.Verdict, true)
	c.interval(path+".ci", s.CI)
	oneOf(c, path+".against", s.Against, "", AgainstBaseline, AgainstAnchor)
	c.notNegative(path+".n", int64(s.N))
	c.notNegative(path+".min_n", int64(s.MinN))
	c.probability(path+".p", s.P)
	c.probability(path+".p_holm", s.PHolm)
}

func (c *checker) parts(r *Report) {
	for i := range r.Replicates {
		if d := r.Replicates[i].DurationMS; d != nil {
			c.notNegative(fmt.Sprintf("replicates[%d].duration_ms", i), *d)
		}
	}
	for i, l := range r.SeedPositions {
		oneOf(c, fmt.Sprintf("seed_positions[%d].kind", i), l.Kind, SeedWithin, SeedBetter, SeedWorse, SeedUnknown)
		c.probability(fmt.Sprintf("seed_positions[%d].confidence", i), &l.Confidence)
	}
	for i := range r.Recipes {
		c.recipe(&r.Recipes[i], fmt.Sprintf("recipes[%d]", i))
	}
	if d := r.Determinism; d != nil {
		oneOf(c, "determinism.kind", d.Kind, Identical, EqualPredictions, WithinTolerance, Different, ProofOff)
		c.verdict("determinism.verdict", d.Verdict, true)
		c.notNegativePtr("determinism.max_difference", d.MaxDifference)
	}
	if e := r.Export; e != nil {
		c.export(e)
	}
	for i, e := range r.Exams {
		oneOf(c, fmt.Sprintf("exams[%d].role", i), e.Role, Today, Promoted)
		c.verdict(fmt.Sprintf("exams[%d].verdict", i), e.Verdict, true)
	}
	if s := r.Smoke; s != nil {
		c.smoke(s)
	}
	if cal := r.Calibration; cal != nil {
		c.bins("calibration.candidate", cal.Candidate)
		c.bins("calibration.baseline", cal.Baseline)
	}
	for i, f := range r.Leakage {
		at := fmt.Sprintf("leakage[%d]", i)
		oneOf(c, at+".kind", f.Kind, "rows", "ids", "groups", "time", "group-column")
		c.verdict(at+".verdict", f.Verdict, true)
		c.notNegative(at+".count", f.Count, f.Of)
	}
	if w := r.WhyDifferent; w != nil {
		for i, ch := range w.Changes {
			oneOf(c, fmt.Sprintf("why_different.changes[%d].kind", i), ch.Kind,
				"parameter", "data", "code", "dependency", "hardware", "seed")
		}
		if f := w.Flips; f != nil {
			c.notNegative("why_different.flips", f.N, f.Of, f.Fixed, f.Regressed)
			c.notNegativePtr("why_different.flips.moved", f.Moved)
			if f.Moved != nil && r.Run.Task != Regression {
				c.add("why_different.flips.moved", "is for regression; a %s task counts changed classes", r.Run.Task)
			}
			if f.N > f.Of {
				c.add("why_different.flips.n", "is %d of %d", f.N, f.Of)
			}
		}
	}
}

func (c *checker) export(e *Export) {
	c.verdict("export.verdict", e.Verdict, true)
	c.notNegative("export.rows", e.Rows, e.Of, e.Differ)
	c.notNegativePtr("export", e.Largest, &e.Relative, &e.Absolute)
	switch {
	case e.Differ > e.Rows:
		c.add("export.differ", "is %d of %d rows", e.Differ, e.Rows)
	case e.Verdict == verdict.Pass && (e.Differ > 0 || e.Rows == 0):
		c.add("export.verdict", "is PASS although %d of %d rows differ", e.Differ, e.Rows)
	}
}

func (c *checker) recipe(x *Recipe, path string) {
	oneOf(c, path+".direction", x.Direction, "", Higher, Lower)
	c.verdict(path+".verdict", x.Verdict, true)
	c.interval(path+".ci", x.CI)
	c.notNegativePtr(path+".se", x.SE)
	c.notNegativePtr(path+".df", x.DF)
	c.notNegative(path+".seeds", int64(x.Seeds.Candidate), int64(x.Seeds.Baseline))
	if p := x.Components; p != nil {
		c.notNegativePtr(path+".components", &p.SeedsCandidate, &p.SeedsBaseline, &p.Rows, &p.Interaction)
	}
}

func (c *checker) smoke(s *Smoke) {
	oneOf(c, "smoke.target", s.Target, "container", "process")
	for i, check := range s.Checks {
		at := fmt.Sprintf("smoke.checks[%d]", i)
		c.verdict(at+".verdict", check.Verdict, true)
		c.notNegativePtr(at+".duration_ms", check.DurationMS)
	}
	c.notNegativePtr("smoke.ready_ms", s.ReadyMS, s.ReadySLO)
	for _, v := range []*int64{s.ImageSize, s.ImageSLO, s.Compressed, s.Memory, s.MemorySLO} {
		if v != nil {
			c.notNegative("smoke", *v)
		}
	}
	if l := s.Latencies; l != nil {
		c.notNegative("smoke.latencies.requests", l.Requests)
		c.notNegativePtr("smoke.latencies", l.Rate, l.RateSLO, l.P50, l.P90, l.P99, l.P999, l.Max, l.P99SLO)
	}
}

func (c *checker) bins(path string, bins []Bin) {
	for i, b := range bins {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !(b.Low >= 0 && b.Low < b.High && b.High <= 1) {
			c.add(at, "runs from %v to %v, not within 0 and 1", b.Low, b.High)
		}
		c.notNegative(at+".n", b.N)
		c.probability(at+".mean_prediction", b.Mean)
		c.probability(at+".observed", b.Observed)
	}
}

// gates refuses a run whose verdict is better than what its gates give: such a
// report contradicts itself, whoever wrote it.
func (c *checker) gates(r *Report) {
	judged := false
	for _, g := range r.Gates() {
		v, binds := g.Binds()
		judged = judged || binds
		if binds && verdict.Worst(v, r.Verdict) != r.Verdict {
			c.add("verdict", "is %s although %s is %s", r.Verdict, g.Name, v)
		}
	}
	if !judged && r.Verdict == verdict.Pass {
		c.add("verdict", "is PASS although nothing was judged")
	}
}
