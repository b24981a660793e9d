package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// quota is what a token may still call of a resource, as GitHub counts it: REST
// and GraphQL each have their own.
type quota struct {
	used  int
	reset time.Time
}

// hourly is GITHUB_TOKEN's limit in a repository.
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
const hourly = 1000

// Clock is GitHub's time. It passes by itself and by Pass.
func (s *Server) Clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock()
}

func (s *Server) clock() time.Time { return time.Now().Add(s.passed) }

// Pass lets time go by, as a client's sleep does.
func (s *Server) Pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed += d
}

// TooMany counts the calls that were sent although an answer before had said
// that none were left.
func (s *Server) TooMany() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tooMany
}

func (s *Server) limit() (calls int, window time.Duration) {
	if s.Behaviour.Quota > 0 {
		return s.Behaviour.Quota, time.Minute
	}
	return hourly, time.Hour
}

// count counts a call and reports whether its quota had one left.
func (s *Server) count(resource string) bool {
	if s.quotas == nil {
		s.quotas = map[string]*quota{}
	}
	calls, window := s.limit()
	q := s.quotas[resource]
	if q == nil || !s.clock().Before(q.reset) {
		q = &quota{reset: s.clock().Add(window)}
		s.quotas[resource] = q
	}
	if q.used >= calls {
		s.tooMany++
		return false
	}
	q.used++
	return true
}

// usual are the headers that GitHub sends with every answer, a refusal too.
// Those that an answer has set itself stay.
func (s *Server) usual(h http.Header, resource string, token *Token, body []byte) {
	calls, _ := s.limit()
	q := s.quotas[resource]
	sum := sha256.Sum256(body)
	set := map[string]string{
		"Date":                          s.clock().UTC().Format(http.TimeFormat),
		"Server":                        "github.com",
		"Vary":                          "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With",
		"Cache-Control":                 "private, max-age=60, s-maxage=60",
		"ETag":                          `W/"` + hex.EncodeToString(sum[:]) + `"`,
		"X-GitHub-Media-Type":           "github.v3; format=json",
		"X-GitHub-Api-Version-Selected": "2022-11-28",
		"X-GitHub-Request-Id":           fmt.Sprintf("%04X:%04X:%06X", len(s.calls), 7, s.state.ids),
		"Access-Control-Allow-Origin":   "*",
		"X-Content-Type-Options":        "nosniff",
		// What a later version of the API will not have any more is announced so.
		// https://docs.github.com/rest/about-the-rest-api/breaking-changes
		"Deprecation":           "Tue, 10 Mar 2026 00:00:00 GMT",
		"Sunset":                "Fri, 10 Mar 2028 00:00:00 GMT",
		"X-RateLimit-Limit":     strconv.Itoa(calls),
		"X-RateLimit-Remaining": strconv.Itoa(calls - q.used),
		"X-RateLimit-Used":      strconv.Itoa(q.used),
		"X-RateLimit-Reset":     strconv.FormatInt(q.reset.Unix(), 10),
		"X-RateLimit-Resource":  resource,
	}
	if token != nil && token.Kind == Personal {
		// Of a classic token only, and empty for a fine-grained one.
		set["X-OAuth-Scopes"], set["X-Accepted-OAuth-Scopes"] = "", "repo"
		set["GitHub-Authentication-Token-Expiration"] = s.clock().AddDate(0, 1, 0).UTC().Format("2006-01-02 15:04:05 UTC")
	}
	set["Access-Control-Expose-Headers"] = strings.Join(slices.Sorted(maps.Keys(set)), ", ")
	for name, value := range set {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	link := `<https://docs.github.com/rest/about-the-rest-api/breaking-changes>; rel="deprecation"; type="text/html"`
	if pages := h.Get("Link"); pages != "" {
		link += ", " + pages
	}
	h.Set("Link", link)
}

// usedUp is GitHub's answer to a call beyond the quota.
func (s *Server) usedUp(w http.ResponseWriter, resource string) {
	w.Header().Set("X-RateLimit-Remaining", "0")
	s.rateLimited(w, resource, "API rate limit exceeded for installation ID 1.")
}

// rateLimited refuses a call: GraphQL with status 200.
// https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
func (s *Server) rateLimited(w http.ResponseWriter, resource, message string) {
	if resource != "graphql" {
		s.refuse(w, http.StatusForbidden, message)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(marshal(object{"data": nil, "errors": []object{{"type": "RATE_LIMITED", "message": message}}}))
}
