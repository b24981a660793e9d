package smoke

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// checkGolden asks the golden examples: all rows in one request, then rows
// alone (first and last; with the full profile every one), since an answer
// must not depend on what else is in the request.
func checkGolden(ctx context.Context, s *session) outcome {
	if s.options.Bundle == nil {
		return notRun("there is no bundle whose golden answers could be asked")
	}
	n := rows(s.inputs)
	if len(s.inputs) == 0 || n == 0 {
		return unclear("the bundle has no golden examples; seal it with serve.golden.rows of at least 1")
	}
	if text := s.compare(ctx, s.inputs, s.answers); text != "" {
		return fail("%d rows in one request: %s", n, text)
	}
	alone := []int{0, n - 1}
	if s.options.Profile == Full {
		alone = alone[:0]
		for i := range n {
			alone = append(alone, i)
		}
	}
	for _, i := range alone {
		if text := s.compare(ctx, oneRow(s.inputs, i), oneRow(s.answers, i)); text != "" {
			return fail("row %d alone: %s", i, text)
		}
	}
	return pass("%d rows in one request and %d alone, as when the bundle was sealed", n, len(alone))
}

// compare asks inputs and says what is wrong with the answer, "" for nothing.
func (s *session) compare(ctx context.Context, inputs, want []tensor.Tensor) string {
	got, err := s.infer(ctx, inputs)
	if err != nil {
		return err.Error()
	}
	wrong := bundle.CompareOutputs(want, got, s.golden.Tolerance)
	if len(wrong) == 0 {
		return ""
	}
	first := quote.Clean(wrong[0].String())
	if len(wrong) == 1 {
		return first
	}
	return fmt.Sprintf("%d values are wrong, the first: %s", len(wrong), first)
}
