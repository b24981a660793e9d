package metric

import "math"

func init() {
	register(mean(Metric{
		Name: "smape",
		Doc: "Mean of 2|target - value|/(|target| + |value|), 0 to 2 (Makridakis, Int. J. Forecasting 9, 1993); " +
			"0 for a row where both are 0, whose value is exact.",
		Tasks:       regression,
		Needs:       NeedValue,
		BoundedLoss: true,
		Span:        2,
	}, func(d *Data, dst []float64) string {
		for i, y := range d.Target {
			sum := math.Abs(y) + math.Abs(d.Value[i])
			dst[i] = 0
			if sum > 0 {
				dst[i] = 2 * math.Abs(y-d.Value[i]) / sum
			}
		}
		return ""
	}))
}
