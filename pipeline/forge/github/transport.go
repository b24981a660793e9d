package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// repeatable marks a POST that may be sent again when nobody knows whether it
// arrived: it makes an object named by its content, or sets what is set.
type repeatable struct{}

func repeat(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatable{}, true)
}

// transport authorises calls, waits for GitHub's limits and repeats calls
// within bounds. An answer of the API is read whole before it is given on, so
// that one which is cut counts as a call that failed.
type transport struct {
	base     http.RoundTripper
	host     string // of the API: the only one that gets the token
	graphql  string // path of GraphQL at that host
	token    string
	attempts int
	limits   *limits
	sleep    func(context.Context, time.Duration) error
	jitter   func() float64 // 0 <= x < 1
}

// maxAnswer bounds an answer of the API. A blob comes as base64.
const maxAnswer = 256 << 20

var (
	errCut   = errors.New("the answer was cut")
	errLarge = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
)

// RoundTrip sends req until it is answered, refused for good, or no further
// attempt is safe.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.host {
		return t.elsewhere(req)
	}
	marked, _ := req.Context().Value(repeatable{}).(bool)
	safe := marked || req.Method != http.MethodPost
	resource := "core"
	if req.URL.Path == t.graphql {
		resource = "graphql"
	}
	for attempt := 1; ; attempt++ {
		if err := t.limits.await(req.Context(), resource); err != nil {
			return nil, err
		}
		resp, body, err := t.exchange(req)
		last := attempt >= t.attempts || req.Context().Err() != nil
		if err == nil {
			if limit, refused := t.limits.refused(resp.StatusCode, resp.Header, body); refused {
				// Refused before any effect: every method may be repeated.
				if last {
					return nil, &limitError{secondary: limit.secondary, until: t.limits.now().Add(limit.wait), now: t.limits.now()}
				}
				if err := t.limits.wait(req.Context(), limit.wait+t.backoff(attempt), limit.secondary); err != nil {
					return nil, err
				}
				continue
			}
			t.limits.note(resp.Header, resource)
		}
		wait, again := t.next(resp, body, err, attempt)
		if !again || !safe || last {
			return resp, err
		}
		if err := t.sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// elsewhere sends a call to another host than the API's, such as the storage
// of artifacts: without the token, and its answer as it comes.
func (t *transport) elsewhere(req *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		sent, err := prepare(req)
		if err != nil {
			return nil, err
		}
		resp, err := t.base.RoundTrip(sent)
		if err == nil && resp.StatusCode < 500 || req.Method == http.MethodPost || attempt >= t.attempts || req.Context().Err() != nil {
			return resp, err
		}
		if resp != nil {
			resp.Body.Close()
		}
		if err := t.sleep(req.Context(), t.backoff(attempt)); err != nil {
			return nil, err
		}
	}
}

// exchange sends one call to the API and reads its answer.
func (t *transport) exchange(req *http.Request) (*http.Response, []byte, error) {
	sent, err := prepare(req)
	if err != nil {
		return nil, nil, err
	}
	if t.token != "" {
		sent.Header.Set("Authorization", "Bearer "+t.token)
	}
	resp, err := t.base.RoundTrip(sent)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	resp.Body.Close()
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", errCut, err)
	case len(body) > maxAnswer:
		return nil, nil, errLarge
	case isJSON(resp) && !json.Valid(body):
		return nil, nil, errCut
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, body, nil
}

// isJSON reports whether an answer that succeeded promises JSON: a connection
// that ends early is not always an error by itself.
func isJSON(resp *http.Response) bool {
	return (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated) && strings.Contains(resp.Header.Get("Content-Type"), "json")
}

func prepare(req *http.Request) (*http.Request, error) {
	sent := req.Clone(req.Context())
	if req.Body != nil && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		sent.Body = body
	}
	return sent, nil
}

func (t *transport) backoff(attempt int) time.Duration {
	return time.Duration(float64(250*time.Millisecond) * float64(int(1)<<(attempt-1)) * (0.5 + t.jitter()))
}

// next says whether another attempt makes sense where it does no harm, and
// after how long.
func (t *transport) next(resp *http.Response, body []byte, err error, attempt int) (time.Duration, bool) {
	backoff := t.backoff(attempt)
	switch {
	case err != nil:
		return backoff, !errors.Is(err, errLarge)
	case resp.StatusCode >= 500:
		if wait, asked := t.limits.retryAfter(resp.Header); asked {
			return wait + backoff, wait <= t.limits.longest
		}
		return backoff, true
	case resp.StatusCode == http.StatusOK && resp.Request.URL.Path == t.graphql:
		// "Something went wrong while executing your query", which has no type.
		kind, message := graphQLError(body)
		return backoff, kind == "" && message != ""
	}
	return 0, false
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
