package metric

import (
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func init() {
	register(Metric{
		Name:      "max_error",
		Doc:       "Largest |target - value| of the rows with a weight. One row decides it: report-only.",
		Tasks:     regression,
		Direction: exam.Lower,
		Needs:     NeedValue,
		Family:    ReportOnly,
		Compute: func(d *Data) Value {
			abs := make([]float64, d.N)
			absoluteErrors(d, abs)
			for i := range abs {
				if d.W(i) <= 0 {
					abs[i] = 0
				}
			}
			return defined(slices.Max(abs))
		},
	})
}
