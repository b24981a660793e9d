package metric

func init() {
	register(mean(Metric{
		Name:  "mse",
		Doc:   "Mean of (target - value)².",
		Tasks: regression,
		Needs: NeedValue,
	}, squaredErrors))
}

func squaredErrors(d *Data, dst []float64) string {
	for i, y := range d.Target {
		e := y - d.Value[i]
		dst[i] = e * e
	}
	return ""
}
