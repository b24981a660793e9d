package githubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"
)

// base is the path below which the API lives, as on GitHub Enterprise Server.
const (
	base        = "/api/v3"
	graphQLPath = "/api/graphql"
)

// Call is one request as it arrived.
type Call struct {
	Operation string // "pulls/create", or a GraphQL field such as "updateRefs"
	Method    string
	Path      string
	Login     string // of the token's owner
}

// Server is a GitHub with one repository.
type Server struct {
	URL   string // of the API, with the base path and a slash at the end
	Owner string
	Name  string
	Dir   string // the bare repository

	Default   string // branch
	Behaviour Behaviour
	Private   bool // those who may not read it find nothing here
	// ActionsMayOpen is the repository's setting "Allow GitHub Actions to
	// create and approve pull requests".
	ActionsMayOpen bool
	Protected      string // branches with this prefix are closed to every token
	Labels         []string
	Legacy         []string // contexts that the branch's older protection requires
	Secrets        []string
	Runners        []Runner
	Required       []string // contexts that a rule requires on the default branch
	Reading        bool     // the repository's setting: workflows get a token that only reads, unless they ask for more

	t         testing.TB
	http      *httptest.Server
	mu        sync.Mutex
	routes    []route
	tokens    map[string]*Token
	calls     []Call
	planned   map[int]Fault
	next      map[string][]Fault
	interfere map[string][]func()
	dead      bool
	turns     struct{ all, reads, writes int }
	passed    time.Duration // by Pass
	quotas    map[string]*quota
	tooMany   int
	state     state
	git       *repository
}

// New starts a server whose repository holds files on branch main. It is
// hostile until Behaviour says otherwise.
func New(t testing.TB, files map[string]string) *Server {
	t.Helper()
	return NewOn(t, "main", files)
}

// NewOn is New with a default branch of another name.
func NewOn(t testing.TB, branch string, files map[string]string) *Server {
	t.Helper()
	s := &Server{
		Owner: "acme", Name: "flights", Default: branch, Behaviour: Hostile(), ActionsMayOpen: true, t: t,
		tokens: map[string]*Token{}, planned: map[int]Fault{}, next: map[string][]Fault{}, interfere: map[string][]func(){},
	}
	s.state.verified = map[string]bool{}
	s.git = newRepository(t, branch)
	s.Dir = s.git.dir
	tree := s.git.tree("", files)
	require.NoError(t, s.git.setRef("refs/heads/"+branch, s.git.commit(tree, nil, "first", human, human)))
	spec, err := description()
	require.NoError(t, err, "reading the pruned description of GitHub's API")
	s.routes = routesOf(t, s, spec)
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL + base + "/"
	t.Cleanup(func() {
		s.http.Close()
		for _, unused := range s.Unused() {
			t.Errorf("githubtest: planned but never come about: %s", unused)
		}
	})
	return s
}

// Calls returns the calls so far; the repository's own use is not among them.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

type route struct {
	method  string
	pattern *regexp.Regexp
	names   []string
	handle  handler
	target  *routers.Route
}

// request is what a handler gets.
type request struct {
	*http.Request
	params map[string]string
	token  *Token
	body   object
	header http.Header // of the answer
}

// handler answers with a status and an object, a list of objects, or nil.
type handler func(s *Server, r request) (int, any)

var placeholder = regexp.MustCompile(`\\\{([a-z_]+)\\\}`)

// routesOf pairs every operation of the description with its handler.
func routesOf(t testing.TB, s *Server, spec *openapi3.T) []route {
	var routes []route
	for _, path := range spec.Paths.InMatchingOrder() {
		item := spec.Paths.Value(path)
		pattern := strings.NewReplacer("{owner}", s.Owner, "{repo}", s.Name).Replace(path)
		var names []string
		quoted := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(pattern), func(m string) string {
			names = append(names, strings.Trim(m, `\{}`))
			return "(.+)"
		})
		for method, operation := range item.Operations() {
			handle, ok := handlers[operation.OperationID]
			require.True(t, ok, "%s is described, and has no handler", operation.OperationID)
			routes = append(routes, route{
				method: method, pattern: regexp.MustCompile("^" + base + quoted + "$"), names: names, handle: handle,
				target: &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: operation},
			})
		}
	}
	// What is longest is most specific: .../commits/{ref}/status before .../commits/{ref}.
	slices.SortStableFunc(routes, func(a, b route) int { return len(b.target.Path) - len(a.target.Path) })
	return routes
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := httptest.NewRecorder()
	if s.dead {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	resource := "core"
	if r.URL.Path == graphQLPath {
		resource = "graphql"
	}
	arrives := whole
	if s.count(resource) {
		arrives = s.serve(answer, r, body, resource)
	} else {
		s.usedUp(answer, resource)
	}
	if arrives == nothing {
		panic(http.ErrAbortHandler)
	}
	s.usual(answer.Header(), resource, s.bearer(r), answer.Body.Bytes())
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	text := answer.Body.Bytes()
	if arrives == half && len(text) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		text = text[:len(text)/2]
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(text)
	if arrives == half {
		panic(http.ErrAbortHandler)
	}
}

// part of an answer that arrives.
type part int

const (
	whole part = iota
	half
	nothing
)

func (s *Server) bearer(r *http.Request) *Token {
	return s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
}

// serve answers into w and reports how much of the answer arrives.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte, resource string) part {
	token := s.bearer(r)
	call := Call{Method: r.Method, Path: r.URL.Path}
	if token != nil {
		call.Login = token.Login
	}
	var answer func()
	write := r.Method != http.MethodGet
	if r.URL.Path == graphQLPath {
		q := s.parse(body)
		call.Operation, write = q.name, q.mutation
		answer = func() { s.query(w, r, token, q) }
	} else {
		route, params := s.match(r)
		if route == nil {
			s.t.Errorf("githubtest: no route for %s %s", r.Method, r.URL)
			s.refuse(w, http.StatusNotImplemented, "not part of this fake")
			return whole
		}
		call.Operation = route.target.Operation.OperationID
		answer = func() { s.rest(w, r, token, *route, params, body) }
	}
	s.calls = append(s.calls, call)
	fault, due := s.fault(call.Operation)
	if due && fault.When == Before {
		return s.fail(w, fault, resource)
	}
	if !due && s.badDay(w, write, resource) {
		return whole
	}
	if fs := s.interfere[call.Operation]; len(fs) > 0 {
		s.interfere[call.Operation] = fs[1:]
		s.mu.Unlock()
		fs[0]()
		s.mu.Lock()
	}
	if due && !fault.Cut {
		scratch := w
		w = httptest.NewRecorder() // the answer that gets lost
		answer()
		w = scratch
		return s.fail(w, fault, resource)
	}
	answer()
	if due {
		return half
	}
	return whole
}

// fail answers as a fault does.
func (s *Server) fail(w http.ResponseWriter, f Fault, resource string) part {
	s.dead = f.Dead
	switch {
	case f.Limit == Secondary:
		w.Header().Set("Retry-After", "7")
		s.rateLimited(w, resource, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
	case f.Limit == Primary:
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(s.clock().Add(20*time.Second).Unix(), 10))
		s.rateLimited(w, resource, "API rate limit exceeded for installation ID 1.")
	case f.Limit == Overdue:
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(s.clock().Add(-time.Hour).Unix(), 10))
		s.rateLimited(w, resource, "API rate limit exceeded for installation ID 1.")
	case f.Status != 0:
		s.refuse(w, f.Status, http.StatusText(f.Status))
	default:
		return nothing
	}
	return whole
}

func (s *Server) match(r *http.Request) (*route, map[string]string) {
	path := r.URL.EscapedPath()
	for i := range s.routes {
		route := &s.routes[i]
		found := route.pattern.FindStringSubmatch(path)
		if found == nil || route.method != r.Method {
			continue
		}
		params := map[string]string{"owner": s.Owner, "repo": s.Name}
		for j, name := range route.names {
			value, err := url.PathUnescape(found[j+1])
			if err != nil {
				return nil, nil
			}
			params[name] = value
		}
		return route, params
	}
	return nil, nil
}

// rest validates a request, lets its handler answer, completes the answer and
// validates that.
func (s *Server) rest(w http.ResponseWriter, r *http.Request, token *Token, route route, params map[string]string, body []byte) {
	operation := route.target.Operation.OperationID
	r.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route.target, Options: &openapi3filter.Options{SkipSettingDefaults: true}}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		s.t.Errorf("githubtest: %s: the request does not fit GitHub's description: %v\n%s", operation, err, body)
	}
	if refused := s.forbidden(w, operation, token, r.Header.Get("Authorization") != ""); refused {
		return
	}
	req := request{Request: r, params: params, token: token, header: w.Header()}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &req.body); err != nil {
			s.refuse(w, http.StatusBadRequest, "Problems parsing JSON")
			return
		}
	}
	status, value := route.handle(s, req)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	described := route.target.Operation.Responses.Status(status)
	var text []byte
	if described != nil && len(described.Value.Content) > 0 {
		text = marshal(fill(described.Value.Content["application/json"].Schema, value, true))
	} else if value != nil {
		text = marshal(value)
	}
	if described == nil && status < 400 {
		s.t.Errorf("githubtest: %s: GitHub's description knows no answer %d", operation, status)
	}
	if described != nil {
		output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: status, Header: w.Header(), Options: &openapi3filter.Options{MultiError: true}}
		if err := openapi3filter.ValidateResponse(r.Context(), output.SetBodyBytes(text)); err != nil {
			s.t.Errorf("githubtest: %s: the answer does not fit GitHub's description: %v", operation, err)
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// refuse writes an error in GitHub's form.
func (s *Server) refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(marshal(object{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)}))
}

func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("githubtest: %v", err))
	}
	return text
}

// page cuts the part that a request asks for out of items and links the rest.
func page[T any](s *Server, r request, items []T) []T {
	query := r.URL.Query()
	size, number := 30, 1
	if n, err := strconv.Atoi(query.Get("per_page")); err == nil {
		size = n
	}
	size = min(size, s.Behaviour.PageSize, 100)
	if n, err := strconv.Atoi(query.Get("page")); err == nil {
		number = max(n, 1)
	}
	from, to := min((number-1)*size, len(items)), min(number*size, len(items))
	var links []string
	link := func(to int, rel string) {
		query.Set("page", strconv.Itoa(to))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, s.http.URL, r.URL.EscapedPath(), query.Encode(), rel))
	}
	last := max((len(items)+size-1)/size, 1)
	if number > 1 {
		link(number-1, "prev")
	}
	if number < last {
		link(number+1, "next")
		link(last, "last")
	}
	if number > 1 {
		link(1, "first")
	}
	if len(links) > 0 {
		r.header.Set("Link", strings.Join(links, ", "))
	}
	return items[from:to]
}
