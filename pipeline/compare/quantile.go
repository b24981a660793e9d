package compare

import (
	"math"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// discrete reports whether so many losses are the median that their density
// there, on which the delta method rests, is not to be had: ratings, counts,
// rounded numbers.
func discrete(d *metric.Data, m metric.Metric) bool {
	loss := make([]float64, d.N)
	if m.Loss(d, loss) != "" {
		return false
	}
	v := m.Compute(d).V
	var at, near float64
	for i, x := range loss {
		if math.Abs(x-v) <= metric.Noise(x, v) {
			at += d.W(i)
		} else if math.Abs(x-v) <= 0.05*v {
			near += d.W(i)
		}
	}
	n := float64(d.N)
	return at > d.TotalWeight()/math.Sqrt(n) || near == 0
}

// orderStatistics bounds the difference of two medians of discrete losses by
// their order statistics (David and Nagaraja, "Order Statistics", 3rd ed. 2003,
// 7.1): the q-quantile lies between those of q -+ t·sqrt(q(1-q)/n). Both joined
// by the worse ends, which needs nothing of how they depend on each other.
func (p *pair) orderStatistics(q question, e estimate) estimate {
	n := p.worthOfQuantile()
	if n < leastRows {
		return e.without("not enough data: the rows tell as much as %.0f independent ones, and fewer than %d tell too little of %s", n, leastRows, q.metric.Name)
	}
	ends := func(d *metric.Data, times float64) (low, high float64) {
		return medianEnds(d, q.metric, normalQuantile(q.confidence)*math.Sqrt(0.25/(n*times)))
	}
	between := func(times float64) (low, high float64) {
		lc, hc := ends(p.cand, times)
		lb, hb := 0.0, 0.0
		scale := 1.0
		if p.base != nil {
			lb, hb = ends(p.base, times)
			if q.relative() {
				scale = e.base.V
			}
		}
		low, high = (lc-hb)/scale, (hc-lb)/scale
		if q.sign() < 0 {
			low, high = -high, -low
		}
		return low, high
	}
	low, high := between(1)
	// The rounding of the answers, where their losses are 0 themselves.
	slack := metric.Noise(largest(p.cand.Target), largest(p.cand.Value))
	if slack == 0 {
		return e.without("all rows count alike, whatever they are answered: too little to tell")
	}
	e.low, e.high, e.bounded = math.Min(low, e.point)-slack, math.Max(high, e.point)+slack, true
	e.se = (e.high - e.low) / (2 * normalQuantile(q.confidence))
	e.method, e.source = "order statistics of both medians", "David and Nagaraja 2003"
	e.half = func(times float64) float64 {
		low, high := between(times)
		return (high - low) / 2
	}
	e.below = func(limit float64) float64 {
		if e.high < limit {
			return (1 - q.confidence) / 2
		}
		return 1
	}
	return e
}

// largest absolute value.
func largest(x []float64) float64 {
	var most float64
	for _, v := range x {
		most = math.Max(most, math.Abs(v))
	}
	return most
}

// worthOfQuantile is the number of rows, or of groups where there are any: what
// rows of a group share is not known of ranks.
func (p *pair) worthOfQuantile() float64 {
	if p.group != nil {
		return math.Min(p.effective(), float64(p.groups))
	}
	return p.effective()
}

// medianEnds returns the quantiles 0.5 -+ share of the losses.
func medianEnds(d *metric.Data, m metric.Metric, share float64) (low, high float64) {
	loss := make([]float64, d.N)
	if m.Loss(d, loss) != "" {
		return math.Inf(-1), math.Inf(1)
	}
	order := make([]int, d.N)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case loss[a] < loss[b]:
			return -1
		case loss[a] > loss[b]:
			return 1
		}
		return 0
	})
	low, high = loss[order[0]], loss[order[len(order)-1]]
	var sum float64
	total, set := d.TotalWeight(), false
	for _, i := range order {
		sum += d.W(i) / total
		if !set && sum > 0.5-share {
			low, set = loss[i], true
		}
		if sum >= 0.5+share {
			high = loss[i]
			break
		}
	}
	return low, high
}
