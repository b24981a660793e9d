package smoke

import (
	"context"

	"github.com/dosirak-ml/dosirak/pipeline/quote"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// checkMemory compares the most that the server held during the test with its
// bound. In a container the bound is also the limit that the kernel enforced.
func checkMemory(ctx context.Context, s *session) outcome {
	slo := s.options.SLO.MemoryBytes
	if slo > 0 {
		s.result.MemorySLO = &slo
	}
	if s.life == nil {
		return notRun(notStarted)
	}
	if code, ended := s.ended(ctx); ended {
		return fail("the server has ended with exit code %d", code)
	}
	peak, err := s.life.Memory(ctx)
	switch {
	case err != nil && slo > 0 && s.server.Kind() == serving.KindContainer:
		return pass("stayed under its limit of %s; how much it held cannot be read here", megabytes(slo))
	case err != nil && slo > 0:
		return unclear("how much it held cannot be read here: %s", quote.Text(err.Error()))
	case err != nil:
		return notRun("how much it held cannot be read here: %s", quote.Text(err.Error()))
	}
	s.result.Memory = &peak
	if slo > 0 && peak > slo {
		return fail("held up to %s; the bound is %s", megabytes(peak), megabytes(slo))
	}
	return pass("held up to %s", megabytes(peak))
}
