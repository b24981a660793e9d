package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// Custom returns a metric of the user's own, whose numbers a command has
// computed from the predictions: one per row, of which the metric is the
// weighted mean, or one for all, which has no interval and is report-only.
// The numbers are in Data.Custom by name.
func Custom(name string, direction exam.Direction, perRow bool) Metric {
	tasks := []exam.Task{exam.Binary, exam.Multiclass, exam.Regression}
	if !perRow {
		return Metric{
			Name: name, Doc: "A number for all rows, computed by a command.", Tasks: tasks, Direction: direction, Family: ReportOnly,
			Compute: func(d *Data) Value {
				x := d.Custom[name]
				if len(x) != 1 {
					return undefined("the command gives one number for all rows, which has no value on some of them")
				}
				return finite(x)
			},
		}
	}
	m := mean(Metric{Name: name, Doc: "Mean of a number per row, computed by a command.", Tasks: tasks},
		func(d *Data, dst []float64) string {
			x := d.Custom[name]
			if len(x) != d.N {
				return "the command gave no number per row"
			}
			if v := finite(x); !v.Defined() {
				return v.Reason
			}
			copy(dst, x)
			return ""
		})
	m.Direction = direction
	return m
}

// finite returns the first of x, or why one of them is no number.
func finite(x []float64) Value {
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return undefined("the command printed %v for row %d", v, i+1)
		}
	}
	return Value{V: x[0]}
}
