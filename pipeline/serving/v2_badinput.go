package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

const (
	deepNesting = 100_000  // arrays in arrays
	oversized   = 65 << 20 // bytes: above the 64 MiB that Triton and this project's server take
)

// v2Bad is a spoiled request.
type v2Bad struct {
	name string
	path string // empty: the model's
	body []byte
	// cutOff accepts a closed connection instead of an answer: a server need not
	// read what it refuses, and then the answer may be lost on the way.
	cutOff bool
}

func v2Text(name, body string) v2Bad { return v2Bad{name: name, body: []byte(body)} }

// BadInputs are requests that are wrong, each in one way. Each must be answered
// with a 4xx and an error object, without the server's insides in the text.
func (c *v2Client) BadInputs(model string, good []tensor.Tensor, large bool) ([]BadInput, error) {
	list, err := v2BadInputs(model, good, large)
	if err != nil {
		return nil, err
	}
	out := make([]BadInput, len(list))
	for i, bad := range list {
		if bad.path == "" {
			bad.path = v2Infer(model)
		}
		out[i] = BadInput{bad.name, func(ctx context.Context) error { return c.refuses(ctx, bad) }}
	}
	return out, nil
}

func v2BadInputs(model string, good []tensor.Tensor, large bool) ([]v2Bad, error) {
	if len(good) == 0 {
		return nil, errors.New("a request without inputs cannot be spoiled")
	}
	body, err := v2.AppendRequest(nil, &v2.Request{Inputs: good})
	if err != nil {
		return nil, err
	}
	list := []v2Bad{
		v2Text("an empty body", ""),
		v2Text("malformed JSON", string(body[:len(body)/2])),
		v2Text("no object", "[]"),
		v2Text("no inputs", `{"inputs":[]}`),
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
		list = append(list, v2Text(spoil.name, spoiled))
	}
	list = append(list,
		v2Text("deeply nested JSON", `{"inputs":`+strings.Repeat("[", deepNesting)+strings.Repeat("]", deepNesting)+"}"),
		v2Bad{name: "an unknown model", path: v2Infer(model + "-unknown"), body: body},
	)
	if large {
		endless := append([]byte(`{"inputs":[`), bytes.Repeat([]byte{' '}, oversized)...)
		list = append(list, v2Bad{name: "a body of 65 MiB", body: endless, cutOff: true})
	}
	return list, nil
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

// refuses sends a bad input and says what is wrong with the answer.
func (c *v2Client) refuses(ctx context.Context, bad v2Bad) error {
	r, err := c.exchange(ctx, http.MethodPost, bad.path, bad.body)
	if err != nil {
		if bad.cutOff && errors.Is(Plain(err), ErrClosed) {
			return nil
		}
		return err
	}
	answer := fmt.Sprintf("%d %s", r.status, quote.Text(string(r.body)))
	if r.status < 400 || r.status > 499 {
		return fmt.Errorf("the answer is %s, not a 4xx", answer)
	}
	var body struct {
		Error any `json:"error"`
	}
	message, ok := "", false
	if err := json.Unmarshal(r.body, &body); err == nil {
		message, ok = body.Error.(string)
	}
	if !ok || message == "" {
		return fmt.Errorf("the answer is %s, without an error object {\"error\": \"...\"}", answer)
	}
	for _, inside := range []string{"goroutine ", "panic:", "runtime error", ".go:", "Traceback (most recent call last)", `File "/`} {
		if strings.Contains(message, inside) {
			return fmt.Errorf("the error text shows the server's insides (%q): %s", inside, quote.Text(message))
		}
	}
	return nil
}
