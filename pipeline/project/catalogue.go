package project

import (
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// Catalogue is the metrics of this release, as the config is checked against
// them.
var Catalogue config.Catalogue = catalogue{}

type catalogue struct{}

func (catalogue) Metric(name string) (config.MetricFacts, error) {
	m, err := metric.Lookup(name)
	if err != nil {
		return config.MetricFacts{}, err
	}
	return config.MetricFacts{
		Direction: m.Direction, Tasks: m.Tasks,
		ReportOnly: m.Family == metric.ReportOnly, MayBeNonPositive: m.MayBeNonPositive,
	}, nil
}

func (catalogue) Names() []string { return metric.Known() }
