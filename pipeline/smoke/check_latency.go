package smoke

import (
	"context"
	"fmt"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// amount bounds a load in count and time.
type amount struct {
	alone     int           // requests one after the other, at most
	aloneTime time.Duration // and for at most so long
	paced     time.Duration // of a paced load
	most      int           // requests of a paced load
}

var amounts = map[Profile]amount{
	Quick: {alone: 50, aloneTime: 200 * time.Millisecond, paced: 400 * time.Millisecond, most: 400},
	Full:  {alone: 1000, aloneTime: 2 * time.Second, paced: 5 * time.Second, most: 5000},
}

const (
	defaultRate = 100.0 // requests a second, where no service level names one
	chance      = 0.05  // of a verdict FAIL by bad luck alone
	attempts    = 3
)

// checkLatency sends one row again and again: first alone, then at the rate of
// the service level. A 99th percentile of a short load on a busy machine is a
// guess, so what is over the bound is measured again, each time twice as long;
// only what stays over it beyond chance, on a machine that is not late itself,
// is a FAIL.
func checkLatency(ctx context.Context, s *session) outcome {
	if !s.mayBeLoaded() {
		return notRun("load is sent only to what this test started and to loopback addresses")
	}
	good, err := s.goodCall()
	if err != nil {
		return notRun("no good request is known: %s", quote.Text(err.Error()))
	}
	send := func(ctx context.Context) error { return within(ctx, requestBound, good.Send) }
	load := amounts[s.options.Profile]
	alone, err := sequence(ctx, load, send)
	if err != nil {
		return fail("one request after the other: %v", err)
	}
	l := &Latencies{Alone: millis(quantile(alone, 0.5)), Rate: defaultRate}
	s.result.Latencies = l
	slo := s.options.SLO
	if slo.RatePerSecond > 0 {
		l.Rate, l.RateSLO = slo.RatePerSecond, &slo.RatePerSecond
	}
	if slo.P99Millis > 0 {
		l.P99SLO = &slo.P99Millis
	}
	return s.paced(ctx, l, load, send)
}

// paced offers the rate, up to three times, and judges.
func (s *session) paced(ctx context.Context, l *Latencies, load amount, send func(context.Context) error) outcome {
	var o outcome
	for attempt := range attempts {
		n := min(load.most, max(20, int(l.Rate*load.paced.Seconds()))) << attempt
		samples := pace(ctx, l.Rate, n, send)
		sorted, failed, first := summary(samples)
		if failed > 0 {
			return fail("%d of %d requests at %.0f/s failed, the first: %v", failed, n, l.Rate, first)
		}
		l.Requests = n
		l.P50, l.P90 = millis(quantile(sorted, 0.5)), millis(quantile(sorted, 0.9))
		l.P99, l.Max = millis(quantile(sorted, 0.99)), millis(sorted[n-1])
		if o = judge(l, sorted, lateness(samples)); o.verdict == "" {
			return pass("p50 %.1f ms and p99 %.1f ms of %d requests at %.0f/s; %.1f ms alone", l.P50, l.P99, n, l.Rate, l.Alone)
		}
	}
	return o
}

// judge compares the 99th percentile with its bound; an empty verdict is
// agreement. late is how late this machine sent requests: where it keeps the
// bound no better than the server, it is no judge of it.
func judge(l *Latencies, sorted []time.Duration, late time.Duration) outcome {
	if l.P99SLO == nil || l.P99 <= *l.P99SLO {
		return outcome{}
	}
	over := 0
	for _, took := range sorted {
		if millis(took) > *l.P99SLO {
			over++
		}
	}
	said := fmt.Sprintf("%d of %d requests at %.0f/s took longer than the %.1f ms that 99 %% must keep (p99 %.1f ms)", over, len(sorted), l.Rate, *l.P99SLO, l.P99)
	if millis(late) > *l.P99SLO {
		return unclear("%s; but this machine was so busy that it sent requests up to %.1f ms late: run the test again on a quieter one", said, millis(late))
	}
	if tooMany(len(sorted), over) < chance {
		return fail("%s", said)
	}
	return unclear("%s; that may be chance: give the test more time (profile full) or a quieter machine", said)
}

// sequence sends one request after the other and returns the sorted latencies.
func sequence(ctx context.Context, load amount, send func(context.Context) error) ([]time.Duration, error) {
	var samples []sample
	begin := time.Now()
	for len(samples) < load.alone && (len(samples) == 0 || time.Since(begin) < load.aloneTime) {
		one := time.Now()
		err := send(ctx)
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{took: time.Since(one)})
	}
	sorted, _, _ := summary(samples)
	return sorted, nil
}
