package githubtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
)

// recorder is a test that notes its failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func call(t *testing.T, token, method, url string, body any) (int, http.Header, map[string]any) {
	t.Helper()
	var text []byte
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		require.NoError(t, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(text))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var out map[string]any
	if bytes.HasPrefix(answer, []byte("{")) {
		require.NoError(t, json.Unmarshal(answer, &out))
	}
	return resp.StatusCode, resp.Header, out
}

type m = map[string]any

// Every operation answers, and its answer fits GitHub's description: the
// server itself fails the test otherwise.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, map[string]string{"a/b.txt": "x\n"})
	s.Behaviour = githubtest.Calm()
	token := s.Actions()
	api := s.URL + "repos/acme/flights"
	base := s.Branch("main")
	s.Push("feature/x", "change", map[string]string{"a/b.txt": "y\n"})
	for _, tt := range []struct {
		method, path string
		body         any
		status       int
	}{
		{"GET", "", nil, 200},
		{"GET", "/branches/feature%2Fx", nil, 200},
		{"GET", "/branches/none", nil, 404},
		{"GET", "/commits/main", nil, 200},
		{"GET", "/compare/main...feature/x", nil, 200},
		{"GET", "/git/ref/heads/feature/x", nil, 200},
		{"GET", "/git/matching-refs/heads/feat", nil, 200},
		{"GET", "/git/commits/" + base, nil, 200},
		{"GET", "/rules/branches/main", nil, 200},
		{"POST", "/git/blobs", m{"content": "eA==", "encoding": "base64"}, 201},
		{"POST", "/git/trees", m{"tree": []m{{"path": "n", "mode": "100644", "type": "blob", "content": "x"}}}, 201},
		{"POST", "/pulls", m{"title": "t", "head": "feature/x", "base": "main"}, 201},
		{"POST", "/pulls", m{"title": "t", "head": "feature/x", "base": "main"}, 422},
		{"POST", "/pulls", m{"title": "t", "head": "main", "base": "main"}, 422},
		{"GET", "/pulls?head=acme:feature/x&state=open", nil, 200},
		{"GET", "/pulls/1", nil, 200},
		{"PATCH", "/pulls/1", m{"title": "u"}, 200},
		{"POST", "/pulls/1/requested_reviewers", m{"reviewers": []string{"ada"}}, 201},
		{"POST", "/issues/1/labels", m{"labels": []string{"model"}}, 200},
		{"POST", "/issues/1/comments", m{"body": "hello"}, 201},
		{"POST", "/issues/1/comments", m{"body": strings.Repeat("x", 65537)}, 422},
		{"GET", "/issues/1/comments", nil, 200},
		{"PATCH", "/issues/comments/1001", m{"body": "bye"}, 200},
		{"DELETE", "/issues/comments/1001", nil, 204},
		{"POST", "/issues", m{"title": "out of sync", "labels": []string{"dosirak"}}, 201},
		{"GET", "/issues?labels=dosirak", nil, 200},
		{"GET", "/issues/2", nil, 200},
		{"PATCH", "/issues/2", m{"state": "closed"}, 200},
		{"POST", "/issues/2/comments", m{"body": "hello"}, 201},
		{"POST", "/statuses/" + base, m{"state": "success", "context": "dosirak/m/e"}, 201},
		{"GET", "/commits/" + base + "/status", nil, 200},
		{"GET", "/contents/a/b.txt?ref=" + base, nil, 200},
		{"GET", "/contents/a?ref=" + base, nil, 200},
		{"GET", "/contents/none?ref=" + base, nil, 404},
		{"GET", "/git/blobs/587be6b4c3f93f93c489c0111bba5596147a26cb", nil, 200},
		{"GET", "/git/blobs/" + strings.Repeat("0", 40), nil, 404},
		{"POST", "/deployments", m{"ref": base, "environment": "m/e", "required_contexts": []string{}}, 201},
		{"POST", "/deployments", m{"ref": base, "environment": "m/e"}, 409},
		{"POST", "/deployments", m{"ref": "none", "environment": "m/e", "required_contexts": []string{}}, 422},
		{"GET", "/deployments?environment=m/e", nil, 200},
		{"POST", "/deployments/1003/statuses", m{"state": "success"}, 201},
		{"GET", "/deployments/1003/statuses", nil, 200},
		{"GET", "/labels", nil, 200},
		{"GET", "/actions/secrets", nil, 403},
		{"GET", "/actions/runners", nil, 403},
		{"GET", "/actions/permissions/workflow", nil, 403},
	} {
		status, _, _ := call(t, token, tt.method, api+tt.path, tt.body)
		assert.Equal(t, tt.status, status, "%s %s", tt.method, tt.path)
	}
	text, err := exec.Command("git", "clone", "--quiet", s.Dir, t.TempDir()).CombinedOutput()
	require.NoError(t, err, "%s", text)
	text, err = exec.Command("git", "--git-dir="+s.Dir, "fsck", "--strict").CombinedOutput()
	require.NoError(t, err, "%s", text)
}

func TestWhatFailsTheTest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(t *testing.T, s *githubtest.Server, api string)
		says string
	}{
		"an unknown call": {func(t *testing.T, s *githubtest.Server, api string) { call(t, s.Actions(), "GET", api+"/keys", nil) }, "no route for GET"},
		"an address without the base path": {func(t *testing.T, s *githubtest.Server, _ string) {
			call(t, s.Actions(), "GET", strings.TrimSuffix(s.URL, "api/v3/")+"repos/acme/flights", nil)
		}, "no route for GET"},
		"a pull request without base": {func(t *testing.T, s *githubtest.Server, api string) {
			call(t, s.Actions(), "POST", api+"/pulls", m{"title": "t", "head": "x"})
		}, `property "base" is missing`},
		"a filter of a wrong value": {func(t *testing.T, s *githubtest.Server, api string) {
			call(t, s.Actions(), "GET", api+"/pulls?state=bogus", nil)
		}, `"state" in query`},
		"a field that GraphQL does not know": {func(t *testing.T, s *githubtest.Server, _ string) {
			call(t, s.Actions(), "POST", strings.Replace(s.URL, "/v3/", "/graphql", 1), m{"query": "{ viewer { nickname } }"})
		}, "nickname"},
		"a planned fault that never comes": {func(_ *testing.T, s *githubtest.Server, _ string) {
			s.FailNext("pulls/create", githubtest.Fault{})
		}, "never come about"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			s := githubtest.New(r, map[string]string{"a": "x"})
			s.Behaviour = githubtest.Calm()
			tt.do(t, s, s.URL+"repos/acme/flights")
			r.end()
			require.NotEmpty(t, r.failures)
			assert.Contains(t, strings.Join(r.failures, "\n"), tt.says)
		})
	}
}

func TestHostileByDefault(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, map[string]string{"a": "x"})
	token := s.Actions()
	for _, name := range []string{"b1", "b2", "b3"} {
		s.Push(name, "change", map[string]string{"a": name})
	}
	seen := map[int]int{}
	for range 40 {
		status, header, _ := call(t, token, "GET", s.URL+"repos/acme/flights/git/matching-refs/heads/b", nil)
		seen[status]++
		if status == 200 {
			assert.Contains(t, header.Get("Link"), `rel="next"`, "pages of two")
		}
		status, header, _ = call(t, token, "POST", s.URL+"repos/acme/flights/git/blobs", m{"content": "x"})
		if status == 403 {
			assert.True(t, header.Get("Retry-After") != "" || header.Get("X-RateLimit-Remaining") == "0")
			seen[status]++
		}
	}
	for _, status := range []int{200, 403, 502} {
		assert.NotZero(t, seen[status], "%d", status)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, map[string]string{"a": "x"})
	s.Behaviour = githubtest.Calm()
	api := s.URL + "repos/acme/flights"
	reader := s.Token(githubtest.Installation, githubtest.Bot, "contents=read")
	status, header, body := call(t, reader, "POST", api+"/git/blobs", m{"content": "x"})
	assert.Equal(t, 403, status)
	assert.Equal(t, "contents=write", header.Get("X-Accepted-GitHub-Permissions"))
	assert.Equal(t, "Resource not accessible by integration", body["message"])
	status, _, _ = call(t, "", "POST", api+"/git/blobs", m{"content": "x"})
	assert.Equal(t, 401, status)
	status, _, _ = call(t, "wrong", "GET", api+"/branches/main", nil)
	assert.Equal(t, 401, status)
	s.Private = true
	status, _, _ = call(t, "", "GET", api, nil)
	assert.Equal(t, 404, status)
}
