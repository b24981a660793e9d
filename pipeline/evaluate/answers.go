package evaluate

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// answers collects what the model says, by row.
type answers struct {
	table *dataset.Table
	rows  []int // of the table; nil: all of them, which have labels
	n     int   // rows that are asked
	roles roles
	label []string  // nil: the model gives none
	proba []float64 // row by row, a value for each class
	wide  int       // classes of proba
	value []float64
}

// roles are the outputs that matter; nil where there is none.
type roles struct {
	label, proba, value *bundle.TensorSpec
}

func findRoles(outputs []bundle.TensorSpec) roles {
	var r roles
	told := false
	for i := range outputs {
		switch outputs[i].Role {
		case bundle.RoleLabel:
			r.label, told = &outputs[i], true
		case bundle.RoleProbabilities:
			r.proba, told = &outputs[i], true
		case bundle.RoleValue:
			r.value, told = &outputs[i], true
		}
	}
	if told {
		return r
	}
	for i := range outputs {
		spec := &outputs[i]
		switch w := width(*spec); {
		case spec.Datatype.Float() && (w > 1 || w < 0):
			r.proba = spec
		case spec.Datatype.Float() && w == 1:
			r.value = spec
		case w == 1:
			r.label = spec
		}
	}
	return r
}

// newAnswers makes room for what the task needs, or says which output is
// missing.
func newAnswers(o Options, rows []int) (*answers, error) {
	a := &answers{table: o.Table, rows: rows, n: o.Table.Rows(), roles: findRoles(o.Signature.Outputs)}
	if rows != nil {
		a.n = len(rows)
	}
	n := a.n
	r := &a.roles
	lacks := func(what string) error {
		var have []string
		for _, spec := range o.Signature.Outputs {
			have = append(have, fmt.Sprintf("%q %s %v", spec.Name, spec.Datatype, spec.Shape))
		}
		return fault.OutputsDoNotFit.Usage(fmt.Errorf("a %s task needs a model with %s; its outputs are %s", o.Task, what, list(have)))
	}
	switch o.Task {
	case exam.Regression:
		if r.value == nil {
			return nil, lacks("one number a row, [N] or [N,1]")
		}
		r.label, r.proba = nil, nil
	case exam.Binary:
		if r.proba != nil && width(*r.proba) == 1 {
			r.value, r.proba = r.proba, nil
		}
		if r.proba != nil {
			r.value = nil
		}
		if r.proba == nil && r.value == nil && r.label == nil {
			return nil, lacks("probabilities [N,2], a score [N] or a label")
		}
	default:
		r.value = nil
		if r.proba == nil && r.label == nil {
			return nil, lacks("probabilities [N,C] or a label")
		}
	}
	if r.label != nil {
		a.label = make([]string, n)
	}
	if r.value != nil {
		a.value = make([]float64, n)
	}
	if r.proba != nil {
		a.wide = width(*r.proba)
		if classes := len(r.proba.Classes); classes > 0 && a.wide < 0 {
			a.wide = classes
		}
		if a.wide < 0 {
			return nil, lacks("probabilities whose number of classes is told")
		}
		if classes := len(r.proba.Classes); classes > 0 && classes != a.wide {
			return nil, fault.OutputsDoNotFit.Usage(fmt.Errorf("the model's output %q has %d columns and names %d classes", r.proba.Name, a.wide, classes))
		}
		a.proba = make([]float64, n*a.wide)
	}
	return a, nil
}

// at names the i-th row that is asked.
func (a *answers) at(i int) string {
	if a.rows != nil {
		i = a.rows[i]
	}
	return at(a.table, i)
}

// batch names the rows of a request.
func (a *answers) batch(from, to int) string {
	if a.rows != nil {
		return fmt.Sprintf("%s of %s", count(to-from, "row"), a.table.Path())
	}
	return fmt.Sprintf("rows %d to %d of %s", from+1, to, a.table.Path())
}

// take copies the outputs for rows from (included) to to (excluded). Calls for
// different rows may run at the same time.
func (a *answers) take(outputs []tensor.Tensor, from, to int) error {
	if a.roles.label != nil {
		t, err := find(outputs, a.roles.label, to-from, 1)
		if err != nil {
			return err
		}
		texts(t, a.label[from:to])
	}
	if a.roles.value != nil {
		t, err := find(outputs, a.roles.value, to-from, 1)
		if err != nil {
			return err
		}
		if err := a.finite(t, a.value[from:to], from, 1); err != nil {
			return err
		}
	}
	if a.roles.proba != nil {
		t, err := find(outputs, a.roles.proba, to-from, a.wide)
		if err != nil {
			return err
		}
		if err := a.finite(t, a.proba[from*a.wide:to*a.wide], from, a.wide); err != nil {
			return err
		}
	}
	return nil
}

// find returns the output that a signature describes.
func find(outputs []tensor.Tensor, spec *bundle.TensorSpec, rows, wide int) (*tensor.Tensor, error) {
	for i := range outputs {
		t := &outputs[i]
		switch {
		case t.Name != spec.Name:
			continue
		case t.Datatype != spec.Datatype:
			return nil, fmt.Errorf("the model's output %q came as %s, its signature says %s", spec.Name, t.Datatype, spec.Datatype)
		case t.Rows() != rows:
			return nil, fmt.Errorf("the model's output %q has %d rows for %d that were asked", spec.Name, t.Rows(), rows)
		case t.Len() != rows*wide:
			return nil, fmt.Errorf("the model's output %q has the shape %v, expected %d values a row", spec.Name, t.Shape, wide)
		}
		return t, nil
	}
	return nil, fmt.Errorf("the model's answer has no output %q, which its signature names", spec.Name)
}

// texts writes labels as text, each distinct number once.
func texts(t *tensor.Tensor, to []string) {
	if t.Datatype == tensor.Bytes {
		copy(to, t.Strs)
		return
	}
	known := map[any]string{}
	for i := range to {
		v := t.At(i)
		text, ok := known[v]
		if !ok {
			text = fmt.Sprint(v)
			if f, number := t.Float(i); number && t.Datatype.Float() {
				text = strconv.FormatFloat(f, 'g', -1, 64)
			}
			known[v] = text
		}
		to[i] = text
	}
}

// finite copies numbers and refuses NaN and infinities.
func (a *answers) finite(t *tensor.Tensor, to []float64, from, wide int) error {
	for i := range to {
		v, ok := t.Float(i)
		if !ok {
			return fmt.Errorf("the model's output %q holds %s, no numbers", t.Name, t.Datatype)
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the model answers %v in its output %q for %s; it cannot be judged by that (does it handle missing values?)", v, t.Name, a.at(from+i/wide))
		}
		to[i] = v
	}
	return nil
}
