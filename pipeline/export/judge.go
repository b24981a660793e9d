package export

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const (
	// Relative and Absolute are the tolerance; see the package's comment.
	Relative = 1e-4
	Absolute = 1e-5
	// fewestDigits is how many digits after the point a file must have for its
	// rounding to be allowed for.
	fewestDigits = 3
	// mostShown is how many differences a result names.
	mostShown = 10
)

// Ask lets the sealed model answer rows of the training table; change alters
// the inputs before they are sent, and may be nil.
type Ask func(ctx context.Context, rows []int, change func(inputs []tensor.Tensor)) (*predictions.Set, error)

// Options is what a claim is held against.
type Options struct {
	Train    *dataset.Table
	Inputs   []bundle.TensorSpec // of the sealed model, with the columns that they read
	Positive string              // data.positive
	Ask      Ask
}

// Result is what was found.
type Result struct {
	Verdict     verdict.Verdict `json:"verdict"`
	Compared    int             `json:"compared"`
	Of          int             `json:"of"` // rows that the file has
	Relative    float64         `json:"relative"`
	Absolute    float64         `json:"absolute"`
	Differ      int             `json:"differ"`
	Largest     float64         `json:"largest"` // distance between two numbers
	Differences []Difference    `json:"differences,omitempty"`
	Cause       string          `json:"cause,omitempty"`
	Columns     []string        `json:"columns,omitempty"` // of the training table, that the cause concerns
}

// Difference is one row on which the two do not say the same.
type Difference struct {
	Row     string `json:"row"`    // as the file names it
	Column  string `json:"column"` // of the file: prediction, score, p_<class>
	Trained string `json:"trained"`
	Served  string `json:"served"`
}

// String says it in a line.
func (r Result) String() string {
	if r.Verdict == verdict.Pass {
		return fmt.Sprintf("%d rows as trained", r.Compared)
	}
	return fmt.Sprintf("%d of %d rows differ from what was trained, by up to %.3g", r.Differ, r.Compared, r.Largest)
}

// comparison holds a claim against what was served of the same rows.
type comparison struct {
	*Claim
	o      Options
	served *predictions.Set
	// spelled as the served ones
	labels  []string
	class   []int     // of each p_<class>, in the served classes
	columns []numbers // of probabilities or values
	low     float64   // between these the classes of a binary task part
	high    float64

	relative, absolute float64
}

// numbers is one column of numbers on both sides.
type numbers struct {
	name            string
	trained, served []float64
}

// Judge asks the sealed model the claim's rows and compares. A claim that does
// not fit the model is an error of kind fault.Failed.
func (c *Claim) Judge(ctx context.Context, o Options) (Result, error) {
	served, err := o.Ask(ctx, c.Rows, nil)
	if err != nil {
		return Result{}, fmt.Errorf("asking the sealed model what the trained one said: %w", err)
	}
	x := &comparison{Claim: c, o: o}
	if err := x.pair(served); err != nil {
		return Result{}, err
	}
	r := Result{Verdict: verdict.Pass, Compared: len(c.Rows), Of: c.Of, Relative: x.relative, Absolute: x.absolute}
	var differ []int
	for i := range c.Rows {
		d, gap, ok := x.row(i, served)
		r.Largest = max(r.Largest, gap)
		if ok {
			continue
		}
		differ = append(differ, i)
		if len(r.Differences) < mostShown {
			r.Differences = append(r.Differences, d)
		}
	}
	if r.Differ = len(differ); r.Differ == 0 {
		return r, nil
	}
	r.Verdict = verdict.Fail
	r.Cause, r.Columns, err = x.cause(ctx, differ)
	return r, err
}

// pair brings both sides to the same classes and columns.
func (x *comparison) pair(served *predictions.Set) error {
	x.served = served
	if x.value != nil {
		if served.Value == nil {
			return refuse("holds numbers, and the sealed model predicts none")
		}
		x.columns = []numbers{{"prediction", x.value, served.Value}}
		x.tolerate(size(x.value))
		return nil
	}
	spell, err := predictions.OneSpelling(x.o.Positive,
		predictions.ClassNames{Where: "the sealed model", Names: served.Classes}, predictions.ClassNames{Where: File, Names: distinct(x.label, x.classes)})
	if err != nil {
		return refuse("names classes otherwise than the model: %v", err)
	}
	x.labels = make([]string, len(x.label))
	for i, name := range x.label {
		x.labels[i] = spell(name)
		if !slices.Contains(served.Classes, x.labels[i]) {
			return refuse("has the prediction %q for row %s, and the model's classes are %q", clip(name), x.Names[i], served.Classes)
		}
	}
	if err := x.probabilities(served, spell); err != nil {
		return err
	}
	x.tolerate(1)
	x.threshold(served)
	return nil
}

// probabilities pairs the columns of probabilities.
func (x *comparison) probabilities(served *predictions.Set, spell func(string) string) error {
	if x.score != nil && served.Score != nil {
		x.columns = append(x.columns, numbers{"score", x.score, served.Score})
	}
	for k, name := range x.classes {
		class := slices.Index(served.Classes, spell(name))
		if class < 0 {
			return refuse("has the column p_%s, and the model's classes are %q", clip(name), served.Classes)
		}
		x.class = append(x.class, class)
		switch {
		case served.Proba != nil:
			x.columns = append(x.columns, numbers{"p_" + name, x.proba[k], served.Proba[class]})
		case served.Score != nil:
			values := served.Score
			if class != served.Positive {
				values = make([]float64, len(served.Score))
				for i, v := range served.Score {
					values[i] = 1 - v
				}
			}
			x.columns = append(x.columns, numbers{"p_" + name, x.proba[k], values})
		}
	}
	return nil
}

// size is the usual size of values: the median of their magnitudes, and where
// that is zero their mean.
func size(values []float64) float64 {
	sorted, sum := make([]float64, len(values)), 0.0
	for i, v := range values {
		sorted[i] = math.Abs(v)
		sum += sorted[i] / float64(len(values))
	}
	slices.Sort(sorted)
	if median := sorted[len(sorted)/2]; median > 0 {
		return median
	}
	return sum
}

func (x *comparison) tolerate(size float64) {
	x.relative, x.absolute = Relative, Absolute*size
	if x.digits >= fewestDigits && len(x.columns) > 0 {
		x.absolute += 0.5 * math.Pow(10, -float64(x.digits))
	}
}

// threshold finds between which probabilities the trained model's classes part
// in a binary task; they part at one half where its answers show nothing else.
func (x *comparison) threshold(served *predictions.Set) {
	x.low, x.high = 0.5, 0.5
	if len(served.Classes) != 2 {
		return
	}
	positive := x.ofPositive(served)
	if positive == nil {
		return
	}
	low, high := math.Inf(-1), math.Inf(1)
	for i, p := range positive {
		if x.labels[i] == served.Classes[served.Positive] {
			high = min(high, p)
		} else {
			low = max(low, p)
		}
	}
	if low <= high && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
		x.low, x.high = low, high
	}
}

// ofPositive are the trained probabilities of the positive class, from the
// column of either class; nil where the file has none.
func (x *comparison) ofPositive(served *predictions.Set) []float64 {
	if x.score != nil {
		return x.score
	}
	for k, class := range x.class {
		if class == served.Positive {
			return x.proba[k]
		}
	}
	if len(x.proba) == 0 {
		return nil
	}
	out := make([]float64, len(x.proba[0]))
	for i, v := range x.proba[0] {
		out[i] = 1 - v
	}
	return out
}

// near reports whether two numbers are the same within the tolerance.
func (x *comparison) near(trained, served float64) bool {
	return math.Abs(served-trained) <= x.absolute+x.relative*math.Abs(trained)
}

// row compares one row; served is asked at i.
func (x *comparison) row(i int, served *predictions.Set) (d Difference, gap float64, same bool) {
	d.Row, same = x.Names[i], true
	for _, n := range x.columns {
		off := math.Abs(n.served[i] - n.trained[i])
		if !x.near(n.trained[i], n.served[i]) && (same || off > gap) {
			d.Column, d.Trained, d.Served = n.name, number(n.trained[i]), number(n.served[i])
			same = false
		}
		gap = max(gap, off)
	}
	if !same || x.labels == nil {
		return d, gap, same
	}
	if class := served.Classes[served.Pred[i]]; class != x.labels[i] && !x.tie(i, served) {
		d.Column, d.Trained, d.Served = "prediction", x.labels[i], class
		return d, gap, false
	}
	return d, gap, true
}

// tie reports whether the class of row i may be either within the tolerance.
func (x *comparison) tie(i int, served *predictions.Set) bool {
	if served.Score != nil {
		return served.Score[i] >= x.low-x.absolute-x.relative && served.Score[i] <= x.high+x.absolute+x.relative
	}
	if served.Proba == nil {
		return false
	}
	trained := slices.Index(served.Classes, x.labels[i])
	return served.Proba[served.Pred[i]][i]-served.Proba[trained][i] <= 2*(x.absolute+x.relative)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }

func distinct(lists ...[]string) []string {
	out := slices.Concat(lists...)
	slices.Sort(out)
	return slices.Compact(out)
}
