package smoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Limits of one exchange.
const (
	requestBound = 5 * time.Second
	answerBound  = 64 << 20 // bytes of an answer that are read
)

// client speaks HTTP to one server and to nobody else: no proxy, no redirect.
// Unlike a client for callers it sees statuses and bytes as they came, since
// these are what is judged.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	dialer := net.Dialer{Timeout: time.Second}
	return &client{
		base: strings.TrimRight(base, "/"),
		http: &http.Client{
			Transport: &http.Transport{
				DialContext: dialer.DialContext, DisableCompression: true,
				MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// answer is one HTTP answer.
type answer struct {
	status int
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, quoted(string(a.body))) }

// do sends one request within bound and reads the whole answer.
func (c *client) do(ctx context.Context, bound time.Duration, method, path string, body io.Reader, length int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		request.ContentLength = length
		request.Header.Set("Content-Type", v2.ContentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, plain(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, answerBound+1))
	if err != nil {
		return answer{}, plain(err)
	}
	if len(raw) > answerBound {
		return answer{}, fmt.Errorf("the answer has more than %d bytes", answerBound)
	}
	return answer{response.StatusCode, raw}, nil
}

// plain takes method and URL out of an error, which every sentence here names
// itself, and says in words that a connection stalled or ended.
func plain(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		if e.Timeout() {
			return errNoAnswer
		}
		err = e.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errNoAnswer
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errClosed
	}
	return err
}

var (
	errNoAnswer = errors.New("no answer in time")
	errClosed   = errors.New("the connection was closed without an answer")
)

func (c *client) get(ctx context.Context, bound time.Duration, path string) (answer, error) {
	return c.do(ctx, bound, http.MethodGet, path, nil, 0)
}

func (c *client) post(ctx context.Context, path string, body []byte) (answer, error) {
	return c.do(ctx, requestBound, http.MethodPost, path, bytes.NewReader(body), int64(len(body)))
}

func modelPath(model string) string { return "/v2/models/" + model }
func inferPath(model string) string { return modelPath(model) + "/infer" }

// metadata asks for the description of the model.
func (c *client) metadata(ctx context.Context, model string) (v2.ModelMetadata, error) {
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
func (c *client) infer(ctx context.Context, model string, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
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
