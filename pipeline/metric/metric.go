package metric

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// Family says which method bounds a metric.
type Family string

const (
	// Proportion is a share of rows: exact score intervals (Tango, Wilson).
	Proportion Family = "proportion"
	// Rank is the area under the ROC curve: DeLong, Obuchowski.
	Rank Family = "rank"
	// Mean is the mean of a loss per row: paired t.
	Mean Family = "mean"
	// Smooth is a smooth function of the rows' distribution: delta method.
	Smooth Family = "smooth"
	// Counted is a function of the confusion matrix: score interval of the joint
	// table, and the delta method.
	Counted Family = "counts"
	// Quantile is a quantile of a loss per row.
	Quantile Family = "quantile"
	// ReportOnly cannot be bounded honestly; it may carry no gate.
	ReportOnly Family = "report-only"
)

// Need is what of the predictions a metric reads.
type Need uint8

const (
	NeedClass Need = 1 << iota // label and predicted class
	NeedProba                  // score (binary) or p_<class> (multiclass)
	NeedValue                  // target and predicted value
)

// Value is a metric's value, or the reason why it has none.
type Value struct {
	V      float64
	Reason string // not empty: undefined, and V means nothing
}

// Defined reports whether there is a value.
func (v Value) Defined() bool { return v.Reason == "" }

func defined(v float64) Value {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Value{Reason: "the value is too large for a floating-point number"}
	}
	return Value{V: v}
}

func undefined(format string, args ...any) Value {
	return Value{Reason: fmt.Sprintf(format, args...)}
}

// Metric is one metric: facts, and functions of the data.
type Metric struct {
	Name      string
	Doc       string // formula and source, one or two sentences
	Tasks     []exam.Task
	Direction exam.Direction
	Needs     Need
	Family    Family
	// MayBeNonPositive: the value can be 0 or less for a sensible model, so
	// that a relative margin has no meaning.
	MayBeNonPositive bool
	// Span is the largest difference that two values can have; 0: there is none.
	Span float64
	// BoundedLoss: a row's loss cannot exceed a constant, so that every moment
	// of it exists, however slowly its sample seems to fall off.
	BoundedLoss bool

	// Compute returns the value of d.
	Compute func(d *Data) Value
	// Influence fills psi (length d.N) with the influence function and returns
	// the value; psi means nothing when the value is undefined. Nil for
	// ReportOnly and Quantile metrics.
	Influence func(d *Data, psi []float64) Value
	// difference is Differ where subtracting two influence functions would lose
	// digits; nil elsewhere.
	difference func(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64)
	// Loss fills dst (length d.N) with the loss per row, of which the metric
	// is the mean (Mean) or a quantile (Quantile); it returns a reason when
	// the loss is undefined. Nil elsewhere.
	Loss func(d *Data, dst []float64) string
	// Hit says of row i whether it counts and whether it is hit (Proportion).
	Hit func(d *Data, i int) (counts, hit bool)
	// OfCounts is the metric as a function of the confusion matrix (Counted);
	// where g is not nil, it receives the partial derivatives.
	OfCounts func(c, g *Counts) Value
}

// For reports whether the metric is for task t.
func (m Metric) For(t exam.Task) bool { return slices.Contains(m.Tasks, t) }

// CheckMargin returns why the metric may not carry margin, or nil.
func (m Metric) CheckMargin(margin exam.Margin) error {
	if m.Family == ReportOnly {
		return fmt.Errorf("%s cannot be bounded honestly, so it is report-only: remove its margin", m.Name)
	}
	if margin.Relative && m.MayBeNonPositive {
		return fmt.Errorf("%s can be 0 or less, so a margin relative to it has no meaning: use an absolute margin such as 0.01", m.Name)
	}
	if !margin.Relative && m.Span > 0 && margin.Value >= m.Span {
		return fmt.Errorf("%s cannot differ by more than %v, so the margin %v never fails: %s", m.Name, m.Span, margin, MeantMargin(margin))
	}
	return nil
}

// MeantMargin says what a margin that is far too wide was probably meant to be:
// a percentage is easily written as a number.
func MeantMargin(margin exam.Margin) string {
	if margin.Value >= 0.5 && margin.Value < 100 {
		return fmt.Sprintf("did you mean %v%%, or an absolute loss such as 0.01?", margin)
	}
	return "write the loss that you would accept, such as 2% or 0.01"
}

// CheckLimit returns why the metric may not carry a floor or ceiling, or nil.
func (m Metric) CheckLimit() error {
	if m.Family == ReportOnly {
		return fmt.Errorf("%s cannot be bounded honestly, so it is report-only: remove its floor or ceiling", m.Name)
	}
	return nil
}

var (
	registry = map[string]Metric{}
	patterns = map[string]func(suffix string) (Metric, error){} // by prefix
)

// register adds m; it is called from init functions only.
func register(m Metric) {
	if _, dup := registry[m.Name]; dup {
		panic("metric registered twice: " + m.Name) // a programming error, at start
	}
	if m.Direction == exam.Higher && !m.MayBeNonPositive && m.Family != ReportOnly && m.Span == 0 {
		m.Span = 1 // shares, rates and areas lie between 0 and 1
	}
	registry[m.Name] = m
}

// Lookup returns the metric of a name. The error names the known ones.
func Lookup(name string) (Metric, error) {
	if m, ok := registry[name]; ok {
		return m, nil
	}
	for prefix, build := range patterns {
		if suffix, ok := strings.CutPrefix(name, prefix); ok {
			return build(suffix)
		}
	}
	return Metric{}, fmt.Errorf("metric %q is unknown; known are %s", name, strings.Join(Known(), ", "))
}

// Known returns all names, sorted; a parametrised one as "pinball_<q>".
func Known() []string {
	names := make([]string, 0, len(registry)+len(patterns))
	for name := range registry {
		names = append(names, name)
	}
	for prefix := range patterns {
		names = append(names, prefix+"<q>")
	}
	sort.Strings(names)
	return names
}

// ForTask returns the metrics of a task, sorted by name.
func ForTask(t exam.Task) []Metric {
	var ms []Metric
	for _, m := range registry {
		if m.For(t) {
			ms = append(ms, m)
		}
	}
	sort.Slice(ms, func(i, j int) bool { return ms[i].Name < ms[j].Name })
	return ms
}

// Applies returns why d cannot be asked for m, or "".
func (m Metric) Applies(d *Data) string {
	switch {
	case !m.For(d.Task):
		return fmt.Sprintf("%s is not for %s tasks", m.Name, d.Task)
	case d.N == 0:
		return "there are no rows"
	case d.TotalWeight() <= 0:
		return "all weights are zero"
	case m.Needs&NeedProba != 0 && d.Task == exam.Binary && d.Score == nil:
		return "there is no column score"
	case m.Needs == NeedClass && d.Pred == nil:
		return "there is no column prediction"
	case m.Needs&NeedProba != 0 && d.Task == exam.Multiclass && d.Proba == nil:
		return "there are no columns p_<class>"
	}
	return ""
}

// Of returns the value of m on d, after Applies.
func (m Metric) Of(d *Data) Value {
	if why := m.Applies(d); why != "" {
		return Value{Reason: why}
	}
	return m.Compute(d)
}
