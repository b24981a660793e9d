package pipeline

import (
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/spec"
)

// Catalogue is the metrics of this release, as the config is checked against
// them.
var Catalogue spec.Catalogue = catalogue{}

type catalogue struct{}

func (catalogue) Metric(name string) (spec.MetricFacts, error) {
	m, err := metric.Lookup(name)
	if err != nil {
		return spec.MetricFacts{}, err
	}
	return spec.MetricFacts{
		Direction: m.Direction, Tasks: m.Tasks,
		ReportOnly: m.Family == metric.ReportOnly, MayBeNonPositive: m.MayBeNonPositive,
	}, nil
}

func (catalogue) Names() []string { return metric.Known() }
