package smoke

import (
	"context"
	"errors"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// drainBound is how long a server may take from SIGTERM to its end. Docker
// kills after 10 s unless told otherwise, Kubernetes after 30 s.
const drainBound = 10 * time.Second

// actBound is how long is waited for a sign that the server acts on SIGTERM
// before the rest of the request in flight is sent: it takes no connection any
// more, is no longer ready, or has ended. A busy machine delays signals, so a
// fixed pause would let a server pass that drops what is in flight.
const actBound = 2 * time.Second

// checkSigterm sends half a request, asks the server to end, sends the other
// half, and expects the right answer and exit code 0.
func checkSigterm(ctx context.Context, s *session) outcome {
	if s.life == nil {
		return notRun(notStarted)
	}
	if code, ended := s.ended(ctx); ended {
		return fail("the server has ended already, with exit code %d", code)
	}
	good, err := s.goodCall()
	if err != nil {
		return notRun("no good request is known that could be in flight: %s", quote.Text(err.Error()))
	}
	// Connections of ours that are open and unused are no requests in flight,
	// and servers wait for them (Go's for five seconds).
	s.client.Close()
	half, err := good.Begin(ctx)
	if err != nil {
		return fail("a request that should be in flight at SIGTERM: %v", serving.Plain(err))
	}
	defer half.Close()
	asked := time.Now()
	if err := s.life.Terminate(ctx); err != nil {
		return unclear("SIGTERM could not be sent: %s", quote.Text(err.Error()))
	}
	s.awaitAction(ctx)
	got, err := half.Finish()
	if err != nil {
		return fail("the request in flight at SIGTERM was dropped: %v", serving.Plain(err))
	}
	if len(s.inputs) > 0 {
		if wrong := bundle.CompareOutputs(oneRow(s.answers, 0), got, s.golden.Tolerance); len(wrong) > 0 {
			return fail("the request in flight at SIGTERM got a wrong answer: %s", quote.Clean(wrong[0].String()))
		}
	}
	bounded, cancel := context.WithTimeout(ctx, s.drainBound()-time.Since(asked))
	defer cancel()
	code, err := s.life.Wait(bounded)
	took := time.Since(asked).Seconds()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fail("still running %.0f s after SIGTERM", took)
	case err != nil:
		return unclear("how it ended cannot be told: %s", quote.Text(err.Error()))
	case code != 0:
		return fail("ended with exit code %d %.1f s after SIGTERM, not 0", code, took)
	}
	return pass("finished the request in flight and ended with 0 after %.1f s", took)
}

func (s *session) drainBound() time.Duration {
	if s.options.DrainBound > 0 {
		return s.options.DrainBound
	}
	return drainBound
}

// awaitAction waits until the server shows that it acts on SIGTERM.
func (s *session) awaitAction(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, actBound)
	defer cancel()
	for ctx.Err() == nil {
		if s.ready(ctx, 500*time.Millisecond) != nil {
			return
		}
		s.client.Close()
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}
