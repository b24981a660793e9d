package compare

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// smallMargin is what nobody writes who means a percentage. A model that is
// nearly perfect may well have less to lose than such a margin.
const smallMargin = 0.5

// checkMargins refuses a margin that is wider than what the model in production
// has to lose: a candidate that is twice as bad, or worth nothing, would pass.
// Metrics that may be 0 or less have no such value.
func checkMargins(judged []Metric, find func(name string) (metric.Metric, error)) error {
	for _, m := range judged {
		if m.Margin == nil || m.Margin.Relative || m.Margin.Value <= smallMargin || m.Baseline == nil || *m.Baseline <= 0 || m.Margin.Value <= *m.Baseline {
			continue
		}
		if known, err := find(m.Name); err != nil || known.MayBeNonPositive {
			continue
		}
		return fault.MarginTooWide.Usage(fmt.Errorf("metric %s: the margin %v is more than the %s's own value, %.4g: nothing that is worth promoting could fail it; %s",
			m.Name, m.Margin, m.Against, *m.Baseline, metric.MeantMargin(*m.Margin)))
	}
	return nil
}
