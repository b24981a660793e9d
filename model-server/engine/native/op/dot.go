package op

// dot is the inner product of two float32 vectors of equal length, summed from
// the first element on in float64. There the product of two float32 is exact,
// so that a fused multiply-add gives the same bits as two steps.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// dot64 is dot for float64; the conversion keeps the product from being fused.
func dot64(a, b []float64) float64 {
	b = b[:len(a)]
	sum := 0.0
	for i, x := range a {
		sum += float64(x * b[i])
	}
	return sum
}

// transposed returns the columns of a row-major matrix as rows.
func transposed[T any](m []T, rows, columns int) []T {
	out := make([]T, len(m))
	for r := range rows {
		for c := range columns {
			out[c*rows+r] = m[r*columns+c]
		}
	}
	return out
}
