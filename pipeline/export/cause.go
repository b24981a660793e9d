package export

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// cause names what explains the rows that differ, and the columns that it
// concerns; "" where nothing does.
func (x *comparison) cause(ctx context.Context, differ []int) (string, []string, error) {
	if said := x.thresholdLost(differ); said != "" {
		return said, nil, nil
	}
	for _, look := range []func([]int) (string, []string){x.classesSwapped, x.linkLost, x.missingValues, x.categories} {
		if said, columns := look(differ); said != "" {
			return said, columns, nil
		}
	}
	if said, err := x.countedOtherwise(ctx); said != "" || err != nil {
		return said, nil, err
	}
	return x.atThresholds(ctx, differ)
}

// thresholdLost finds that the probabilities agree and the classes do not.
func (x *comparison) thresholdLost(differ []int) string {
	if len(x.columns) == 0 || x.labels == nil {
		return ""
	}
	for _, i := range differ {
		for _, n := range x.columns {
			if !x.near(n.trained[i], n.served[i]) {
				return ""
			}
		}
	}
	if x.low == x.high {
		return "the probabilities agree and the predicted classes do not"
	}
	return fmt.Sprintf("the probabilities agree and the predicted classes do not: the trained model's threshold, between %.4g and %.4g, was not exported", x.low, x.high)
}

// nearly is the share of rows that a cause must explain.
const nearly = 0.99

// explains reports whether f makes of every trained value the served one, for
// nearly all rows, and makes a difference.
func (x *comparison) explains(n numbers, f func(trained float64) float64) bool {
	right := 0
	for i, v := range n.trained {
		want := f(v)
		// A function of what was rounded is rounded too: ten times the tolerance.
		if math.Abs(n.served[i]-want) <= 10*(x.absolute+x.relative*math.Max(math.Abs(want), math.Abs(n.served[i]))) {
			right++
		}
	}
	return float64(right) >= nearly*float64(len(n.trained))
}

// classesSwapped finds probabilities that stand in each other's place.
func (x *comparison) classesSwapped([]int) (string, []string) {
	if x.labels == nil {
		return "", nil
	}
	if len(x.columns) == 1 || len(x.served.Classes) == 2 && len(x.columns) > 0 {
		if x.varies(x.columns[0].trained) && x.explains(x.columns[0], func(v float64) float64 { return 1 - v }) {
			return "the classes are swapped: what the trained model says of one, the served one says of the other; the order of columns of predict_proba is that of model.classes_", nil
		}
		return "", nil
	}
	var swapped []string
	for i, n := range x.columns {
		for j, other := range x.columns {
			if i != j && x.varies(n.trained) && x.explains(numbers{"", n.trained, other.served}, func(v float64) float64 { return v }) {
				swapped = append(swapped, fmt.Sprintf("%s is served as %s", n.name, other.name))
				break
			}
		}
	}
	if len(swapped) < 2 {
		return "", nil
	}
	return "the classes are swapped: " + strings.Join(swapped, ", ") + "; the order of columns of predict_proba is that of model.classes_", nil
}

// varies reports whether values are not all (nearly) the same.
func (x *comparison) varies(values []float64) bool {
	return !x.near(slices.Min(values), slices.Max(values))
}

// linkLost finds a function of the prediction that was lost or added on the
// way.
func (x *comparison) linkLost([]int) (string, []string) {
	if len(x.columns) == 0 || !x.varies(x.columns[0].trained) || len(x.Rows) < 3 {
		return "", nil
	}
	n := x.columns[0]
	logit := func(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	for _, link := range []struct {
		f    func(float64) float64
		said string
	}{
		{logit, "the exported model gives the margin before the sigmoid: the logistic objective was lost in the conversion"},
		{sigmoid, "the exported model applies a sigmoid that the trained one does not, or " + File + " holds the margin before it (output_margin, raw_score)"},
		{math.Log, "the exported model gives the logarithm of what was trained: the link function of the objective (Poisson, gamma, Tweedie) was lost in the conversion"},
		{math.Exp, "the exported model gives the exponential of what was trained: " + File + " holds the raw score, or a link function was added"},
		{math.Expm1, "the exported model turns log1p of the target back and what was trained does not"},
		{math.Log1p, "the exported model gives log1p of what was trained: the step that turns the target back was lost in the conversion"},
	} {
		if x.explains(n, link.f) {
			return link.said, nil
		}
		middle := len(n.trained) / 2
		shift := n.served[middle] - link.f(n.trained[middle])
		if x.explains(n, func(v float64) float64 { return link.f(v) + shift }) {
			return fmt.Sprintf("%s, and with it a constant of %.4g (base_score, an intercept)", link.said, shift), nil
		}
	}
	return x.lineLost(n), nil
}

// lineLost finds a factor or an offset between both sides.
func (x *comparison) lineLost(n numbers) string {
	low, high := 0, 0
	for i, v := range n.trained {
		if v < n.trained[low] {
			low = i
		}
		if v > n.trained[high] {
			high = i
		}
	}
	factor := (n.served[high] - n.served[low]) / (n.trained[high] - n.trained[low])
	offset := n.served[low] - factor*n.trained[low]
	same := func(a, b float64) bool { return math.Abs(a-b) <= 1e-3*math.Max(math.Abs(b), 1e-12) }
	shift := n.served[low] - n.trained[low]
	switch {
	case x.explains(n, func(v float64) float64 { return v + shift }):
		return fmt.Sprintf("the exported model says %.6g more than the trained one of every row: a constant (base_score, an intercept, an initial estimate) was lost or added in the conversion", shift)
	case factor == 0 || math.IsNaN(factor) || math.IsInf(factor, 0) || !x.explains(n, func(v float64) float64 { return factor*v + offset }):
		return ""
	case math.Abs(offset) <= 10*(x.absolute+x.relative*math.Abs(n.served[low])):
		more := fmt.Sprintf("%.6g times", factor)
		if whole := math.Round(factor); whole > 1 && same(factor, whole) {
			return fmt.Sprintf("the exported model says %.0f times what the trained one says: the average over %.0f trees became their sum in the conversion", whole, whole)
		}
		if whole := math.Round(1 / factor); whole > 1 && same(1/factor, whole) {
			return fmt.Sprintf("the trained model says %.0f times what the exported one says: a sum or an average over %.0f trees was divided once more in the conversion", whole, whole)
		}
		return "the exported model says " + more + " what the trained one says: an average over trees became a sum, or the scale of the target was lost in the conversion"
	}
	return fmt.Sprintf("the exported model says %.6g·x %+.6g where the trained one says x: the scaling of the target was lost in the conversion", factor, offset)
}

// inputColumns are the columns that the model reads, of one kind of input.
func (x *comparison) inputColumns(kind func(tensor.Datatype) bool) []dataset.Column {
	var out []dataset.Column
	for _, spec := range x.o.Inputs {
		if !kind(spec.Datatype) {
			continue
		}
		for _, name := range spec.Columns {
			if c, ok := x.o.Train.Column(name); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// missingValues finds that all rows that differ lack a value, and that rows
// which lack none do not differ.
func (x *comparison) missingValues(differ []int) (string, []string) {
	columns := x.inputColumns(func(tensor.Datatype) bool { return true })
	lacks := func(i int) bool {
		return slices.ContainsFunc(columns, func(c dataset.Column) bool { return c.Missing(x.Rows[i]) })
	}
	for _, i := range differ {
		if !lacks(i) {
			return "", nil
		}
	}
	whole := 0
	for i := range x.Rows {
		if !lacks(i) {
			whole++
		}
	}
	// Few rows that differ lack a value by accident where most rows lack one.
	lacking := len(x.Rows) - whole
	if chance := math.Pow(float64(lacking)/float64(len(x.Rows)), float64(len(differ))); whole == 0 || chance > 0.05 && 2*len(differ) < lacking {
		return "", nil
	}
	type count struct {
		name string
		n    int
	}
	var counts []count
	for _, c := range columns {
		n := 0
		for _, i := range differ {
			if c.Missing(x.Rows[i]) {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, count{c.Name(), n})
		}
	}
	slices.SortStableFunc(counts, func(a, b count) int { return b.n - a.n })
	var names []string
	for _, c := range counts[:min(len(counts), mostShown)] {
		names = append(names, c.name)
	}
	return fmt.Sprintf("every row that differs has a missing value (in %s), and all of the %d rows without one agree: the converter handles missing values otherwise than training did; fill them before the model, or convert with a release that handles them",
		listed(names), whole), names
}

func listed(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", clip(name))
	}
	return strings.Join(quoted, ", ")
}

// categories finds a column of text whose values tell the rows that differ
// from the others.
func (x *comparison) categories(differ []int) (string, []string) {
	if len(differ) < 3 || len(differ) == len(x.Rows) {
		return "", nil
	}
	off := make([]bool, len(x.Rows))
	for _, i := range differ {
		off[i] = true
	}
	for _, c := range x.inputColumns(func(d tensor.Datatype) bool { return d == tensor.Bytes }) {
		bad, good := map[string]int{}, map[string]bool{}
		for i, row := range x.Rows {
			if off[i] {
				bad[c.At(row)]++
			} else {
				good[c.At(row)] = true
			}
		}
		clean := len(bad)*2 <= len(differ) // each several times: no accident of rare values
		var levels []string
		for level := range bad {
			clean = clean && !good[level]
			levels = append(levels, level)
		}
		if clean {
			slices.Sort(levels)
			return fmt.Sprintf("all rows that differ have %s in the column %q, and no other row has: the converter reads the text of a category otherwise than training did (spaces, upper and lower case, numbers as text, a value that training did not know)",
				listed(levels[:min(len(levels), 5)]), c.Name()), []string{c.Name()}
		}
	}
	return "", nil
}

// countedOtherwise asks the rows after those that were asked: numbers of rows
// may have been counted from 0.
func (x *comparison) countedOtherwise(ctx context.Context) (string, error) {
	if !x.numbered || x.zero || len(x.Rows) < 3 {
		return "", nil
	}
	const said = "rows are counted from 1 here, and the file seems to count from 0, as pandas' index does: write index + 1, or have a row 0 among them"
	rows, kept := []int{}, []int{}
	for i, row := range x.Rows {
		if row++; row < x.o.Train.Rows() {
			rows, kept = append(rows, row), append(kept, i)
		}
	}
	if len(rows) == 0 {
		return "", nil
	}
	served, err := x.o.Ask(ctx, rows, nil)
	if err != nil {
		return "", err
	}
	right, varied := 0, false
	other := x.against(served)
	for k, i := range kept {
		if other(i, k) {
			right++
		}
		varied = varied || rows[k] != x.Rows[i] && (len(x.columns) == 0 || !x.near(x.columns[0].trained[i], x.columns[0].trained[0]))
	}
	if varied && float64(right) >= nearly*float64(len(rows)) {
		return said, nil
	}
	return "", nil
}

// against compares claims with another answer: row i of the claim with row k
// of served.
func (x *comparison) against(served *predictions.Set) func(i, k int) bool {
	return func(i, k int) bool {
		switch {
		case served.Value != nil:
			return x.near(x.value[i], served.Value[k])
		case x.score != nil && served.Score != nil:
			return x.near(x.score[i], served.Score[k])
		case served.Pred != nil && len(x.columns) == 0:
			return served.Classes[served.Pred[k]] == x.labels[i]
		}
		for c, class := range x.class {
			switch {
			case served.Proba != nil && !x.near(x.proba[c][i], served.Proba[class][k]):
				return false
			case served.Proba == nil && served.Score != nil:
				p := served.Score[k]
				if class != served.Positive {
					p = 1 - p
				}
				if !x.near(x.proba[c][i], p) {
					return false
				}
			}
		}
		return true
	}
}
