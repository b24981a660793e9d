package metric

import "math"

func init() {
	register(mean(Metric{
		Name:  "mape",
		Doc:   "Mean of |target - value|/|target|; undefined when a target is 0 (nearer to it than 2.2e-16).",
		Tasks: regression,
		Needs: NeedValue,
	}, func(d *Data, dst []float64) string {
		for i, y := range d.Target {
			if math.Abs(y) <= epsilon {
				return "a target is 0, and an error relative to 0 has no meaning"
			}
			dst[i] = math.Abs(y-d.Value[i]) / math.Abs(y)
		}
		return ""
	}))
}
