package smoke

import (
	"context"
	"errors"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/quote"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// readyBound is how long a server may take until it is ready when no service
// level says less; with one, it is waited for three times as long, so that
// the sentence can say by how much it was missed.
const readyBound = 30 * time.Second

// pollPause is how long is waited between two questions while nobody answers.
const pollPause = 2 * time.Millisecond

// exitPause is how often is looked whether the server has ended meanwhile.
const exitPause = 100 * time.Millisecond

// checkReady waits until the server says that it is ready.
func checkReady(ctx context.Context, s *session) outcome {
	slo := time.Duration(s.options.SLO.ReadyMillis * float64(time.Millisecond))
	if slo > 0 {
		s.result.ReadySLO = &s.options.SLO.ReadyMillis
		bounded, cancel := context.WithTimeout(ctx, min(readyBound, max(3*slo, 2*time.Second)))
		defer cancel()
		ctx = bounded
	}
	from, since := time.Now(), "the first question"
	if s.life != nil {
		from, since = s.life.Started(), "its start"
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

// awaitReady asks until the answer is yes and returns how long after from that
// was. Its outcome is empty then.
func (s *session) awaitReady(ctx context.Context, from time.Time) (time.Duration, outcome) {
	last := "nobody answered"
	looked := time.Now()
	for {
		err := s.ready(ctx, time.Second)
		var status *serving.StatusError
		switch {
		case err == nil:
			return max(0, time.Since(from)), outcome{}
		case errors.As(err, &status):
			last = "the last answer was " + quote.Clean(status.Answer())
		case ctx.Err() == nil:
			last = "the last question failed: " + quote.Text(serving.Plain(err).Error())
		}
		// Looking costs more than asking, and asking is what is timed.
		if time.Since(looked) > exitPause {
			if code, ended := s.ended(ctx); ended {
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

// ready asks once.
func (s *session) ready(ctx context.Context, bound time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	return s.client.Ready(ctx)
}
