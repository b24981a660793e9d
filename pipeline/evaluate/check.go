package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// Check looks at the training and the evaluation table for all that would end
// a run and can be known before anything is trained: columns that are named and
// not there, labels and weights that are none, ids that repeat, a positive class
// that no row has. columns are those that slices name. All problems are in one
// error.
func Check(ctx context.Context, train, eval *dataset.Table, task exam.Task, data exam.Data, columns []string) error {
	var found problems
	if found.rows(eval, "there is nothing to evaluate on") {
		_, err := ids(eval, data.ID)
		found.add(err)
		if data.Weight != "" {
			_, err := weights(eval, data.Weight)
			found.add(err)
		}
		found.need(eval, append([]string{data.Group, data.Time}, columns...)...)
	}
	found.rows(train, "there is nothing to train on")
	found.need(train, data.Time)
	for _, t := range []*dataset.Table{train, eval} {
		found.need(t, data.Features...)
	}
	if slices.Contains(data.Features, data.Label) {
		found.add(fault.InputsDoNotFit.Usage(fmt.Errorf("data.features names the label %q; a model that is shown it has nothing to predict", data.Label)))
	}
	found.labels(train, eval, task, data)
	if data.Time != "" && !lack(train, eval, data.Time) {
		found.add(dataset.CheckTimes(ctx, train, eval, data.Time))
	}
	return found.err()
}

// problems are what is wrong with the tables.
type problems []error

func (p *problems) add(err error) {
	if err == nil || slices.ContainsFunc(*p, func(other error) bool { return other.Error() == err.Error() }) {
		return
	}
	*p = append(*p, err)
}

func (p problems) err() error {
	switch len(p) {
	case 0:
		return nil
	case 1:
		return p[0]
	}
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = "\n  " + problem.Error()
	}
	return fault.Usage(&several{fmt.Sprintf("the data have %d problems:%s", len(p), strings.Join(lines, "")), errors.Join(p...)})
}

// several is many errors under one heading.
type several struct {
	text string
	all  error
}

func (s *several) Error() string { return s.text }
func (s *several) Unwrap() error { return s.all }

func (p *problems) rows(t *dataset.Table, otherwise string) bool {
	if t.Rows() == 0 {
		p.add(fault.NoRows.Usage(fmt.Errorf("%s has a header and no rows: %s", t.Path(), otherwise)))
	}
	return t.Rows() > 0
}

func (p *problems) need(t *dataset.Table, names ...string) {
	for _, name := range names {
		if name != "" {
			_, err := t.Need(name)
			p.add(err)
		}
	}
}

// lack reports whether one of the tables has no such column.
func lack(train, eval *dataset.Table, name string) bool {
	_, a := train.Column(name)
	_, b := eval.Column(name)
	return !a || !b
}

// labels looks at the labels of both tables.
func (p *problems) labels(train, eval *dataset.Table, task exam.Task, data exam.Data) {
	trained, err := train.Need(data.Label)
	p.add(err)
	asked, missing := eval.Need(data.Label)
	p.add(missing)
	if err != nil || missing != nil || train.Rows() == 0 || eval.Rows() == 0 {
		return
	}
	if task == exam.Regression {
		_, err := numbers(eval, asked)
		p.add(err)
		p.add(targets(train, trained))
		return
	}
	p.add(classes(train, trained, eval, asked, task, data))
}

// targets looks at the targets of training rows, which a trainer may leave out
// where they are missing.
func targets(t *dataset.Table, c dataset.Column) error {
	for i := range c.Len() {
		if v, ok := c.Float(i); !ok || math.IsInf(v, 0) {
			return refuseCell(fault.BadCell, t, i, c, "is no finite number")
		}
	}
	return nil
}

// levels are the classes of a column of labels, missing ones left out, and the
// first row of each.
func levels(c dataset.Column) (names []string, first []int) {
	coded := predictions.NewColumn(c.Name(), cells(c))
	seen := make([]bool, len(coded.Levels))
	for row, code := range coded.Code {
		if name := coded.Levels[code]; !seen[code] && !table.Missing(name) {
			names, first = append(names, name), append(first, row)
		}
		seen[code] = true
	}
	return names, first
}

// classes looks at the labels of a classification. A spelling of "missing" may
// be a class, which the model will say; the empty cell is none.
func classes(train *dataset.Table, trained dataset.Column, eval *dataset.Table, asked dataset.Column, task exam.Task, data exam.Data) error {
	for i := range asked.Len() {
		if asked.At(i) == "" {
			return refuseCell(fault.BadLabels, eval, i, asked, "is no class; label the row or leave it out")
		}
	}
	known, knownRows := levels(trained)
	shown, shownRows := levels(asked)
	where := func(t *dataset.Table) string { return fmt.Sprintf("column %q of %s", data.Label, t.Path()) }
	spell, err := predictions.OneSpelling(data.Positive,
		predictions.ClassNames{Where: where(eval), Names: shown}, predictions.ClassNames{Where: where(train), Names: known})
	if err != nil {
		return fault.TwoReadings.Usage(err)
	}
	var all []string
	for _, side := range []struct {
		t     *dataset.Table
		c     dataset.Column
		names []string
		rows  []int
	}{{train, trained, known, knownRows}, {eval, asked, shown, shownRows}} {
		for i, name := range side.names {
			if all = predictions.SortClasses(append(all, spell(name))); task == exam.Binary && len(all) > 2 {
				return refuseCell(fault.BadLabels, side.t, side.rows[i], side.c, fmt.Sprintf("is a third class in a binary task, beside %s; use task: multiclass, or mend the label",
					quoted(slices.DeleteFunc(all, func(class string) bool { return class == spell(name) }))))
			}
		}
	}
	if task == exam.Binary && data.Positive != "" && len(all) > 0 && !slices.Contains(all, spell(data.Positive)) {
		return fault.BadLabels.Usage(fmt.Errorf("data.positive is %q, and the labels in column %q of %s and %s are %s; write one of them",
			data.Positive, data.Label, train.Path(), eval.Path(), quoted(all)))
	}
	return unlearned(spell, known, eval, asked, shown, shownRows)
}

// unlearned refuses evaluation labels none of which the training table has.
func unlearned(spell func(string) string, known []string, eval *dataset.Table, asked dataset.Column, shown []string, rows []int) error {
	for _, name := range shown {
		if slices.ContainsFunc(known, func(other string) bool { return spell(other) == spell(name) }) {
			return nil
		}
	}
	if len(shown) == 0 || len(known) == 0 {
		return nil
	}
	return refuseCell(fault.BadLabels, eval, rows[0], asked, fmt.Sprintf("is none of the training table's classes %s; label both tables with the same names", quoted(known)))
}
