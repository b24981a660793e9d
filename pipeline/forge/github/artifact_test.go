package github_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/artifact"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
)

const run = 7

func reader(s *githubtest.Server) string {
	return s.Token(githubtest.Installation, githubtest.Bot, "contents=read", "actions=read")
}

// On GitHub's worst day: pages of two, limits, 502s; and the storage, another
// host, never sees the token.
func TestArtifacts(t *testing.T) {
	t.Parallel()
	s := server(t)
	var want []string
	for _, c := range []string{"a", "b", "c", "d", "e"} {
		s.LeaveArtifact(githubtest.Artifact{Run: run, Commit: "c0ffee", Name: c, Archive: []byte("PK" + c)})
		want = append(want, c)
	}
	s.LeaveArtifact(githubtest.Artifact{Run: 8, Name: "of another run"})
	f := connect(t, s, reader(s))
	listed, err := f.Artifacts(t.Context(), run)
	require.NoError(t, err)
	var got []string
	for _, a := range listed {
		got = append(got, a.Name)
		assert.Equal(t, artifact.Run{ID: run, Commit: "c0ffee"}, a.Run)
		assert.EqualValues(t, 3, a.Size)
		var b bytes.Buffer
		require.NoError(t, f.Download(t.Context(), a, &b, 3))
		assert.Equal(t, "PK"+a.Name, b.String())
	}
	assert.Equal(t, want, got)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestArtifactsThatAreRefused(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/endless":
			for range 100 {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		case "/cut":
			w.Header().Set("Content-Length", "90")
			_, _ = w.Write([]byte("PK"))
		case "/down":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/out":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(elsewhere.Close)
	at := func(path string) func(*githubtest.Artifact) {
		return func(a *githubtest.Artifact) { a.Location, a.Digest = elsewhere.URL+path, "none" }
	}
	for _, tt := range []struct {
		name   string
		change func(a *githubtest.Artifact)
		into   io.Writer
		code   int
		says   string
	}{
		{"expired meanwhile", func(a *githubtest.Artifact) { a.Gone = true }, nil, fault.CodeUsage, "run all jobs of that run again"},
		{"larger than is read", func(a *githubtest.Artifact) { a.Archive = make([]byte, 101) }, nil, fault.CodeUsage, "101 bytes, at most 100"},
		{"larger than is said", func(a *githubtest.Artifact) { a.Archive, a.SizeSaid = make([]byte, 101), 3 }, nil, fault.CodeUsage, "101 bytes, at most 100"},
		{"without an end", at("/endless"), nil, fault.CodeUsage, "more than 100 bytes"},
		{"another digest", func(a *githubtest.Artifact) { a.Digest = "sha256:00" }, nil, fault.CodeUsage, "GitHub's list says sha256:00"},
		{"cut", at("/cut"), nil, fault.CodeEnvironment, "run again"},
		{"storage down", at("/down"), nil, fault.CodeEnvironment, "503"},
		{"address too old", at("/?sig=secret"), nil, fault.CodeEnvironment, "403"},
		{"redirects without an end", at("/round"), nil, fault.CodeEnvironment, "no address"},
		{"a redirect to a file", at("/out"), nil, fault.CodeEnvironment, "no address"},
		{"a file", func(a *githubtest.Artifact) { a.Location = "file:///etc/passwd" }, nil, fault.CodeUsage, "no address"},
		{"no host", func(a *githubtest.Artifact) { a.Location = "https:///x" }, nil, fault.CodeUsage, "no address"},
		{"no archive", func(a *githubtest.Artifact) { a.Location = "mailto:x" }, nil, fault.CodeUsage, "no address"},
		{"a full disk", nil, full{}, fault.CodeEnvironment, "no space left"},
	} {
		s := server(t)
		s.Behaviour = githubtest.Calm()
		given := githubtest.Artifact{Run: run, Commit: "c0ffee", Name: "x", Archive: []byte("PK")}
		if tt.change != nil {
			tt.change(&given)
		}
		s.LeaveArtifact(given)
		f := connect(t, s, reader(s))
		listed, err := f.Artifacts(t.Context(), run)
		require.NoError(t, err)
		require.Len(t, listed, 1)
		var b bytes.Buffer
		into := tt.into
		if into == nil {
			into = &b
		}
		err = f.Download(t.Context(), listed[0], into, 100)
		require.Error(t, err, tt.name)
		assert.Contains(t, err.Error(), tt.says, tt.name)
		assert.Equal(t, tt.code, fault.ExitCode(err), "%s: %v", tt.name, err)
		assert.NotContains(t, err.Error(), "secret", tt.name)
		assert.LessOrEqual(t, b.Len(), 101, tt.name)
	}
}

// A download that is cut goes on where it ended.
func TestArtifactsThatAreCut(t *testing.T) {
	t.Parallel()
	archive := []byte("PK\x03\x04 and so on to the end")
	for name, kept := range map[string][]int{"once": {10}, "again and again": {0, 3, 2, 25}} {
		asked := 0
		storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Content-Length", strconv.Itoa(len(archive)))
			if asked <= len(kept) {
				_, _ = w.Write(archive[:kept[asked-1]])
				panic(http.ErrAbortHandler)
			}
			_, _ = w.Write(archive)
		}))
		s := server(t)
		s.Behaviour = githubtest.Calm()
		s.LeaveArtifact(githubtest.Artifact{Run: run, Name: "x", Archive: archive, Location: storage.URL + "/x"})
		f := connect(t, s, reader(s))
		listed, err := f.Artifacts(t.Context(), run)
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, f.Download(t.Context(), listed[0], &b, 100), name)
		assert.Equal(t, archive, b.Bytes(), name)
		assert.Equal(t, len(kept)+1, asked, name)
		storage.Close()
	}
}

// An API behind TLS sends nobody to an address without it.
func TestArtifactsStayBehindTLS(t *testing.T) {
	t.Parallel()
	calls := 0
	f, err := github.New(github.Options{API: "https://api.github.test", Repository: "acme/flights", Token: "t", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		calls++
		assert.Equal(t, "Bearer t", r.Header.Get("Authorization"))
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"http://storage.test/x"}}, Body: http.NoBody, Request: r}, nil
	})})
	require.NoError(t, err)
	err = f.Download(t.Context(), artifact.Artifact{ID: 1, Name: "x"}, io.Discard, 100)
	assert.ErrorContains(t, err, "no address")
	assert.Equal(t, 1, calls)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestArtifactsNeedAPermission(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Behaviour = githubtest.Calm()
	_, err := connect(t, s, s.Token(githubtest.Installation, githubtest.Bot, "contents=read")).Artifacts(t.Context(), run)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "`actions: read`")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	left := s.LeaveArtifact(githubtest.Artifact{Run: run, Name: "x"})
	err = connect(t, s, s.Token(githubtest.Installation, githubtest.Bot, "contents=read")).Download(t.Context(), artifact.Artifact{ID: int64(left.ID)}, io.Discard, 1)
	require.Error(t, err)
	assert.True(t, strings.Contains(err.Error(), "`actions: read`"), err.Error())
}
