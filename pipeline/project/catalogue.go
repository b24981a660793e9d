package project

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
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
		TooWide: func(margin exam.Margin) string {
			if m.Span > 0 && !margin.Relative && margin.Value >= m.Span {
				return fmt.Sprintf("is %v, and %s cannot differ by more than %v: such a margin never fails; %s", margin, name, m.Span, metric.MeantMargin(margin))
			}
			return ""
		},
	}, nil
}

func (catalogue) Names() []string { return metric.Known() }
