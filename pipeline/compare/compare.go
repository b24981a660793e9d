package compare

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Compare judges the candidate by the exam. An error is a usage error: rows
// that do not pair, columns that are not there, an exam that cannot be asked.
// Whatever the data do not tell is INCONCLUSIVE in the result. It ends when ctx
// does.
func Compare(ctx context.Context, in Input) (Result, error) {
	if err := checkExam(in.Exam); err != nil {
		return Result{}, fault.Usage(err)
	}
	res := Result{N: in.Candidate.N, Confidence: in.Exam.Confidence, Metrics: []Metric{}, Slices: []Slice{}}
	models := []struct {
		against Against
		set     *predictions.Set
	}{{AgainstBaseline, in.Baseline}, {AgainstAnchor, in.Anchor}}
	for _, model := range models {
		if model.set == nil && (model.against == AgainstAnchor) {
			continue
		}
		p, rows, err := newPair(in.Exam, in.Candidate, model.set)
		if err != nil {
			return Result{}, err
		}
		own, err := custom(in, model.set, p)
		if err != nil {
			return Result{}, err
		}
		if model.against == AgainstBaseline {
			res.Groups = p.groups
			res.NEff = effective(p.cand.Weight)
		}
		var wanted []exam.Metric
		for _, want := range in.Exam.Metrics {
			if model.against == AgainstBaseline || want.Margin != nil {
				wanted = append(wanted, want) // nothing else is judged against the anchor
			}
		}
		judged := make([]Metric, len(wanted))
		err = each(ctx, len(wanted), func(i int) (err error) {
			m, ok := own[wanted[i].Name]
			if !ok {
				if m, err = metric.Lookup(wanted[i].Name); err != nil {
					return fault.Usage(err)
				}
			}
			judged[i] = judgeMetric(p, wanted[i], m, model.against, in.Exam)
			return nil
		})
		if err != nil {
			return Result{}, err
		}
		err = checkMargins(judged, func(name string) (metric.Metric, error) {
			if m, ok := own[name]; ok {
				return m, nil
			}
			return metric.Lookup(name)
		})
		if err != nil {
			return Result{}, err
		}
		res.Metrics = append(res.Metrics, judged...)
		if model.set == nil {
			continue
		}
		found, err := judgeSlices(ctx, in, rows, p, own, model.against)
		if err != nil {
			return Result{}, err
		}
		res.Slices = append(res.Slices, found...)
	}
	alarms(res.Slices, in.Exam.Confidence)
	res.Levels = levels(in, in.Candidate)
	res.conclude(in.Baseline == nil)
	return res, nil
}

// each calls do for 0..n-1, as many at once as there are cores. Every question
// has its own place, so that the result is that of one after another.
// None is begun after ctx has ended.
func each(ctx context.Context, n int, do func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return do(i)
		})
	}
	return g.Wait()
}

// Gates are the metrics and slices that the verdict rests on.
func (r *Result) Gates() []verdict.Gate {
	var gates []verdict.Gate
	for _, m := range r.Metrics {
		gates = append(gates, verdict.Gate{Name: m.Name, Verdict: m.Verdict})
	}
	for _, s := range r.Slices {
		gates = append(gates, verdict.Gate{Name: s.Name, Verdict: s.Verdict, Alarm: s.Mode != exam.Gate})
	}
	return gates
}

// Improved reports whether the primary metric is shown to be better than the
// baseline's.
func (r *Result) Improved() bool {
	return slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Primary && m.Against == AgainstBaseline && m.Improved })
}

// conclude sets the verdict and says why, where no gate does.
func (r *Result) conclude(first bool) {
	gates := r.Gates()
	r.Verdict = verdict.Of(gates)
	judged := slices.ContainsFunc(gates, func(g verdict.Gate) bool { _, binds := g.Binds(); return binds })
	limited := slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Floor != nil || m.Ceiling != nil })
	switch {
	case first && !limited:
		r.Reason = "there is no baseline and no floor: give a metric a floor or ceiling, or adopt the model in production"
	case !judged:
		r.Reason = "no metric has a margin, floor or ceiling: nothing was judged"
	}
}

// checkExam refuses what no data can answer.
func checkExam(e exam.Exam) error {
	if !(e.Confidence > 0.5 && e.Confidence < 1) {
		return fmt.Errorf("confidence %v must be over 0.5 and under 1", e.Confidence)
	}
	if len(e.Metrics) == 0 {
		return fmt.Errorf("the exam has no metrics; known are %v", metric.Known())
	}
	seen := map[string]bool{}
	for _, want := range e.Metrics {
		if want.Command != "" && want.Direction == "" {
			return fmt.Errorf("metric %s has a command and needs a direction: higher or lower", want.Name)
		}
		m, err := lookup(e, want.Name)
		if err != nil {
			return err
		}
		if seen[m.Name] {
			return fmt.Errorf("metric %s stands in the exam twice", m.Name)
		}
		seen[m.Name] = true
		if !m.For(e.Task) {
			return fmt.Errorf("metric %s is not for %s tasks", m.Name, e.Task)
		}
		if want.Direction != "" && want.Direction != m.Direction {
			return fmt.Errorf("metric %s: direction %s, but %s is better", m.Name, want.Direction, m.Direction)
		}
		if want.Margin != nil {
			if err := m.CheckMargin(*want.Margin); err != nil {
				return err
			}
			if !(want.Margin.Value >= 0) || math.IsInf(want.Margin.Value, 0) {
				return fmt.Errorf("metric %s: the margin %v must be a finite number of at least 0", m.Name, want.Margin.Value)
			}
		}
		if want.Floor != nil || want.Ceiling != nil {
			if err := m.CheckLimit(); err != nil {
				return err
			}
		}
	}
	for _, s := range e.Slices {
		m, err := lookup(e, s.Metric)
		if err != nil {
			return fmt.Errorf("slice %q: %w", s.Name, err)
		}
		if !m.For(e.Task) {
			return fmt.Errorf("slice %q: metric %s is not for %s tasks", s.Name, m.Name, e.Task)
		}
	}
	return nil
}

// lookup returns the metric of a name, a custom one as if it had a number per
// row, which only its command's output tells.
func lookup(e exam.Exam, name string) (metric.Metric, error) {
	for _, m := range e.Metrics {
		if m.Name == name && m.Command != "" {
			return metric.Custom(name, m.Direction, true), nil
		}
	}
	return metric.Lookup(name)
}

// custom computes the custom metrics of both models into the pair's data.
func custom(in Input, base *predictions.Set, p *pair) (map[string]metric.Metric, error) {
	own := map[string]metric.Metric{}
	for _, want := range in.Exam.Metrics {
		if want.Command == "" {
			continue
		}
		if in.Custom == nil {
			return nil, fault.Usage(fmt.Errorf("metric %s has a command, and nothing here runs it", want.Name))
		}
		c, err := in.Custom(want, in.Candidate)
		if err != nil {
			return nil, err
		}
		perRow := len(c) == in.Candidate.N
		put(p.cand, want.Name, c)
		if base != nil {
			b, err := in.Custom(want, base)
			if err != nil {
				return nil, err
			}
			if len(b) != len(c) && !(len(b) == base.N && perRow) {
				return nil, fault.MetricCommandFailed.Failed(fmt.Errorf("metric %s: the command printed %d numbers for the candidate and %d for the other model", want.Name, len(c), len(b)))
			}
			if perRow {
				// The command saw the set in its own order; pairing is by id.
				if b, err = predictions.AlignValues(in.Candidate, base, b); err != nil {
					return nil, err
				}
			}
			put(p.base, want.Name, b)
		}
		if !perRow && (want.Margin != nil || want.Floor != nil || want.Ceiling != nil) {
			return nil, fault.MetricCommandFailed.Usage(fmt.Errorf("metric %s: the command prints one number for all rows, which has no interval: let it print one per row, or remove margin, floor and ceiling", want.Name))
		}
		own[want.Name] = metric.Custom(want.Name, want.Direction, perRow)
	}
	return own, nil
}

func put(d *metric.Data, name string, x []float64) {
	if d.Custom == nil {
		d.Custom = map[string][]float64{}
	}
	d.Custom[name] = x
}

// newPair aligns the two sets by id and returns them as data, with the set
// that describes the rows.
func newPair(e exam.Exam, cand, base *predictions.Set) (*pair, *predictions.Set, error) {
	if cand.Task != e.Task {
		return nil, nil, fault.BadLabels.Usage(fmt.Errorf("%s holds a %s task, the exam is for %s", cand.Name, cand.Task, e.Task))
	}
	p := &pair{}
	rows := cand
	if base != nil {
		aligned, err := predictions.Align(cand, base)
		if err != nil {
			return nil, nil, err
		}
		base = aligned
		rows = describe(cand, base)
	}
	p.cand = data(cand, rows.Weight)
	if base != nil {
		p.base = data(base, rows.Weight)
	}
	p.group, p.groups = rows.Group, len(rows.Groups)
	if e.Data.Group != "" && p.group == nil {
		c := rows.Column(e.Data.Group)
		if c == nil {
			return nil, nil, fault.ColumnAbsent.Usage(fmt.Errorf("%s has neither a column \"group\" nor %q, which the exam names as group", cand.Name, e.Data.Group))
		}
		p.group, p.groups = c.Code, len(c.Levels)
	}
	if e.Data.Weight != "" && rows.Weight == nil {
		return nil, nil, fault.ColumnAbsent.Usage(fmt.Errorf("%s has no column \"weight\", and the exam asks for weights (%q)", cand.Name, e.Data.Weight))
	}
	return p, rows, nil
}

// describe returns what both files say of the rows: a column that only one of
// them has holds for both, as they are the same rows.
func describe(cand, base *predictions.Set) *predictions.Set {
	rows := *cand
	if rows.Weight == nil {
		rows.Weight = base.Weight
	}
	if rows.Group == nil {
		rows.Group, rows.Groups = base.Group, base.Groups
	}
	rows.Columns = append([]predictions.Column(nil), cand.Columns...)
	for _, c := range base.Columns {
		if rows.Column(c.Name) == nil {
			rows.Columns = append(rows.Columns, c)
		}
	}
	return &rows
}

// Data returns a set as the metrics read it.
func Data(s *predictions.Set) *metric.Data { return data(s, s.Weight) }

func data(s *predictions.Set, weight []float64) *metric.Data {
	return &metric.Data{Task: s.Task, N: s.N, Classes: s.Classes, Positive: s.Positive, Label: s.Label, Pred: s.Pred,
		Target: s.Target, Value: s.Value, Score: s.Score, Proba: s.Proba, Weight: weight}
}

// effective returns (sum w)²/sum w², 0 without weights (Kish 1965).
func effective(weight []float64) float64 {
	var w, w2 float64
	for _, v := range weight {
		w += v
		w2 += v * v
	}
	if w2 <= 0 {
		return 0
	}
	return w * w / w2
}
