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
	cut    bool // the body ends with an error
}

type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

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
	var body io.Reader = strings.NewReader(a.body)
	if a.cut {
		body = torn{}
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(body), Request: r}, nil
}

// instant is a transport whose waiting takes no time and is written down.
func instant(base http.RoundTripper, waits *[]time.Duration) *transport {
	sleep := func(_ context.Context, d time.Duration) error { *waits = append(*waits, d); return nil }
	return &transport{
		base: base, host: "api.github.test", graphql: "/graphql", token: "secret", attempts: attempts,
		sleep: sleep, jitter: func() float64 { return 0.5 },
		limits: &limits{longest: longestWait, total: totalWait, sleep: sleep, now: func() time.Time { return time.Unix(1_700_000_000, 0) }, spent: map[string]time.Time{}},
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	down, cut, fine := answer{status: 502}, answer{err: errors.New("connection reset")}, answer{status: 200}
	json := map[string]string{"Content-Type": "application/json; charset=utf-8"}
	half := answer{status: 200, header: json, body: `{"a": [1, `}
	gone := answer{status: 200, header: json}
	// GitHub's clock is an hour ahead of ours, or ours an hour behind.
	date := time.Unix(1_700_003_600, 0).UTC().Format(http.TimeFormat)
	soon := func(more map[string]string) map[string]string {
		h := map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030"}
		for k, v := range more {
			h[k] = v
		}
		return h
	}
	query := func(text string) answer { return answer{status: 200, header: json, body: text} }
	const get, post, patch = http.MethodGet, http.MethodPost, http.MethodPatch
	quarter := 250 * time.Millisecond
	for _, tt := range []struct {
		name    string
		method  string
		path    string
		marked  bool
		answers []answer
		calls   int
		waits   []time.Duration
		status  int    // 0: an error
		says    string // the error
	}{
		{"a read is repeated", get, "", false, []answer{down, cut, fine}, 3, []time.Duration{quarter, 2 * quarter}, 200, ""},
		{"a read that is cut", get, "", false, []answer{half, gone, fine}, 3, []time.Duration{quarter, 2 * quarter}, 200, ""},
		{"a read that is cut by force", get, "", false, []answer{{status: 200, cut: true}, fine}, 2, []time.Duration{quarter}, 200, ""},
		{"a write that is cut is not repeated", post, "", false, []answer{half, fine}, 1, nil, 0, "the answer was cut"},
		{"unless it sets a value", patch, "", false, []answer{half, fine}, 2, []time.Duration{quarter}, 200, ""},
		{"a write that sets a value is repeated", patch, "", false, []answer{cut, fine}, 2, []time.Duration{quarter}, 200, ""},
		{"another write is not", post, "", false, []answer{down, fine}, 1, nil, 502, ""},
		{"nor when cut", post, "", false, []answer{cut, fine}, 1, nil, 0, "connection reset"},
		{"unless it is marked", post, "", true, []answer{down, fine}, 2, []time.Duration{quarter}, 200, ""},
		{"not for ever", get, "", false, []answer{down}, attempts, []time.Duration{quarter, 2 * quarter, 4 * quarter, 8 * quarter}, 502, ""},
		{"down, and asks to wait", get, "", false, []answer{{status: 503, header: map[string]string{"Retry-After": "9"}}, fine}, 2, []time.Duration{9*time.Second + quarter}, 200, ""},
		{"Retry-After", post, "", false, []answer{{status: 429, header: map[string]string{"Retry-After": "9"}}, fine}, 2, []time.Duration{9*time.Second + quarter}, 200, ""},
		{"Retry-After as a date", post, "", false, []answer{{status: 429, header: map[string]string{"Retry-After": "Tue, 14 Nov 2023 23:13:29 GMT", "Date": date}}, fine}, 2, []time.Duration{9*time.Second + quarter}, 200, ""},
		{"the quota's reset", post, "", false, []answer{{status: 403, header: soon(nil)}, fine}, 2, []time.Duration{31*time.Second + quarter}, 200, ""},
		{"the quota's reset by GitHub's clock", post, "", false, []answer{{status: 403, header: soon(map[string]string{"X-RateLimit-Reset": "1700003640", "Date": date})}, fine}, 2, []time.Duration{41*time.Second + quarter}, 200, ""},
		{"a reset in the past", post, "", false, []answer{{status: 403, header: soon(map[string]string{"X-RateLimit-Reset": "1600000000"})}, fine}, 2, []time.Duration{quarter}, 200, ""},
		{"a quota without a reset", post, "", false, []answer{{status: 429, header: map[string]string{"X-RateLimit-Remaining": "0"}}, fine}, 2, []time.Duration{60*time.Second + quarter}, 200, ""},
		{"a secondary limit without a header", post, "", false, []answer{{status: 403, body: `{"message": "You have exceeded a secondary rate limit"}`}, fine}, 2, []time.Duration{60*time.Second + quarter}, 200, ""},
		{"a secondary limit while the quota has calls", post, "", false, []answer{{status: 403, header: map[string]string{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": "1700003000"}, body: `{"message": "You have exceeded a secondary rate limit"}`}, fine}, 2, []time.Duration{60*time.Second + quarter}, 200, ""},
		{"a reset too far away", get, "", false, []answer{{status: 403, header: soon(map[string]string{"X-RateLimit-Reset": "1700003000"})}}, 1, nil, 0, "used up its calls until 23:03:21 UTC (for 50m1s more)"},
		{"a wait too long", get, "", false, []answer{{status: 429, header: map[string]string{"Retry-After": "900"}}}, 1, nil, 0, "asks to wait 15m0s"},
		{"limited for ever", get, "", false, []answer{{status: 429, header: map[string]string{"Retry-After": "1"}}}, attempts, []time.Duration{time.Second + quarter, time.Second + 2*quarter, time.Second + 4*quarter, time.Second + 8*quarter}, 0, "asks to wait 1s"},
		{"a refusal", get, "", false, []answer{{status: 403, body: `{"message": "Resource not accessible by integration"}`}}, 1, nil, 403, ""},
		{"a refusal that was the last call of the hour", get, "", false, []answer{{status: 403, header: soon(nil), body: `{"message": "Resource not accessible by integration"}`}}, 1, nil, 403, ""},
		{"GraphQL's quota, with status 200", post, "/graphql", false, []answer{{status: 200, header: soon(json), body: `{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}`}, fine}, 2, []time.Duration{31*time.Second + quarter}, 200, ""},
		{"GraphQL's secondary limit, with status 200", post, "/graphql", false, []answer{query(`{"errors": [{"message": "You have exceeded a secondary rate limit."}]}`), fine}, 2, []time.Duration{60*time.Second + quarter}, 200, ""},
		{"a query that went wrong", post, "/graphql", true, []answer{query(`{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}`), fine}, 2, []time.Duration{quarter}, 200, ""},
		{"a mutation that went wrong", post, "/graphql", false, []answer{query(`{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}`), fine}, 1, nil, 200, ""},
		{"a query that is refused", post, "/graphql", true, []answer{query(`{"errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}]}`)}, 1, nil, 200, ""},
		{"a comment that speaks of limits", get, "", false, []answer{query(`{"body": "secondary rate limit", "errors": "none"}`)}, 1, nil, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &script{answers: tt.answers}
			var waits []time.Duration
			tr := instant(s, &waits)
			ctx := t.Context()
			if tt.marked {
				ctx = repeat(ctx)
			}
			req, err := http.NewRequestWithContext(ctx, tt.method, "https://api.github.test"+tt.path, strings.NewReader("body"))
			require.NoError(t, err)
			resp, err := tr.RoundTrip(req)
			if tt.status == 0 {
				require.ErrorContains(t, err, tt.says)
			} else {
				require.NoError(t, err)
				assert.Equal(t, tt.status, resp.StatusCode)
				assert.Empty(t, resp.Header.Get("X-RateLimit-Reset"), "go-github decides nothing by it")
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

// An answer that says that it was the last one of the hour is waited for before
// the next call of the same kind, and the reader is told.
func TestTransportWaitsBeforeItIsRefused(t *testing.T) {
	t.Parallel()
	last := answer{status: 200, header: map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030"}}
	for _, tt := range []struct {
		name   string
		answer answer
		paths  []string
		waits  []time.Duration
		said   []string
		fails  string
	}{
		{"the same kind of call", last, []string{"/a", "/b", "/c"}, []time.Duration{30 * time.Second, 30 * time.Second}, []string{
			"the token's calls of this hour are used up: waiting 31s", "the token's calls of this hour are used up: waiting 31s",
		}, ""},
		{"GraphQL counts by itself", last, []string{"/a", "/graphql"}, nil, nil, ""},
		{"too far away", answer{status: 200, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700003000"}}, []string{"/a", "/b"}, nil, nil, "used up its calls until 23:03:21 UTC"},
		{"long ago", answer{status: 200, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1600000000"}}, []string{"/a", "/b"}, nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var waits []time.Duration
			var said []string
			s := &script{answers: []answer{tt.answer}}
			tr := instant(s, &waits)
			tr.limits.say = func(text string) { said = append(said, text) }
			for i, path := range tt.paths {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.github.test"+path, nil)
				require.NoError(t, err)
				_, err = tr.RoundTrip(req)
				if tt.fails != "" && i > 0 {
					require.ErrorContains(t, err, tt.fails)
					continue
				}
				require.NoError(t, err)
			}
			for i := range waits {
				waits[i] = waits[i].Truncate(30 * time.Second)
			}
			assert.Equal(t, tt.waits, waits)
			assert.Equal(t, tt.said, said)
		})
	}
}

// All waits together are bounded: a runner's minutes are paid for.
func TestTransportWaitsNotForEver(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	s := &script{answers: []answer{{status: 200, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000100"}}}}
	tr := instant(s, &waits)
	var err error
	for range 20 {
		req, making := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.github.test/", nil)
		require.NoError(t, making)
		if _, err = tr.RoundTrip(req); err != nil {
			break
		}
	}
	require.ErrorContains(t, err, "used up its calls")
	var total time.Duration
	for _, w := range waits {
		total += w
	}
	assert.LessOrEqual(t, total, totalWait)
}

func TestTokenGoesToOneHost(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{{status: 200}}}
	var waits []time.Duration
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://elsewhere.test/", nil)
	require.NoError(t, err)
	_, err = instant(s, &waits).RoundTrip(req)
	require.NoError(t, err)
	assert.Empty(t, s.sent[0].Header.Get("Authorization"))
}

func TestTransportStopsOnCancel(t *testing.T) {
	t.Parallel()
	for _, first := range []answer{{status: 502}, {status: 429, header: map[string]string{"Retry-After": "9"}}} {
		ctx, cancel := context.WithCancel(t.Context())
		s := &script{answers: []answer{first}}
		var waits []time.Duration
		tr := instant(s, &waits)
		tr.sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
		tr.limits.sleep = tr.sleep
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.github.test/", nil)
		require.NoError(t, err)
		_, err = tr.RoundTrip(req)
		require.ErrorIs(t, err, context.Canceled)
		assert.Len(t, s.sent, 1)
	}
}
