package v2client

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
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Limits of an answer: larger than those of a request, since an answer may be
// wider than what was asked.
const (
	maxBody     = 256 << 20
	maxElements = 1 << 26
)

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// New returns a client of the server at base, such as http://127.0.0.1:8080.
func New(base string) *Client {
	return &Client{
		base: strings.TrimRight(base, "/"),
		http: &http.Client{
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
				DisableCompression:  true,
				MaxIdleConnsPerHost: 64,
				IdleConnTimeout:     30 * time.Second,
				WriteBufferSize:     64 << 10,
				ReadBufferSize:      64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// URL returns where the server is.
func (c *Client) URL() string { return c.base }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// StatusError is an answer that is no success.
type StatusError struct {
	URL     string
	Status  int
	Message string // of the error object, else the beginning of the body
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d: %s", e.URL, e.Status, e.Message)
}

// Response is an answer as it came.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Raw sends body, which may be nil, and returns whatever is answered. Only a
// failed exchange is an error.
func (c *Client) Raw(ctx context.Context, method, path string, header http.Header, body []byte) (Response, error) {
	address := c.base + path
	var reader io.Reader // an interface that holds a nil *bytes.Reader is not nil
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return Response{}, fault.Usage(fmt.Errorf("calling %s: %w", address, err))
	}
	if body != nil {
		request.Header.Set("Content-Type", v2.ContentType)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Response{}, unreachable(ctx, address, err)
	}
	defer response.Body.Close()
	text, err := readAll(response)
	if err != nil {
		return Response{}, unreachable(ctx, address, err)
	}
	if len(text) > maxBody {
		return Response{}, fault.Failed(fmt.Errorf("calling %s: the answer has more than %d bytes", address, maxBody))
	}
	return Response{response.StatusCode, response.Header, text}, nil
}

// readAll reads the body, in one piece where its length is told.
func readAll(response *http.Response) ([]byte, error) {
	body := io.LimitReader(response.Body, maxBody+1)
	if n := response.ContentLength; n > 0 && n <= 1<<20 {
		text := make([]byte, n)
		_, err := io.ReadFull(body, text)
		return text, err
	}
	return io.ReadAll(body)
}

// unreachable is the error of an exchange that failed.
func unreachable(ctx context.Context, address string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("calling %s: %w", address, context.Cause(ctx))
	}
	var wrapped *url.Error // names method and URL again
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fault.Environment(fmt.Errorf("calling %s: %w", address, err))
}

// call is Raw where only 200 will do.
func (c *Client) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := c.Raw(ctx, method, path, nil, body)
	if err != nil {
		return nil, err
	}
	if r.Status == http.StatusOK {
		return r.Body, nil
	}
	failed := &StatusError{URL: c.base + path, Status: r.Status, Message: message(r.Body)}
	switch r.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return nil, fault.Environment(failed)
	case http.StatusInternalServerError:
		return nil, fault.Failed(failed)
	}
	return nil, fault.Usage(failed)
}

// message is the text of an error object, or the beginning of what is none.
func message(body []byte) string {
	var object v2.ErrorBody
	if json.Unmarshal(body, &object) == nil && object.Error != "" {
		return clip(object.Error, 2000)
	}
	if len(body) == 0 {
		return "(no text)"
	}
	return fmt.Sprintf("%q", clip(string(body), 200))
}

func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}

// Live returns nil where the server says that it lives.
func (c *Client) Live(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, "/v2/health/live", nil)
	return err
}

// Ready returns nil where the server says that it is ready.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, "/v2/health/ready", nil)
	return err
}

// WaitReady asks until the server is ready or ctx ends; then the error says
// what the last answer was.
func (c *Client) WaitReady(ctx context.Context) error {
	const longest = 100 * time.Millisecond
	var last error
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := c.Ready(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if last == nil {
				last = err
			}
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("waiting until %s is ready: %w", c.base, ctx.Err())
			}
			return fault.Environment(fmt.Errorf("waiting until %s is ready: time is over; last: %w", c.base, last))
		case <-time.After(pause):
		}
	}
}

// Metadata returns what the server says about a model.
func (c *Client) Metadata(ctx context.Context, model string) (v2.ModelMetadata, error) {
	path := modelPath(model)
	body, err := c.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return v2.ModelMetadata{}, err
	}
	var m v2.ModelMetadata
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fault.Failed(fmt.Errorf("reading the answer of %s: it is no model metadata: %w", c.base+path, err))
	}
	return m, nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Infer asks a model and returns its outputs in the server's order.
func (c *Client) Infer(ctx context.Context, model string, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	path := modelPath(model) + "/infer"
	buffer := buffers.Get().(*[]byte)
	body, err := v2.AppendRequest((*buffer)[:0], &v2.Request{Inputs: inputs})
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("writing the request for %s: %w", c.base+path, err))
	}
	*buffer = body
	answer, err := c.call(ctx, http.MethodPost, path, body)
	if err != nil {
		// The transport may still be reading a body whose exchange failed: the
		// buffer is left to it.
		return nil, err
	}
	buffers.Put(buffer)
	response, err := v2.DecodeResponse(answer, v2.Limits{Body: maxBody, Elements: maxElements})
	if err != nil {
		return nil, fault.Failed(fmt.Errorf("reading the answer of %s: %w", c.base+path, err))
	}
	return response.Outputs, nil
}

func modelPath(model string) string { return "/v2/models/" + url.PathEscape(model) }
