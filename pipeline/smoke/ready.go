package smoke

import (
	"context"
	"net/http"
	"time"
)

// readyBound is how long a server may take until it is ready when no service
// level says less; with one, it is waited for three times as long, so that
// the sentence can say by how much it was missed.
const readyBound = 30 * time.Second

// pollPause is how long is waited between two questions while nobody answers.
const pollPause = 2 * time.Millisecond

// exitPause is how often is looked whether the server has ended meanwhile.
const exitPause = 100 * time.Millisecond

// checkReady waits until GET /v2/health/ready answers 200.
func checkReady(ctx context.Context, s *session) outcome {
	slo := time.Duration(s.options.SLO.ReadyMillis * float64(time.Millisecond))
	if slo > 0 {
		s.result.ReadySLO = &s.options.SLO.ReadyMillis
		bounded, cancel := context.WithTimeout(ctx, min(readyBound, max(3*slo, 2*time.Second)))
		defer cancel()
		ctx = bounded
	}
	begin, since := time.Now(), "its start"
	from := s.instance.Started()
	if from.IsZero() {
		from, since = begin, "the first question"
	}
	took, o := s.awaitReady(ctx, from)
	if o.verdict != "" {
		return o
	}
	ms := millis(took)
	s.result.ReadyMS = &ms
	if slo > 0 && took > slo {
		return fail("ready %.0f ms after %s, the service level is %.0f ms", ms, since, s.options.SLO.ReadyMillis)
	}
	return pass("ready %.0f ms after %s", ms, since)
}

// awaitReady asks until the answer is 200 and returns how long after from that
// was. Its outcome is empty then.
func (s *session) awaitReady(ctx context.Context, from time.Time) (time.Duration, outcome) {
	last := "nobody answered"
	looked := time.Now()
	for {
		a, err := s.client.get(ctx, time.Second, "/v2/health/ready")
		switch {
		case err == nil && a.status == http.StatusOK:
			return max(0, time.Since(from)), outcome{}
		case err == nil:
			last = "the last answer was " + a.String()
		case ctx.Err() == nil:
			last = "the last question failed: " + quoted(err.Error())
		}
		// Looking costs more than asking, and asking is what is timed.
		if time.Since(looked) > exitPause {
			if code, ended, err := s.instance.Exited(ctx); err == nil && ended {
				return 0, fail("the server ended with exit code %d before it was ready", code)
			}
			looked = time.Now()
		}
		select {
		case <-ctx.Done():
			return 0, fail("not ready after %.1f s; %s", time.Since(from).Seconds(), last)
		case <-time.After(pollPause):
		}
	}
}
