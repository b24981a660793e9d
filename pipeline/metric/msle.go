package metric

import "math"

func init() {
	register(mean(Metric{
		Name:  "msle",
		Doc:   "Mean of (ln(1 + target) - ln(1 + value))²; undefined when one of them is -1 or less.",
		Tasks: regression,
		Needs: NeedValue,
	}, func(d *Data, dst []float64) string {
		for i, y := range d.Target {
			if y <= -1 || d.Value[i] <= -1 {
				return "a target or value is -1 or less, where ln(1 + x) is undefined"
			}
			e := math.Log1p(y) - math.Log1p(d.Value[i])
			dst[i] = e * e
		}
		return ""
	}))
}
