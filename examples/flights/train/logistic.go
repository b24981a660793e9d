package main

import (
	"math"
	"math/rand/v2"
)

// logistic is a logistic regression: P(late) = 1 / (1 + exp(-(w·x + bias))).
type logistic struct {
	weights []float64
	bias    float64
}

// step is one line of history.jsonl.
type step struct {
	Step int     `json:"step"` // passes over the rows so far
	Rate float64 `json:"rate"`
	Loss float64 `json:"loss"` // mean weighted log loss of the pass, as it went
}

// score returns the log odds of a row.
func (m logistic) score(x []float64) float64 {
	z := m.bias
	for j, w := range m.weights {
		z += w * x[j]
	}
	return z
}

// probability returns P(late) of a row.
func (m logistic) probability(x []float64) float64 { return sigmoid(m.score(x)) }

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// lossAt is the log loss of one row at log odds z, written so that it neither
// overflows nor takes the logarithm of 0.
func lossAt(z, y float64) float64 {
	return math.Max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z)))
}

func (m logistic) logLoss(x [][]float64, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += lossAt(m.score(x[i]), y[i])
	}
	return sum / float64(len(x))
}

// balanced returns weights with mean 1 that make both classes count the same.
func balanced(y []float64) []float64 {
	positives := 0.0
	for _, v := range y {
		positives += v
	}
	n := float64(len(y))
	weights := make([]float64, len(y))
	for i, v := range y {
		count := positives
		if v == 0 {
			count = n - positives
		}
		weights[i] = n / (2 * count)
	}
	return weights
}

// fit minimises the weighted log loss plus an L2 penalty by stochastic
// gradient descent in small batches, with a rate that falls linearly to 0.
// Weights start near 0 at random; the rows are shuffled before each pass.
func fit(x [][]float64, y, weights []float64, c config, initial, shuffle *rand.Rand, record func(step)) logistic {
	m := logistic{weights: make([]float64, len(x[0]))}
	for j := range m.weights {
		m.weights[j] = initial.NormFloat64() * 0.01
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	gradient := make([]float64, len(m.weights))
	steps := c.Epochs * ((len(x) + c.Batch - 1) / c.Batch)
	done := 0
	for epoch := range c.Epochs {
		shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		line := step{Step: epoch + 1, Rate: c.Rate * (1 - float64(done)/float64(steps))}
		for start := 0; start < len(order); start += c.Batch {
			batch := order[start:min(start+c.Batch, len(order))]
			clear(gradient)
			biasGradient := 0.0
			for _, i := range batch {
				z := m.score(x[i])
				line.Loss += weights[i] * lossAt(z, y[i])
				g := weights[i] * (sigmoid(z) - y[i])
				biasGradient += g
				for j, v := range x[i] {
					gradient[j] += g * v
				}
			}
			rate := c.Rate * (1 - float64(done)/float64(steps))
			size := float64(len(batch))
			for j := range m.weights {
				m.weights[j] -= rate * (gradient[j]/size + c.L2*m.weights[j])
			}
			m.bias -= rate * biasGradient / size
			done++
		}
		line.Loss /= float64(len(x))
		record(line)
	}
	return m
}

// calibrate fits P(late) = sigmoid(a·z + b) to the rows, z being the log odds
// that m gives, by Newton's method (Platt, "Probabilistic outputs for support
// vector machines", 1999), and folds a and b into the weights: the model
// keeps its form, and the order of the rows by score is the same.
func calibrate(m logistic, x [][]float64, y []float64) logistic {
	z := make([]float64, len(x))
	for i := range x {
		z[i] = m.score(x[i])
	}
	a, b := 1.0, 0.0
	for range 25 {
		// Gradient and Hessian of the log loss in (a, b).
		var ga, gb, haa, hab, hbb float64
		for i := range z {
			p := sigmoid(a*z[i] + b)
			d, h := p-y[i], p*(1-p)
			ga, gb = ga+d*z[i], gb+d
			haa, hab, hbb = haa+h*z[i]*z[i], hab+h*z[i], hbb+h
		}
		determinant := haa*hbb - hab*hab
		if determinant < 1e-9 {
			break // scores are all the same: there is nothing to stretch
		}
		da, db := (hbb*ga-hab*gb)/determinant, (haa*gb-hab*ga)/determinant
		a, b = a-da, b-db
		if math.Abs(da)+math.Abs(db) < 1e-12 {
			break
		}
	}
	scaled := logistic{weights: make([]float64, len(m.weights)), bias: a*m.bias + b}
	for j, w := range m.weights {
		scaled.weights[j] = a * w
	}
	return scaled
}
