package serving

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// maxBody is the most that is read of an answer: more than a server takes of a
// request, since an answer may be wider than what was asked.
const maxBody = 256 << 20

// exchanger is what clients of protocols over HTTP share: it uses no proxy and
// follows no redirect.
type exchanger struct {
	base        string
	contentType string
	http        *http.Client
}

func newExchanger(base, contentType string) exchanger {
	return exchanger{base, contentType, &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     30 * time.Second,
			WriteBufferSize:     64 << 10,
			ReadBufferSize:      64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// URL returns where the server is.
func (x exchanger) URL() string { return x.base }

// Close closes idle connections.
func (x exchanger) Close() { x.http.CloseIdleConnections() }

// response is an answer as it came.
type response struct {
	status int
	body   []byte
}

// exchange sends body, which may be nil, and returns whatever is answered. Only
// a failed exchange is an error.
func (x exchanger) exchange(ctx context.Context, method, path string, body []byte) (response, error) {
	address := x.base + path
	var reader io.Reader // an interface that holds a nil *bytes.Reader is not nil
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return response{}, fault.Usage(fmt.Errorf("calling %s: %w", address, err))
	}
	if body != nil {
		request.Header.Set("Content-Type", x.contentType)
	}
	answer, err := x.http.Do(request)
	if err != nil {
		return response{}, unreachable(ctx, address, err)
	}
	defer answer.Body.Close()
	text, err := readAll(answer)
	if err != nil {
		return response{}, unreachable(ctx, address, err)
	}
	if len(text) > maxBody {
		return response{}, fault.ServerMisbehaves.Failed(fmt.Errorf("calling %s: the answer has more than %d bytes", address, maxBody))
	}
	return response{answer.StatusCode, text}, nil
}

// readAll reads the body, in one piece where its length is told.
func readAll(answer *http.Response) ([]byte, error) {
	body := io.LimitReader(answer.Body, maxBody+1)
	if n := answer.ContentLength; n > 0 && n <= 1<<20 {
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
