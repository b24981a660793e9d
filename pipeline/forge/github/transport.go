package github

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// repeatable marks a POST that may be sent again when nobody knows whether it
// arrived: it makes an object named by its content, or sets what is set.
type repeatable struct{}

func repeat(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatable{}, true)
}

// transport authorises calls and repeats them within bounds.
type transport struct {
	base     http.RoundTripper
	host     string // the only one that gets the token
	token    string
	attempts int
	patience time.Duration // longest wait before one attempt
	sleep    func(context.Context, time.Duration) error
	now      func() time.Time
	jitter   func() float64 // 0 <= x < 1
}

// RoundTrip sends req until it is answered, refused for good, or no further
// attempt is safe.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	marked, _ := req.Context().Value(repeatable{}).(bool)
	safe := marked || req.Method != http.MethodPost
	for attempt := 1; ; attempt++ {
		sent, err := t.prepare(req)
		if err != nil {
			return nil, err
		}
		resp, err := t.base.RoundTrip(sent)
		wait, again := t.next(resp, err, safe, attempt)
		if err == nil && resp.StatusCode < 400 {
			// go-github refuses further calls by itself when it has seen the last
			// one of the hour; that is decided here.
			resp.Header.Del("X-RateLimit-Remaining")
		}
		if !again || attempt >= t.attempts || wait > t.patience || req.Context().Err() != nil {
			return resp, err
		}
		if resp != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
			resp.Body.Close()
		}
		if err := t.sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

func (t *transport) prepare(req *http.Request) (*http.Request, error) {
	sent := req.Clone(req.Context())
	if req.Body != nil && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		sent.Body = body
	}
	if t.token != "" && sent.URL.Host == t.host {
		sent.Header.Set("Authorization", "Bearer "+t.token)
	}
	return sent, nil
}

// next says whether another attempt makes sense, and after how long.
func (t *transport) next(resp *http.Response, err error, safe bool, attempt int) (time.Duration, bool) {
	backoff := time.Duration(float64(250*time.Millisecond) * float64(int(1)<<(attempt-1)) * (0.5 + t.jitter()))
	switch {
	case err != nil:
		return backoff, safe
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests:
		// Refused before any effect: every method may be repeated.
		if wait, limited := t.limited(resp); limited {
			return wait + backoff, true
		}
		return 0, false
	case resp.StatusCode >= 500:
		return backoff, safe
	}
	return 0, false
}

// limited reads how long GitHub asks to wait. Retry-After comes first, then
// the reset of a used-up quota, then one minute for a secondary limit.
func (t *transport) limited(resp *http.Response) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil {
			return time.Minute, true
		}
		return max(time.Unix(reset, 0).Sub(t.now()), 0) + time.Second, true
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return 0, false
	}
	return time.Minute, resp.StatusCode == http.StatusTooManyRequests || strings.Contains(string(body), "secondary rate limit")
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
