package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
	"github.com/dosirak-ml/dosirak/pipeline/where"
)

// subset is a slice's rows.
type subset struct {
	name, level string
	rows        []int32
}

// subsets returns the subsets of one slice of the exam.
func subsets(s exam.Slice, set *predictions.Set) ([]subset, error) {
	if s.Where != "" {
		expr, err := where.Parse(s.Where)
		if err != nil {
			return nil, fault.ConfigInvalid.Usage(fmt.Errorf("slice %q: %w", s.Name, err))
		}
		holds, err := expr.Eval(set.N, func(name string) (where.Column, error) {
			c := set.Column(name)
			if c == nil {
				return nil, missingColumn(s.Name, name, set)
			}
			return cells{c, c.Numbers()}, nil
		})
		if err != nil {
			return nil, err
		}
		var rows []int32
		for i, h := range holds {
			if h {
				rows = append(rows, int32(i))
			}
		}
		return []subset{{name: s.Name, rows: rows}}, nil
	}
	c := set.Column(s.Column)
	if c == nil {
		return nil, missingColumn(s.Name, s.Column, set)
	}
	sizes := make([]int, len(c.Levels))
	for _, code := range c.Code {
		sizes[code]++
	}
	subs := make([]subset, len(c.Levels))
	for k, level := range c.Levels {
		subs[k] = subset{name: s.Name, level: level, rows: make([]int32, 0, sizes[k])}
	}
	for i, code := range c.Code {
		subs[code].rows = append(subs[code].rows, int32(i))
	}
	slices.SortFunc(subs, func(a, b subset) int { return strings.Compare(a.level, b.level) })
	return subs, nil
}

func missingColumn(slice, column string, set *predictions.Set) error {
	var have []string
	for _, c := range set.Columns {
		have = append(have, c.Name)
	}
	if len(have) == 0 {
		have = []string{"none"}
	}
	return fault.ColumnAbsent.Usage(fmt.Errorf("slice %q: %s has no column %q; its slice columns are: %s", slice, set.Name, column, strings.Join(have, ", ")))
}

// cells adapts a coded column to the language of slices.
type cells struct {
	c       *predictions.Column
	numbers []float64
}

func (c cells) At(i int) string { return c.c.Levels[c.c.Code[i]] }

func (c cells) Float(i int) (float64, bool) {
	v := c.numbers[c.c.Code[i]]
	return v, v == v
}

// judgeSlices judges all slices of the exam against one model.
func judgeSlices(ctx context.Context, in Input, set *predictions.Set, p *pair, own map[string]metric.Metric, against Against) ([]Slice, error) {
	var out []Slice
	for _, s := range in.Exam.Slices {
		m, ok := own[s.Metric]
		if !ok {
			var err error
			if m, err = metric.Lookup(s.Metric); err != nil {
				return nil, fault.ConfigInvalid.Usage(fmt.Errorf("slice %q: %w", s.Name, err))
			}
		}
		if err := m.CheckMargin(s.Margin); err != nil {
			return nil, fault.ConfigInvalid.Usage(fmt.Errorf("slice %q: %w", s.Name, err))
		}
		subs, err := subsets(s, set)
		if err != nil {
			return nil, err
		}
		direction := m.Direction
		for _, em := range in.Exam.Metrics {
			if em.Name == s.Metric && em.Direction != "" {
				direction = em.Direction
			}
		}
		judged := make([]Slice, len(subs))
		err = each(ctx, len(subs), func(i int) error {
			judged[i] = judgeSlice(in, s, subs[i], m, direction, p, against)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, judged...)
	}
	return out, nil
}

func judgeSlice(in Input, s exam.Slice, sub subset, m metric.Metric, direction exam.Direction, p *pair, against Against) Slice {
	out := Slice{Name: sub.name, Column: s.Column, Level: sub.level, Where: s.Where, Mode: s.Mode, Metric: m.Name,
		Direction: direction, Against: against, N: len(sub.rows), MinN: s.MinN, Margin: ptr(s.Margin)}
	if len(sub.rows) == 0 {
		out.Reason = "no row is in this slice"
		if s.Mode == exam.Gate {
			out.Verdict = verdict.Inconclusive
		}
		return out
	}
	part := p.rows(sub.rows)
	q := question{metric: m, direction: direction, confidence: in.Exam.Confidence, margin: &s.Margin}
	if len(sub.rows) < s.MinN {
		// Listed with its values, but not judged: no interval is computed.
		out.Reason = fmt.Sprintf("%d rows, and under min_n %d nothing is judged", len(sub.rows), s.MinN)
		c, b := m.Of(part.cand), m.Of(part.base)
		out.values(c, b, q.sign())
		return out
	}
	e := part.ask(q)
	out.values(e.cand, e.base, q.sign())
	out.CI = e.interval(q)
	if s.Mode == exam.Gate {
		out.Judged = true
		out.Verdict, out.Reason = e.verdict(q)
		return out
	}
	if !e.bounded || e.below == nil {
		out.Reason = e.reason
		return out
	}
	out.Judged = true
	out.P = ptr(e.below(q.limit()))
	return out
}

func (out *Slice) values(c, b metric.Value, sign float64) {
	if c.Defined() {
		out.Candidate = ptr(c.V)
	}
	if b.Defined() {
		out.Baseline = ptr(b.V)
	}
	if c.Defined() && b.Defined() {
		out.Improvement = ptr(sign * (c.V - b.V))
	}
}

// alarms gives the alarms among the slices their verdict: FAIL where a slice is
// significantly below its margin after Holm over all of them. Else an alarm is
// silent: it has no verdict, as what was not shown to be worse was not shown to be
// good either.
func alarms(all []Slice, confidence float64) {
	var at []int
	var p []float64
	for i, s := range all {
		if s.Mode != exam.Gate && s.Judged && s.P != nil {
			at = append(at, i)
			p = append(p, *s.P)
		}
	}
	for k, adjusted := range holm(p) {
		s := &all[at[k]]
		s.PHolm = ptr(adjusted)
		if adjusted <= 1-confidence {
			s.Verdict = verdict.Fail
			s.Reason = fmt.Sprintf("significantly below -%s (p = %.2g after Holm over %d alarms)", s.Margin, adjusted, len(p))
		}
	}
}

// rows returns the pair of some rows, groups numbered anew.
func (p *pair) rows(rows []int32) *pair {
	s := &pair{cand: p.cand.Rows(rows)}
	if p.base != nil {
		s.base = p.base.Rows(rows)
	}
	if p.group != nil {
		s.group = make([]int32, len(rows))
		number := make([]int32, p.groups)
		for i, r := range rows {
			g := p.group[r]
			if number[g] == 0 {
				s.groups++
				number[g] = int32(s.groups)
			}
			s.group[i] = number[g] - 1
		}
	}
	return s
}

// levels names the levels of slice columns that came or went.
func levels(in Input, set *predictions.Set) []Levels {
	var out []Levels
	for _, s := range in.Exam.Slices {
		known, ok := in.Levels[s.Column]
		c := set.Column(s.Column)
		if !ok || c == nil {
			continue
		}
		l := Levels{Column: s.Column}
		for _, level := range c.Levels {
			if !slices.Contains(known, level) {
				l.New = append(l.New, level)
			}
		}
		for _, level := range known {
			if !slices.Contains(c.Levels, level) {
				l.Vanished = append(l.Vanished, level)
			}
		}
		slices.Sort(l.New)
		slices.Sort(l.Vanished)
		if l.New != nil || l.Vanished != nil {
			out = append(out, l)
		}
	}
	return out
}
