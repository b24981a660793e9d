package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
)

const goodBody = `{"id":"7","inputs":[{"name":"name","datatype":"BYTES","shape":[1,1],"data":["a"]},{"name":"x","datatype":"FP32","shape":[1,2],"data":[[1,2]]}]}`

func TestHTTP(t *testing.T) {
	t.Parallel()
	dir := sealed(t, &fake{})
	s, err := Open(t.Context(), dir, Options{Load: loads(&fake{}), Name: "m", Release: "v1.2.3"})
	require.NoError(t, err)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	model := `"name":"m","versions":["1"],"platform":"onnx_onnxv1","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]},{"name":"name","datatype":"BYTES","shape":[-1,1]}],"outputs":[{"name":"label","datatype":"INT64","shape":[-1],"parameters":{"role":"label"}},{"name":"p","datatype":"FP32","shape":[-1,2],"parameters":{"classes":"[\"0\",\"1\"]","role":"probabilities"}}],"parameters":{"bundle_digest":"` + s.Digest() + `","engine":"fake"}`
	answer := `{"model_name":"m","model_version":"1","id":"7","outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[1]},{"name":"p","datatype":"FP32","shape":[1,2],"data":[0.625,0.375]}]}`
	for _, c := range []struct {
		method, path, body string
		header             string
		status             int
		want               string
	}{
		{"GET", "/livez", "", "", 200, `{"live":true}`},
		{"GET", "/readyz", "", "", 200, `{"ready":true}`},
		{"GET", "/v2/health/live", "", "", 200, `{"live":true}`},
		{"GET", "/v2/health/ready", "", "", 200, `{"ready":true}`},
		{"GET", "/v2", "", "", 200, `{"name":"dosirak-model-server","version":"v1.2.3","extensions":[]}`},
		{"GET", "/v2/", "", "", 200, `{"name":"dosirak-model-server","version":"v1.2.3","extensions":[]}`},
		{"GET", "/v2/models/m", "", "", 200, "{" + model + "}"},
		{"GET", "/v2/models/%6d", "", "", 200, "{" + model + "}"},
		{"GET", "/v2/models/m/versions/1", "", "", 200, "{" + model + "}"},
		{"GET", "/v2/models/m/ready", "", "", 200, `{"name":"m","ready":true}`},
		{"GET", "/v2/models/m/versions/1/ready", "", "", 200, `{"name":"m","ready":true}`},
		{"POST", "/v2/models/m/infer", goodBody, "", 200, answer},
		{"POST", "/v2/models/m/versions/1/infer", goodBody, "", 200, answer},
		{"POST", "/v2/models/m/infer", goodBody, "Content-Encoding: identity", 200, answer},
		{"POST", "/v2/models/m/infer", goodBody, fmt.Sprint("Inference-Header-Content-Length: ", len(goodBody)), 200, answer},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, `"id":"7"`, `"outputs":[{"name":"label"}]`, 1), "", 200, `{"model_name":"m","model_version":"1","outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[1]}]}`},

		{"GET", "/", "", "", 404, "there is nothing at this path; the model is at /v2/models/m"},
		{"GET", "/v2/models", "", "", 404, "nothing at this path"},
		{"GET", "/v2/models/m/config", "", "", 404, "nothing at this path"},
		{"GET", "/v2/models/m/../m", "", "", 404, "nothing at this path"},
		{"GET", "/v2/models/n", "", "", 404, `the model is \"m\"`},
		{"GET", "/v2/models/..%2fm", "", "", 404, `the model is \"m\"`},
		{"GET", "/v2/models/m/versions/2/ready", "", "", 404, `the model \"m\" has the version 1 only`},
		{"POST", "/v2/models/n/infer", goodBody, "", 404, `the model is \"m\"`},
		{"POST", "/v2/models/m", goodBody, "", 405, "use GET here"},
		{"GET", "/v2/models/m/infer", "", "", 405, "use POST here"},
		{"DELETE", "/v2/models/m", "", "", 405, "use GET here"},
		{"POST", "/v2/models/m/infer", "", "", 400, "the body is not valid JSON"},
		{"POST", "/v2/models/m/infer", "{}", "", 400, `the request has no \"inputs\"`},
		{"POST", "/v2/models/m/infer", `{"inputs":[]}`, "", 400, `input \"x\" is missing; expected FP32 with shape [N, 2]`},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, `"id":"7"`, `"outputs":[{"name":"q"}]`, 1), "", 400, `output \"q\" is unknown; the model's outputs are \"label\" INT64 [N], \"p\" FP32 [N, 2]`},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, `"id":"7"`, `"outputs":[{"name":"p"},{"name":"p"}]`, 1), "", 400, `output \"p\" is asked for twice`},
		{"POST", "/v2/models/m/infer", goodBody, "Content-Encoding: gzip", 415, "compressed bodies"},
		{"POST", "/v2/models/m/infer", goodBody, "Inference-Header-Content-Length: 12", 400, "binary_data=False"},
		{"POST", "/v2/models/m/infer", goodBody, "Inference-Header-Content-Length: x", 400, "binary_data=False"},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, "[[1,2]]", "[400,0]", 1), "", 400, `does not take a value of this request: \"a\" is a category`},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, "[[1,2]]", "[500,0]", 1), "", 500, `"the model failed on this request"`},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, "[[1,2]]", "[413,0]", 1), "", 413, "the model needs more than this server gives for this request; send fewer rows at a time"},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, `"shape":[1,1]`, `"shape":[1]`, 1), "", 200, answer},
		{"POST", "/v2/models/m/infer", strings.Replace(goodBody, "[[1,2]]", "[666,0]", 1), "", 500, "the model failed on this request"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequest(c.method, web.URL+c.path, strings.NewReader(c.body))
			require.NoError(t, err)
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				request.Header.Set(name, value)
			}
			response, err := web.Client().Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, c.status, response.StatusCode, "%s", body)
			assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
			if c.status == 200 {
				assert.Equal(t, c.want, string(body))
				return
			}
			assert.Contains(t, string(body), c.want)
			assert.NotContains(t, string(body), "secret")
			var e map[string]string
			require.NoError(t, json.Unmarshal(body, &e))
			assert.Len(t, e, 1, "an error is one object with one text")
			if c.status == 405 {
				assert.NotEmpty(t, response.Header.Get("Allow"))
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(openFake(t, &fake{}, Options{Limits: Limits{Body: 1000}}).Handler())
	t.Cleanup(web.Close)
	large := strings.Repeat(" ", 1001)
	for name, body := range map[string]io.Reader{
		"announced": strings.NewReader(large),
		"chunked":   io.MultiReader(strings.NewReader(large)), // of a length that the client does not know
	} {
		response, err := http.Post(web.URL+"/v2/models/m/infer", "application/json", body)
		require.NoError(t, err, name)
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode, name)
		assert.Contains(t, string(text), "more than 1000 bytes", name)
	}
}

// failing is a body that breaks off.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestBodyBreaksOff(t *testing.T) {
	t.Parallel()
	s := openFake(t, &fake{}, Options{})
	for status, err := range map[int]error{
		http.StatusRequestTimeout: &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		http.StatusBadRequest:     io.ErrUnexpectedEOF,
	} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/v2/models/m/infer", failing{err}))
		assert.Equal(t, status, w.Code)
	}
}

// The log says what happened, and nothing of what was asked.
func TestLogHoldsNoData(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := openFake(t, &fake{}, Options{Logger: logger})
	for _, first := range []string{"1", "666", "500", "400"} {
		body := strings.NewReader(strings.Replace(strings.Replace(goodBody, "[[1,2]]", "["+first+",4242]", 1), `["a"]`, `["private"]`, 1))
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/v2/models/m/infer", body))
		if w.Code == http.StatusInternalServerError {
			assert.Contains(t, w.Body.String(), "the model failed on this request; the server's log says why")
		}
	}
	s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PRIVATE", "/v2/models/private?private=4242", nil))
	text := log.String()
	assert.Contains(t, text, `"msg":"inference failed","engine":"fake","error":"secret reason"`)
	assert.Contains(t, text, `"msg":"the engine panicked"`)
	assert.Contains(t, text, `"route":"infer","status":200`)
	assert.NotContains(t, text, "private")
	assert.NotContains(t, text, "PRIVATE")
	assert.NotContains(t, text, "4242")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// What is in flight is answered, readiness turns false first, new connections
// are refused in the end.
func TestDrain(t *testing.T) {
	t.Parallel()
	f := &fake{Gate: make(chan struct{})}
	s := openFake(t, f, Options{DrainDelay: 200 * time.Millisecond})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()

	type result struct {
		status int
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		response, err := http.Post(url+"/v2/models/m/infer", "application/json", strings.NewReader(strings.Replace(goodBody, "[[1,2]]", "[7,0]", 1)))
		if err != nil {
			answered <- result{err: err}
			return
		}
		response.Body.Close()
		answered <- result{status: response.StatusCode}
	}()
	require.Eventually(t, func() bool { return f.Calls.Load() == 1 }, 10*time.Second, time.Millisecond)
	stop()
	require.Eventually(t, func() bool {
		response, err := http.Get(url + "/v2/health/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	}, 10*time.Second, time.Millisecond, "readiness turns false while requests are still taken")
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			connection.Close()
		}
		return err != nil
	}, 10*time.Second, 5*time.Millisecond, "the listener closes")
	close(f.Gate)
	got := <-answered
	require.NoError(t, got.err)
	assert.Equal(t, 200, got.status)
	assert.NoError(t, <-served)
}

// A connection in reserve, on which nothing was sent, does not hold up the end.
func TestDrainWithUnusedConnection(t *testing.T) {
	t.Parallel()
	s := openFake(t, &fake{}, Options{DrainTimeout: 2 * time.Second}) // less than http.Server waits
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	reserve, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer reserve.Close()
	response, err := http.Get("http://" + l.Addr().String() + "/livez") // accepted after the first
	require.NoError(t, err)
	response.Body.Close()
	stop()
	assert.NoError(t, <-served)
}

func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	f := &fake{Gate: make(chan struct{})}
	s := openFake(t, f, Options{DrainTimeout: 50 * time.Millisecond})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	go func() {
		response, err := http.Post("http://"+l.Addr().String()+"/v2/models/m/infer", "application/json", strings.NewReader(strings.Replace(goodBody, "[[1,2]]", "[7,0]", 1)))
		if err == nil {
			response.Body.Close()
		}
	}()
	require.Eventually(t, func() bool { return f.Calls.Load() == 1 }, 10*time.Second, time.Millisecond)
	stop()
	err = <-served
	var cut *CutOffError
	require.ErrorAs(t, err, &cut)
	assert.EqualValues(t, 1, cut.Requests)
	assert.Equal(t, ExitEnvironment, ExitCode(err))
}

func TestRun(t *testing.T) {
	t.Parallel()
	dir := sealed(t, &fake{})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	read, write := io.Pipe()
	f := &fake{}
	served := make(chan error, 1)
	go func() { served <- Run(ctx, dir, "127.0.0.1:0", Options{Load: loads(f)}, write) }()
	var url, model, engine, digest string
	_, err := fmt.Fscanf(read, "ready %s model=%s engine=%s bundle=%s\n", &url, &model, &engine, &digest)
	require.NoError(t, err)
	assert.Equal(t, []string{"sealed", "fake"}, []string{model, engine})
	response, err := http.Get(url + "/readyz")
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 200, response.StatusCode)

	err = Run(ctx, dir, strings.TrimPrefix(url, "http://"), Options{Load: loads(&fake{})}, io.Discard)
	assert.ErrorContains(t, err, "choose another address")
	assert.Equal(t, ExitEnvironment, ExitCode(err))

	stop()
	assert.NoError(t, <-served)
	assert.True(t, f.Closed.Load())
}

func BenchmarkInferHTTP(b *testing.B) {
	for _, n := range []int{1, 1024} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := openFake(b, &fake{}, Options{})
			body, err := v2.AppendRequest(nil, &v2.Request{Inputs: rows(n)})
			require.NoError(b, err)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/v2/models/m/infer", bytes.NewReader(body)))
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
