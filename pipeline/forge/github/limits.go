package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// limitError says that GitHub's limits refuse a call and that waiting would
// take too long. A call that is refused so had no effect.
type limitError struct {
	secondary bool      // how fast, not how much
	until     time.Time // on our clock
	now       time.Time
}

func (e *limitError) Error() string {
	in := e.until.Sub(e.now).Round(time.Second)
	if e.secondary {
		return fmt.Sprintf("GitHub limits how fast this token may call and asks to wait %s: run again then, or let fewer jobs run at once", in)
	}
	return fmt.Sprintf("the token has used up its calls until %s (for %s more): run again then", e.until.UTC().Format("15:04:05 UTC"), in)
}

// limits is what GitHub said of the token's limits. They are waited for here and
// their headers kept from go-github, which would refuse calls by the clock of
// this machine, and could not wait.
//
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
// https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
type limits struct {
	longest time.Duration // of one wait
	sleep   func(context.Context, time.Duration) error
	now     func() time.Time
	say     func(string)

	mu    sync.Mutex
	total time.Duration        // that may still be waited
	spent map[string]time.Time // resource -> when its quota is full again
}

// rateHeaders are those of a quota.
var rateHeaders = []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Used", "X-Ratelimit-Reset", "X-Ratelimit-Resource"}

// await waits until the quota of a resource has calls again.
func (l *limits) await(ctx context.Context, resource string) error {
	l.mu.Lock()
	full, spent := l.spent[resource]
	delete(l.spent, resource)
	l.mu.Unlock()
	wait := full.Sub(l.now())
	if !spent || wait <= 0 {
		return nil
	}
	err := l.wait(ctx, wait, false)
	if _, refused := err.(*limitError); refused {
		l.mu.Lock()
		l.spent[resource] = full
		l.mu.Unlock()
	}
	return err
}

// wait sleeps as long as a limit asks, within bounds, and says so.
func (l *limits) wait(ctx context.Context, d time.Duration, secondary bool) error {
	l.mu.Lock()
	allowed := d <= l.longest && d <= l.total
	if allowed {
		l.total -= d
	}
	l.mu.Unlock()
	if !allowed {
		now := l.now()
		return &limitError{secondary: secondary, until: now.Add(d), now: now}
	}
	if l.say != nil {
		reason := "the token's calls of this hour are used up"
		if secondary {
			reason = "GitHub limits how fast this token may call"
		}
		l.say(fmt.Sprintf("%s: waiting %s", reason, d.Round(time.Second)))
	}
	return l.sleep(ctx, d)
}

// note keeps what an answer says of its quota, and takes its headers away.
func (l *limits) note(h http.Header, resource string) {
	if h.Get("X-RateLimit-Remaining") == "0" {
		if wait := l.reset(h); wait > 0 {
			l.mu.Lock()
			l.spent[resource] = l.now().Add(wait)
			l.mu.Unlock()
		}
	}
	for _, name := range rateHeaders {
		h.Del(name)
	}
}

// reset returns how long it takes until a quota is full again: the difference of
// two times of GitHub's, since this machine's clock may be wrong. One second
// more, because both are whole seconds; 0 where it is full already or not said.
func (l *limits) reset(h http.Header) time.Duration {
	at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	wait := time.Unix(at, 0).Sub(l.theirs(h))
	if wait < 0 {
		return 0
	}
	return wait + time.Second
}

// theirs is GitHub's clock.
func (l *limits) theirs(h http.Header) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return l.now()
}

// retryAfter reads the header of that name: seconds, or a date.
func (l *limits) retryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(l.theirs(h)), 0), true
	}
	return 0, false
}

// refusal is an answer by which GitHub refuses a call for its limits.
type refusal struct {
	wait      time.Duration
	secondary bool
}

// refused reads whether an answer is one: a 403 or 429, or GraphQL's error with
// status 200. Retry-After counts first, then the reset of a used-up quota, then
// a minute, as GitHub asks.
func (l *limits) refused(status int, h http.Header, body []byte) (refusal, bool) {
	text := strings.ToLower(string(body))
	spent := h.Get("X-RateLimit-Remaining") == "0"
	switch status {
	case http.StatusTooManyRequests:
	case http.StatusForbidden:
		// A call that its permission refuses may have been the last one of the hour.
		if _, asked := l.retryAfter(h); !asked && !strings.Contains(text, "rate limit") && (!spent || len(text) > 0) {
			return refusal{}, false
		}
	case http.StatusOK:
		if kind, message := graphQLError(body); kind != "RATE_LIMITED" && !strings.Contains(strings.ToLower(message), "secondary rate limit") {
			return refusal{}, false
		}
	default:
		return refusal{}, false
	}
	r := refusal{secondary: strings.Contains(text, "secondary rate limit") || !spent}
	if wait, asked := l.retryAfter(h); asked {
		r.wait = wait
		return r, true
	}
	r.wait = time.Minute
	if !r.secondary && h.Get("X-RateLimit-Reset") != "" {
		r.wait = l.reset(h)
	}
	return r, true
}

// graphQLError is the first error of a GraphQL answer, "" where there is none
// or the answer is not one.
func graphQLError(body []byte) (kind, message string) {
	var answer struct {
		Errors []struct{ Type, Message string }
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Errors) == 0 {
		return "", ""
	}
	return answer.Errors[0].Type, answer.Errors[0].Message
}
