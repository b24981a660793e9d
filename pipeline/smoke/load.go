package smoke

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// inFlightBound is how many requests wait for an answer at once. One more that
// is due is not sent and counts as failed: the server is far behind.
const inFlightBound = 512

// sample is one request of a load.
type sample struct {
	late time.Duration // from when it was due until it was sent: this machine's part
	took time.Duration // from when it was sent until it was answered
	err  error
}

// pace calls send n times, rate times a second, each at its due time whether
// or not the ones before have been answered (open loop), and returns a sample
// for each. No request waits for another here, so a server which stalls is
// charged for all that come during the stall, and being late is a matter of
// this machine alone.
func pace(ctx context.Context, rate float64, n int, send func(context.Context) error) []sample {
	samples := make([]sample, n)
	places := make(chan struct{}, inFlightBound)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range n {
		due := begin.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
		if err := ctx.Err(); err != nil {
			samples[i].err = serving.ErrNoAnswer
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			samples[i].err = serving.ErrNoAnswer
			continue
		}
		wg.Add(1)
		go func() {
			defer func() { <-places; wg.Done() }()
			sent := time.Now()
			err := send(ctx)
			samples[i] = sample{sent.Sub(due), time.Since(sent), err}
		}()
	}
	wg.Wait()
	return samples
}

// quantile returns the smallest sample with at least a share q of all at or
// below it (nearest rank); sorted must not be empty.
func quantile(sorted []time.Duration, q float64) time.Duration {
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// lateness is the 99th percentile of how late requests were sent.
func lateness(samples []sample) time.Duration {
	late := make([]time.Duration, len(samples))
	for i, s := range samples {
		late[i] = s.late
	}
	slices.Sort(late)
	return quantile(late, 0.99)
}

// summary are the latencies of a load, sorted, and its first error.
func summary(samples []sample) (sorted []time.Duration, failed int, first error) {
	for _, s := range samples {
		if s.err != nil {
			failed++
			if first == nil {
				first = s.err
			}
			continue
		}
		sorted = append(sorted, s.took)
	}
	slices.Sort(sorted)
	return sorted, failed, first
}

// tooMany is the probability that at least over of n requests take longer than
// the bound although only a share of 1 % does: the binomial tail. It is small
// where the 99th percentile is over the bound beyond chance.
func tooMany(n, over int) float64 {
	const share = 0.01
	below := 0.0
	for k := range over {
		below += math.Exp(logChoose(n, k) + float64(k)*math.Log(share) + float64(n-k)*math.Log1p(-share))
	}
	return max(0, 1-below)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
