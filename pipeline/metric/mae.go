package metric

import "math"

func init() {
	register(mean(Metric{
		Name:  "mae",
		Doc:   "Mean of |target - value|.",
		Tasks: regression,
		Needs: NeedValue,
	}, absoluteErrors))
}

func absoluteErrors(d *Data, dst []float64) string {
	for i, y := range d.Target {
		dst[i] = math.Abs(y - d.Value[i])
	}
	return ""
}
