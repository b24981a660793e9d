package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/v2client"
)

// requestBound is how long one exchange may take.
const requestBound = 5 * time.Second

// client is the V2 client where not only the answer matters but how the
// server gave it: each exchange is bounded in time, and what came is judged
// here, as status and bytes.
type client struct{ *v2client.Client }

func newClient(base string) client { return client{v2client.New(base)} }

// answer is one HTTP answer.
type answer struct {
	status int
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, quoted(string(a.body))) }

// do sends one request within bound and reads the whole answer.
func (c client) do(ctx context.Context, bound time.Duration, method, path string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	response, err := c.Raw(ctx, method, path, nil, body)
	if err != nil {
		return answer{}, plain(err)
	}
	return answer{response.Status, response.Body}, nil
}

func (c client) get(ctx context.Context, bound time.Duration, path string) (answer, error) {
	return c.do(ctx, bound, http.MethodGet, path, nil)
}

func (c client) post(ctx context.Context, path string, body []byte) (answer, error) {
	return c.do(ctx, requestBound, http.MethodPost, path, body)
}

func modelPath(model string) string { return "/v2/models/" + model }
func inferPath(model string) string { return modelPath(model) + "/infer" }

// metadata asks for the description of the model.
func (c client) metadata(ctx context.Context, model string) (v2.ModelMetadata, error) {
	a, err := c.get(ctx, requestBound, modelPath(model))
	if err != nil {
		return v2.ModelMetadata{}, err
	}
	if a.status != http.StatusOK {
		return v2.ModelMetadata{}, fmt.Errorf("the answer is %s", a)
	}
	var m v2.ModelMetadata
	if err := json.Unmarshal(a.body, &m); err != nil {
		return v2.ModelMetadata{}, fmt.Errorf("the answer is no model metadata: %w", err)
	}
	return m, nil
}

// infer asks the model and returns its outputs.
func (c client) infer(ctx context.Context, model string, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	body, err := v2.AppendRequest(nil, &v2.Request{Inputs: inputs})
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	a, err := c.post(ctx, inferPath(model), body)
	if err != nil {
		return nil, err
	}
	return outputs(a)
}

// outputs reads the tensors of an answer to an inference.
func outputs(a answer) ([]tensor.Tensor, error) {
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", a)
	}
	response, err := v2.DecodeResponse(a.body, v2.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("the answer is no inference response: %w", err)
	}
	return response.Outputs, nil
}

var (
	errNoAnswer = errors.New("no answer in time")
	errClosed   = errors.New("the connection was closed without an answer")
	errRefused  = errors.New("nobody listens there")
)

// plain says in words, without addresses that differ from run to run, that a
// connection stalled or ended.
func plain(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errNoAnswer
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errClosed
	case errors.Is(err, syscall.ECONNREFUSED):
		return errRefused
	}
	return err
}
