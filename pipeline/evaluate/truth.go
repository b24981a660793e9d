package evaluate

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// truth returns the set with all that the table alone says: ids, targets,
// weights, groups and slice columns. The labels of a classification come
// later, when the model's classes are known.
func truth(o Options) (*predictions.Set, error) {
	t := o.Table
	set := &predictions.Set{Task: o.Task, Name: t.Path(), N: t.Rows()}
	label, err := t.Need(o.Data.Label)
	if err != nil {
		return nil, err
	}
	if o.Task == exam.Regression {
		if set.Target, err = numbers(t, label); err != nil {
			return nil, err
		}
	}
	if set.ID, err = ids(t, o.Data.ID); err != nil {
		return nil, err
	}
	if o.Data.Weight != "" {
		if set.Weight, err = weights(t, o.Data.Weight); err != nil {
			return nil, err
		}
	}
	if o.Data.Group != "" {
		c, err := t.Need(o.Data.Group)
		if err != nil {
			return nil, err
		}
		coded := predictions.NewColumn(o.Data.Group, cells(c))
		set.Group, set.Groups = coded.Code, coded.Levels
	}
	for _, name := range o.Columns {
		c, err := t.Need(name)
		if err != nil {
			return nil, err
		}
		set.Columns = append(set.Columns, predictions.NewColumn(name, cells(c)))
	}
	return set, nil
}

func cells(c dataset.Column) []string {
	out := make([]string, c.Len())
	for i := range out {
		out[i] = c.At(i)
	}
	return out
}

// numbers reads a column of finite numbers.
func numbers(t *dataset.Table, c dataset.Column) ([]float64, error) {
	out := make([]float64, c.Len())
	for i := range out {
		v, ok := c.Float(i)
		if ok && math.IsNaN(v) {
			return nil, refuseCell(fault.BadCell, t, i, c, "is a missing value, and every row needs a number")
		}
		if !ok || math.IsInf(v, 0) {
			if why := table.WhyNoNumber(c.At(i)); why != "" {
				return nil, refuseCell(fault.BadCell, t, i, c, "is no finite number: "+why)
			}
			return nil, refuseCell(fault.BadCell, t, i, c, "is no finite number")
		}
		out[i] = v
	}
	return out, nil
}

func weights(t *dataset.Table, name string) ([]float64, error) {
	c, err := t.Need(name)
	if err != nil {
		return nil, err
	}
	out, err := numbers(t, c)
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for i, w := range out {
		if w < 0 {
			return nil, refuseCell(fault.BadCell, t, i, c, "is negative, which no weight is")
		}
		sum += w
	}
	if sum == 0 {
		return nil, fault.BadCell.Usage(fmt.Errorf("%s: column %q: all weights are zero", t.Path(), name))
	}
	return out, nil
}

// ids returns the column of ids, or the row numbers, from 1.
func ids(t *dataset.Table, name string) ([]string, error) {
	out := make([]string, t.Rows())
	if name == "" {
		for i := range out {
			out[i] = strconv.Itoa(i + 1)
		}
		return out, nil
	}
	c, err := t.Need(name)
	if err != nil {
		return nil, err
	}
	out = predictions.IDs(cells(c))
	first := make(map[string]int, len(out))
	for i, id := range out {
		if c.Missing(i) {
			return nil, refuseCell(fault.BadIDs, t, i, c, "is no id, but a missing value; each row needs one")
		}
		if before, twice := first[id]; twice {
			return nil, refuseCell(fault.BadIDs, t, i, c, fmt.Sprintf("stands on %s %d already; ids must be unique", t.Unit(), t.Line(before)))
		}
		first[id] = i
	}
	return out, nil
}

// refuseCell says what is wrong with a cell; code is the fault's.
func refuseCell(code *fault.Code, t *dataset.Table, row int, c dataset.Column, what string) error {
	return fault.At(at(t, row), code.Usage(fmt.Errorf("%s: column %q: %q %s", at(t, row), c.Name(), clip(c.At(row)), what)))
}
