package metric

func init() {
	m := mean(Metric{
		Name:  "mse",
		Doc:   "Mean of (target - value)².",
		Tasks: regression,
		Needs: NeedValue,
	}, squaredErrors)
	m.difference = func(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64) {
		vc, vb = m.Compute(c), m.Influence(b, psiB)
		return vc, vb, differSquares(c, b, psi)
	}
	register(m)
}

func squaredErrors(d *Data, dst []float64) string {
	for i, y := range d.Target {
		e := y - d.Value[i]
		dst[i] = e * e
	}
	return ""
}
