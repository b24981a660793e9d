package smoke

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// refusalBound is how long a server may take to refuse a request.
const refusalBound = 3 * time.Second

// checkBadInputs sends requests that are wrong, each in one way; which ones,
// the protocol knows. Each must be refused soon and in words; and in the end a
// good request must get its answer still.
func checkBadInputs(ctx context.Context, s *session) outcome {
	good, err := s.goodRequest()
	if err != nil {
		return notRun("no good request is known that could be spoiled: %s", quote.Text(err.Error()))
	}
	cases, err := s.client.BadInputs(s.model, good, s.mayBeLoaded())
	if err != nil {
		return notRun("no good request is known that could be spoiled: %s", quote.Text(err.Error()))
	}
	for _, bad := range cases {
		if err := within(ctx, refusalBound, bad.Send); err != nil {
			return fail("%s: %v%s", bad.Name, err, s.obituary(ctx))
		}
	}
	if text := s.stillAnswers(ctx, good); text != "" {
		return fail("after %d bad inputs a good one is not answered: %s", len(cases), text)
	}
	return pass("%d bad inputs were refused, and the server answers still", len(cases))
}

// obituary says that the server has ended, if it has; one that is just ending
// is given a moment.
func (s *session) obituary(ctx context.Context) string {
	if s.life == nil {
		return ""
	}
	for range 5 {
		if code, ended := s.ended(ctx); ended {
			return fmt.Sprintf("; the server ended with exit code %d", code)
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return ""
}

// goodRequest is one row: a golden one, else zeros of the model's types.
func (s *session) goodRequest() ([]tensor.Tensor, error) {
	if len(s.inputs) > 0 && rows(s.inputs) > 0 {
		return oneRow(s.inputs, 0), nil
	}
	var zeros []tensor.Tensor
	for _, spec := range s.serves.Inputs {
		t, err := zero(spec)
		if err != nil {
			return nil, err
		}
		zeros = append(zeros, t)
	}
	if len(zeros) == 0 {
		return nil, errors.New("the model tells no inputs")
	}
	return zeros, nil
}

// goodCall is a good request, written.
func (s *session) goodCall() (serving.Call, error) {
	good, err := s.goodRequest()
	if err != nil {
		return nil, err
	}
	return s.client.Prepare(s.model, good)
}

// zero is one row of an input: zeros, false, or empty text.
func zero(spec bundle.TensorSpec) (tensor.Tensor, error) {
	const most = 1 << 20
	t := tensor.Tensor{Name: spec.Name, Datatype: spec.Datatype}
	for _, d := range spec.Shape {
		if d < 0 {
			d = 1
		}
		t.Shape = append(t.Shape, d)
	}
	n, err := tensor.Elements(t.Shape, most)
	if err != nil {
		return t, err
	}
	switch {
	case t.Datatype == tensor.FP32:
		t.F32 = make([]float32, n)
	case t.Datatype == tensor.FP64:
		t.F64 = make([]float64, n)
	case t.Datatype == tensor.Bool:
		t.Bools = make([]bool, n)
	case t.Datatype == tensor.Bytes:
		t.Strs = make([]string, n)
	case t.Datatype.Unsigned():
		t.U64 = make([]uint64, n)
	default:
		t.I64 = make([]int64, n)
	}
	return t, t.Check()
}

// stillAnswers asks one good row.
func (s *session) stillAnswers(ctx context.Context, good []tensor.Tensor) string {
	if len(s.inputs) > 0 {
		return s.compare(ctx, good, oneRow(s.answers, 0))
	}
	if _, err := s.infer(ctx, good); err != nil {
		return err.Error()
	}
	return ""
}
