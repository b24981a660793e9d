package compare

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"sync"

	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

const (
	// bootstrapRows is the number of rows up to which metrics of counts are
	// bootstrapped; above it the delta method is as good.
	bootstrapRows = 5000
)

// budget says how many resamples are drawn at first, and at most where a bound
// is near its limit. A block of them shares a generator, seeded by the block's
// number, so that blocks may run on any core; blocks also give the Monte Carlo
// error.
type budget struct{ first, most, block int }

var (
	countBudget   = budget{10_000, 160_000, 500}
	studentBudget = budget{4_000, 64_000, 200}
)

// cell is a kind of row: a label and what the two models said of it.
type cell struct {
	label, cand, base int32
	count             int
}

// joint is the table of cells of two models (base: the candidate's own
// predictions again where one model is meant).
type joint struct {
	n       int
	cells   []cell
	of      func(c, g *metric.Counts) metric.Value
	classes []string
	pos     int
	value   func(c, b float64) float64 // the statistic of both values
	single  bool
}

func newJoint(m metric.Metric, cand, base *metric.Data, value func(c, b float64) float64) *joint {
	j := &joint{n: cand.N, of: m.OfCounts, classes: cand.Classes, pos: cand.Positive, value: value, single: base == nil}
	other := cand.Pred
	if base != nil {
		other = base.Pred
	}
	k := int64(len(cand.Classes))
	counts := map[int64]int{}
	dense := make([]int, 0)
	if k*k*k <= 1<<16 {
		dense = make([]int, k*k*k)
	}
	for i, label := range cand.Label {
		key := (int64(label)*k+int64(cand.Pred[i]))*k + int64(other[i])
		if len(dense) > 0 {
			dense[key]++
		} else {
			counts[key]++
		}
	}
	for key, c := range dense {
		if c > 0 {
			counts[int64(key)] = c
		}
	}
	keys := make([]int64, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		j.cells = append(j.cells, cell{int32(key / k / k), int32(key / k % k), int32(key % k), counts[key]})
	}
	return j
}

// tally holds the confusion counts of both models for one resample.
type tally struct{ cand, base *metric.Counts }

func (j *joint) newTally() tally {
	return tally{metric.NewCounts(j.classes, j.pos), metric.NewCounts(j.classes, j.pos)}
}

// statistic of cell counts that sum to n; NaN where undefined.
func (j *joint) statistic(t tally, count func(i int) int, n int) float64 {
	t.cand.Reset()
	t.base.Reset()
	share := 1 / float64(n)
	for i, c := range j.cells {
		w := float64(count(i)) * share
		if w == 0 {
			continue
		}
		t.cand.Add(c.label, c.cand, w)
		if !j.single {
			t.base.Add(c.label, c.base, w)
		}
	}
	c := j.of(t.cand, nil)
	if !c.Defined() {
		return math.NaN()
	}
	if j.single {
		return j.value(c.V, 0)
	}
	b := j.of(t.base, nil)
	if !b.Defined() {
		return math.NaN()
	}
	return j.value(c.V, b.V)
}

// draw fills x with one resample of the rows: a multinomial over the cells,
// drawn as a chain of binomials. Drawing n rows with replacement and counting
// them has the same distribution.
func (j *joint) draw(r *rand.Rand, f factorials, x []int) {
	left, mass := j.n, j.n
	for i, c := range j.cells {
		if left == 0 {
			x[i] = 0
			continue
		}
		if c.count == mass {
			x[i] = left
		} else {
			x[i] = binomial(r, f, left, float64(c.count)/float64(mass))
		}
		left -= x[i]
		mass -= c.count
	}
}

// acceleration is BCa's a from the jackknife, which leaves out one row of a
// cell and counts the result for all its rows: exact in O(cells), not O(n)
// evaluations (Efron, JASA 82, 1987, 171-185).
func (j *joint) acceleration() float64 {
	t := j.newTally()
	values := make([]float64, len(j.cells))
	var mean float64
	for i := range j.cells {
		v := j.statistic(t, func(k int) int {
			if k == i {
				return j.cells[k].count - 1
			}
			return j.cells[k].count
		}, j.n-1)
		if math.IsNaN(v) {
			return 0 // a class of one row: without it there is no value
		}
		values[i] = v
		mean += v * float64(j.cells[i].count)
	}
	mean /= float64(j.n)
	var s2, s3 float64
	for i, v := range values {
		d, c := mean-v, float64(j.cells[i].count)
		s2 += c * d * d
		s3 += c * d * d * d
	}
	if s2 <= 0 {
		return 0
	}
	return s3 / (6 * math.Pow(s2, 1.5))
}

// resampled is the outcome of a bootstrap.
type resampled struct {
	low, high float64
	se        float64
	mcError   float64
	resamples int
	undefined float64 // share of resamples without a value
}

// blocks draws the blocks from..to and returns their values by block.
func blocks(from, to, size int, seed uint64, one func(r *rand.Rand, out []float64)) [][]float64 {
	out := make([][]float64, to-from)
	next := make(chan int, len(out))
	for i := range out {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(out)) {
		wg.Go(func() {
			for i := range next {
				out[i] = make([]float64, size)
				one(rand.New(rand.NewPCG(seed, uint64(from+i))), out[i])
			}
		})
	}
	wg.Wait()
	return out
}

// bca bootstraps the statistic and returns its BCa bounds at the confidence of
// each bound. It draws more resamples while the low or high bound is nearer to
// limit than its Monte Carlo error.
func (j *joint) bca(estimate, confidence, limit float64, seed uint64) resampled {
	f := newFactorials(j.n)
	a := j.acceleration()
	one := func(r *rand.Rand, out []float64) {
		t, x := j.newTally(), make([]int, len(j.cells))
		for i := range out {
			j.draw(r, f, x)
			out[i] = j.statistic(t, func(k int) int { return x[k] }, j.n)
		}
	}
	return grow(countBudget, seed, limit, one, func(values []float64) (low, high float64) {
		return bcaBounds(values, estimate, a, confidence)
	})
}

// grow resamples until neither bound is nearer to limit than its own Monte
// Carlo error, or the resamples are used up.
func grow(plan budget, seed uint64, limit float64, one func(*rand.Rand, []float64), bounds func(sorted []float64) (low, high float64)) resampled {
	var drawn [][]float64
	for want := plan.first; ; want *= 4 {
		drawn = append(drawn, blocks(len(drawn), want/plan.block, plan.block, seed, one)...)
		res := summarise(drawn, bounds)
		near := math.Abs(res.low-limit) <= res.mcError || math.Abs(res.high-limit) <= res.mcError
		if !near || math.IsNaN(limit) || want*4 > plan.most {
			return res
		}
	}
}

func summarise(drawn [][]float64, bounds func(sorted []float64) (low, high float64)) resampled {
	var all []float64
	var lows, highs moments
	for _, block := range drawn {
		kept := sortedDefined(block)
		all = append(all, kept...)
		if len(kept) > len(block)/2 {
			l, h := bounds(kept)
			lows.add(l)
			highs.add(h)
		}
	}
	total := len(drawn) * len(drawn[0])
	res := resampled{resamples: total, undefined: 1 - float64(len(all))/float64(total)}
	if len(all) < total/2 {
		res.low, res.high, res.mcError = math.NaN(), math.NaN(), math.NaN()
		return res
	}
	sort.Float64s(all)
	res.low, res.high = bounds(all)
	var m moments
	for _, v := range all {
		m.add(v)
	}
	res.se = m.sd()
	res.mcError = 2 * math.Max(lows.sd(), highs.sd()) / math.Sqrt(float64(len(drawn)))
	return res
}

func sortedDefined(x []float64) []float64 {
	kept := make([]float64, 0, len(x))
	for _, v := range x {
		if !math.IsNaN(v) {
			kept = append(kept, v)
		}
	}
	sort.Float64s(kept)
	return kept
}

// moments accumulates mean and variance (Welford, Technometrics 4, 1962).
type moments struct{ n, mean, m2 float64 }

func (m *moments) add(v float64) {
	m.n++
	d := v - m.mean
	m.mean += d / m.n
	m.m2 += d * (v - m.mean)
}

func (m *moments) sd() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(m.m2 / (m.n - 1))
}

// bcaBounds returns the bias-corrected and accelerated bounds (Efron and
// Tibshirani, "An Introduction to the Bootstrap", 1993, equations 14.9-14.14):
//
//	alpha' = Phi(z0 + (z0 + z_alpha)/(1 - a (z0 + z_alpha)))
//	z0     = Phi^-1(share of resamples below the estimate, ties counting half)
func bcaBounds(sorted []float64, estimate, a, confidence float64) (low, high float64) {
	n := len(sorted)
	less := sort.SearchFloat64s(sorted, estimate)
	upTo := sort.Search(n, func(i int) bool { return sorted[i] > estimate })
	share := (float64(less) + float64(upTo-less)/2) / float64(n)
	share = min(max(share, 0.5/float64(n)), 1-0.5/float64(n))
	z0 := normalQuantile(share)
	at := func(z float64) float64 {
		den := 1 - a*(z0+z)
		if den <= 0 {
			if z > 0 {
				return 1
			}
			return 0
		}
		return normalCDF(z0 + (z0+z)/den)
	}
	z := normalQuantile(confidence)
	return quantileOf(sorted, at(-z)), quantileOf(sorted, at(z))
}

// quantileOf interpolates between order statistics (Hyndman and Fan's
// definition 6, which does not pull tails inwards).
func quantileOf(sorted []float64, p float64) float64 {
	h := p*float64(len(sorted)+1) - 1
	if h <= 0 {
		return sorted[0]
	}
	if h >= float64(len(sorted)-1) {
		return sorted[len(sorted)-1]
	}
	i := int(h)
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}
