package smoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// badInput is a request that no server may answer with success.
type badInput struct {
	name string
	path string // empty: the model's
	body []byte
	// cutOff accepts a closed connection instead of an answer: a server need not
	// read what it refuses, and then the answer may be lost on the way.
	cutOff bool
}

const (
	deepNesting = 100_000  // arrays in arrays
	oversized   = 65 << 20 // bytes: above the 64 MiB that Triton and this project's server take
)

// checkBadInputs sends requests that are wrong, each in one way. Each must be
// answered with a 4xx and an error object, soon, without the server's insides
// in the text; and in the end a good request must get its answer still.
func checkBadInputs(ctx context.Context, s *session) outcome {
	good, err := s.goodRequest()
	if err != nil {
		return notRun("no good request is known that could be spoiled: %s", quoted(err.Error()))
	}
	cases, err := s.badInputs(good)
	if err != nil {
		return notRun("no good request is known that could be spoiled: %s", quoted(err.Error()))
	}
	for _, bad := range cases {
		if text := s.refuses(ctx, bad); text != "" {
			return fail("%s: %s%s", bad.name, text, s.obituary(ctx))
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
	for range 5 {
		if code, ended, err := s.instance.Exited(ctx); err == nil && ended {
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

// badInputs spoils a good request in every way of the list.
func (s *session) badInputs(good []tensor.Tensor) ([]badInput, error) {
	body, err := v2.AppendRequest(nil, &v2.Request{Inputs: good})
	if err != nil {
		return nil, err
	}
	list := []badInput{
		text("an empty body", ""),
		text("malformed JSON", string(body[:len(body)/2])),
		text("no object", "[]"),
		text("no inputs", `{"inputs":[]}`),
	}
	for _, spoil := range []struct {
		name string
		do   func(inputs []map[string]any) []map[string]any
	}{
		{"a missing input", func(in []map[string]any) []map[string]any { return in[1:] }},
		{"an unknown input", set("name", "no-such-input")},
		{"an unknown data type", set("datatype", "FP4096")},
		{"text where numbers belong, or the reverse", wrongType(good[0])},
		{"more rows than data", set("shape", grown(good[0].Shape))},
		{"a shape of another rank", set("shape", append(append([]int64{}, good[0].Shape...), 1, 2))},
		{"a negative dimension", set("shape", []int64{-1})},
		{"a shape that overflows", set("shape", []int64{1 << 40, 1 << 40})},
	} {
		spoiled, err := respoil(body, spoil.do)
		if err != nil {
			return nil, err
		}
		list = append(list, text(spoil.name, spoiled))
	}
	list = append(list,
		text("deeply nested JSON", `{"inputs":`+strings.Repeat("[", deepNesting)+strings.Repeat("]", deepNesting)+"}"),
		badInput{name: "an unknown model", path: inferPath(s.model + "-unknown"), body: body},
	)
	if mayBeLoaded(s.instance) {
		endless := append([]byte(`{"inputs":[`), bytes.Repeat([]byte{' '}, oversized)...)
		list = append(list, badInput{name: "a body of 65 MiB", body: endless, cutOff: true})
	}
	return list, nil
}

func text(name, body string) badInput {
	return badInput{name: name, body: []byte(body)}
}

// respoil changes the inputs of a request as JSON.
func respoil(body []byte, do func([]map[string]any) []map[string]any) (string, error) {
	var request struct {
		Inputs []map[string]any `json:"inputs"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&request); err != nil {
		return "", err
	}
	request.Inputs = do(request.Inputs)
	raw, err := json.Marshal(request)
	return string(raw), err
}

func set(key string, value any) func([]map[string]any) []map[string]any {
	return func(inputs []map[string]any) []map[string]any {
		inputs[0][key] = value
		return inputs
	}
}

func wrongType(t tensor.Tensor) func([]map[string]any) []map[string]any {
	data := make([]any, t.Len())
	for i := range data {
		data[i] = "text"
		if t.Datatype == tensor.Bytes {
			data[i] = 1
		}
	}
	return set("data", data)
}

// grown claims a thousand rows more than there are.
func grown(shape []int64) []int64 {
	out := append([]int64{}, shape...)
	if len(out) == 0 {
		return []int64{1000}
	}
	out[0] += 1000
	return out
}

// refuses sends a bad input and says what is wrong with the answer, "" for
// nothing.
func (s *session) refuses(ctx context.Context, bad badInput) string {
	path := bad.path
	if path == "" {
		path = inferPath(s.model)
	}
	const bound = 3 * time.Second
	a, err := s.client.do(ctx, bound, http.MethodPost, path, bad.body)
	if err != nil {
		if bad.cutOff && errors.Is(err, errClosed) {
			return ""
		}
		return err.Error()
	}
	return notAnError(a)
}

// notAnError says why an answer is no proper refusal.
func notAnError(a answer) string {
	if a.status < 400 || a.status > 499 {
		return fmt.Sprintf("the answer is %s, not a 4xx", a)
	}
	var body struct {
		Error any `json:"error"`
	}
	message, ok := "", false
	if err := json.Unmarshal(a.body, &body); err == nil {
		message, ok = body.Error.(string)
	}
	if !ok || message == "" {
		return fmt.Sprintf("the answer is %s, without an error object {\"error\": \"...\"}", a)
	}
	for _, inside := range []string{"goroutine ", "panic:", "runtime error", ".go:", "Traceback (most recent call last)", `File "/`} {
		if strings.Contains(message, inside) {
			return fmt.Sprintf("the error text shows the server's insides (%q): %s", inside, quoted(message))
		}
	}
	return ""
}

// stillAnswers asks one good row.
func (s *session) stillAnswers(ctx context.Context, good []tensor.Tensor) string {
	if len(s.inputs) > 0 {
		return s.compare(ctx, good, oneRow(s.answers, 0))
	}
	if _, err := s.client.infer(ctx, s.model, good); err != nil {
		return err.Error()
	}
	return ""
}
