package config

import (
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// Catalogue knows the metrics. Package metric knows more of each; this is what
// the config is checked against, so that this package need not import it.
type Catalogue interface {
	// Metric returns the facts of a metric, or an error that says why there is
	// none of that name.
	Metric(name string) (MetricFacts, error)
	// Names returns the names of all metrics.
	Names() []string
}

// MetricFacts is what the rules of the config depend on.
type MetricFacts struct {
	Direction exam.Direction
	Tasks     []exam.Task
	// ReportOnly metrics cannot be bounded honestly and carry no gate.
	ReportOnly bool
	// MayBeNonPositive metrics can be 0 or less, so that a relative margin has
	// no meaning.
	MayBeNonPositive bool
	// TooWide says why a margin cannot fail, "" for one that can.
	TooWide func(exam.Margin) string
}

func (f MetricFacts) isFor(t exam.Task) bool { return slices.Contains(f.Tasks, t) }
