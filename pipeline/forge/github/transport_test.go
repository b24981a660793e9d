package github

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type answer struct {
	status int
	header map[string]string
	body   string
	err    error
}

type script struct {
	answers []answer
	sent    []*http.Request
	bodies  []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	a := s.answers[min(len(s.sent), len(s.answers)-1)]
	s.sent = append(s.sent, r)
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		s.bodies = append(s.bodies, string(body))
	}
	if a.err != nil {
		return nil, a.err
	}
	header := http.Header{}
	for k, v := range a.header {
		header.Set(k, v)
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func TestTransport(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	down, cut, fine := answer{status: 502}, answer{err: errors.New("connection reset")}, answer{status: 200}
	for _, tt := range []struct {
		name    string
		method  string
		marked  bool
		answers []answer
		calls   int
		waits   []time.Duration
		status  int // 0: an error
	}{
		{"a read is repeated", http.MethodGet, false, []answer{down, cut, fine}, 3, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond}, 200},
		{"a write that sets a value is repeated", http.MethodPatch, false, []answer{cut, fine}, 2, []time.Duration{250 * time.Millisecond}, 200},
		{"another write is not", http.MethodPost, false, []answer{down, fine}, 1, nil, 502},
		{"nor when cut", http.MethodPost, false, []answer{cut, fine}, 1, nil, 0},
		{"unless it is marked", http.MethodPost, true, []answer{down, fine}, 2, []time.Duration{250 * time.Millisecond}, 200},
		{"not for ever", http.MethodGet, false, []answer{down}, attempts, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}, 502},
		{"Retry-After", http.MethodPost, false, []answer{{status: 429, header: map[string]string{"Retry-After": "9"}}, fine}, 2, []time.Duration{9250 * time.Millisecond}, 200},
		{"the quota's reset", http.MethodPost, false, []answer{{status: 403, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030"}}, fine}, 2, []time.Duration{31250 * time.Millisecond}, 200},
		{"a secondary limit without a header", http.MethodPost, false, []answer{{status: 403, body: `{"message": "You have exceeded a secondary rate limit"}`}, fine}, 2, []time.Duration{60250 * time.Millisecond}, 200},
		{"a reset too far away", http.MethodGet, false, []answer{{status: 403, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700003000"}}}, 1, nil, 403},
		{"a refusal", http.MethodGet, false, []answer{{status: 403, body: `{"message": "Resource not accessible by integration"}`}}, 1, nil, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &script{answers: tt.answers}
			var waits []time.Duration
			tr := &transport{
				base: s, host: "api.github.test", token: "secret", attempts: attempts, patience: patience,
				sleep:  func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
				now:    func() time.Time { return now },
				jitter: func() float64 { return 0.5 },
			}
			ctx := t.Context()
			if tt.marked {
				ctx = repeat(ctx)
			}
			req, err := http.NewRequestWithContext(ctx, tt.method, "https://api.github.test/x", strings.NewReader("body"))
			require.NoError(t, err)
			resp, err := tr.RoundTrip(req)
			if tt.status == 0 {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				assert.Equal(t, tt.status, resp.StatusCode)
			}
			assert.Len(t, s.sent, tt.calls)
			assert.Equal(t, tt.waits, waits)
			for i, r := range s.sent {
				assert.Equal(t, "body", s.bodies[i], "the body is sent whole each time")
				assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
			}
		})
	}
}

func TestTokenGoesToOneHost(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{{status: 200}}}
	tr := &transport{base: s, host: "api.github.test", token: "secret", attempts: 1, jitter: func() float64 { return 0 }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://elsewhere.test/", nil)
	require.NoError(t, err)
	_, err = tr.RoundTrip(req)
	require.NoError(t, err)
	assert.Empty(t, s.sent[0].Header.Get("Authorization"))
}

func TestTransportStopsOnCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &script{answers: []answer{{status: 502}}}
	tr := &transport{base: s, attempts: attempts, patience: patience, sleep: func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }, jitter: func() float64 { return 0 }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.github.test/", nil)
	require.NoError(t, err)
	_, err = tr.RoundTrip(req)
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, s.sent, 1)
}
