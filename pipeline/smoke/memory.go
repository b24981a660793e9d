package smoke

import "context"

// checkMemory compares the most that the server held during the test with its
// bound. In a container the bound is also the limit that the kernel enforced.
func checkMemory(ctx context.Context, s *session) outcome {
	slo := s.options.SLO.MemoryBytes
	if slo > 0 {
		s.result.MemorySLO = &slo
	}
	if !s.instance.Owned() {
		return notRun("the server was not started by this test")
	}
	if code, ended, err := s.instance.Exited(ctx); err == nil && ended {
		return fail("the server has ended with exit code %d", code)
	}
	peak, err := s.instance.Memory(ctx)
	switch {
	case err != nil && slo > 0 && s.instance.Kind() == KindContainer:
		return pass("stayed under its limit of %s; how much it held cannot be read here", megabytes(slo))
	case err != nil && slo > 0:
		return unclear("how much it held cannot be read here: %s", quoted(err.Error()))
	case err != nil:
		return notRun("how much it held cannot be read here: %s", quoted(err.Error()))
	}
	s.result.Memory = &peak
	if slo > 0 && peak > slo {
		return fail("held up to %s; the bound is %s", megabytes(peak), megabytes(slo))
	}
	return pass("held up to %s", megabytes(peak))
}
