package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// synthetic returns rows whose log odds are 2·a - b - 1.
func synthetic(n int) (x [][]float64, y []float64) {
	r := rand.New(rand.NewPCG(7, 7))
	for range n {
		row := []float64{r.NormFloat64(), r.NormFloat64()}
		label := 0.0
		if r.Float64() < sigmoid(2*row[0]-row[1]-1) {
			label = 1
		}
		x, y = append(x, row), append(y, label)
	}
	return x, y
}

func fitted(x [][]float64, y, weights []float64, seed uint64) (logistic, []step) {
	var history []step
	c := config{Epochs: 20, Batch: 32, Rate: 0.2, L2: 0}
	m := fit(x, y, weights, c, rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2)),
		func(s step) { history = append(history, s) })
	return m, history
}

func ones(n int) []float64 { return slices.Repeat([]float64{1}, n) }

func TestFitFindsTheCoefficients(t *testing.T) {
	t.Parallel()
	x, y := synthetic(20_000)
	m, history := fitted(x, y, ones(len(y)), 1)
	for i, want := range []float64{2, -1} {
		if math.Abs(m.weights[i]-want) > 0.1 {
			t.Errorf("weight %d is %g, want about %g", i, m.weights[i], want)
		}
	}
	if math.Abs(m.bias+1) > 0.1 {
		t.Errorf("bias is %g, want about -1", m.bias)
	}
	if len(history) != 20 || history[19].Step != 20 || !(history[19].Loss < history[0].Loss) {
		t.Errorf("history %+v", history)
	}
}

func TestFitIsDrivenByItsSeed(t *testing.T) {
	t.Parallel()
	x, y := synthetic(500)
	a, historyA := fitted(x, y, ones(len(y)), 1)
	b, historyB := fitted(x, y, ones(len(y)), 1)
	if a.bias != b.bias || !slices.Equal(a.weights, b.weights) || !slices.Equal(historyA, historyB) {
		t.Error("the same seed gave another model")
	}
	if c, _ := fitted(x, y, ones(len(y)), 2); slices.Equal(a.weights, c.weights) {
		t.Error("another seed gave the same model")
	}
}

func mean(m logistic, x [][]float64) float64 {
	sum := 0.0
	for _, row := range x {
		sum += m.probability(row)
	}
	return sum / float64(len(x))
}

// Balanced weights push probabilities up to one half; calibration brings them
// back without changing their order.
func TestBalanceAndCalibrate(t *testing.T) {
	t.Parallel()
	x, y := synthetic(5_000)
	rate := 0.0
	for _, v := range y {
		rate += v / float64(len(y))
	}
	weights := balanced(y)
	for class := range 2 {
		total := 0.0
		for i, w := range weights {
			if y[i] == float64(class) {
				total += w
			}
		}
		if math.Abs(total-float64(len(y))/2) > 1e-6 {
			t.Errorf("class %d weighs %g of %d", class, total, len(y))
		}
	}
	m, _ := fitted(x, y, weights, 1)
	if got := mean(m, x); got < rate+0.05 {
		t.Errorf("balanced: mean probability %g, labels %g", got, rate)
	}
	c := calibrate(m, x, y)
	if got := mean(c, x); math.Abs(got-rate) > 1e-6 {
		t.Errorf("calibrated: mean probability %g, want %g", got, rate)
	}
	if c.logLoss(x, y) >= m.logLoss(x, y) {
		t.Error("calibration did not lower the log loss")
	}
	for i := 1; i < len(x); i++ {
		if (m.score(x[i]) > m.score(x[i-1])) != (c.score(x[i]) > c.score(x[i-1])) {
			t.Fatalf("calibration changed the order of rows %d and %d", i-1, i)
		}
	}
}

func TestCalibrateConstantScores(t *testing.T) {
	t.Parallel()
	m := logistic{weights: []float64{0}, bias: 0.5}
	c := calibrate(m, [][]float64{{1}, {2}, {3}}, []float64{0, 0, 1})
	if math.IsNaN(c.bias) || math.IsInf(c.bias, 0) {
		t.Errorf("bias %g", c.bias)
	}
}

func TestLossAtExtremes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ z, y, want float64 }{
		{0, 1, math.Ln2}, {1000, 0, 1000}, {1000, 1, 0}, {-1000, 1, 1000}, {-1000, 0, 0},
	} {
		if got := lossAt(test.z, test.y); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("lossAt(%g, %g) = %g, want %g", test.z, test.y, got, test.want)
		}
	}
}
