package serving

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// echo answers an inference with its inputs.
func echo(t *testing.T) Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/models/a%20b", func(w http.ResponseWriter, _ *http.Request) {
		inputs, outputs := v2.DescribeModel(bundle.Signature{
			Inputs:  []bundle.TensorSpec{{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 2}}},
			Outputs: []bundle.TensorSpec{{Name: "p", Datatype: tensor.FP32, Shape: []int64{-1, 2}, Role: bundle.RoleProbabilities, Classes: []string{"no", "yes"}}},
		})
		_ = json.NewEncoder(w).Encode(v2.ModelMetadata{Name: "a b", Inputs: inputs, Outputs: outputs, Parameters: v2.Parameters{v2.ParameterBundle: "sha256:1"}})
	})
	mux.HandleFunc("POST /v2/models/{model}/infer", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		request, err := v2.DecodeRequest(body, v2.Limits{})
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(v2.ErrorBody{Error: err.Error()})
			return
		}
		answer, err := v2.AppendResponse(nil, &v2.Response{Model: r.PathValue("model"), Outputs: request.Inputs})
		if assert.NoError(t, err) {
			_, _ = w.Write(answer)
		}
	})
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	return dial(t, web.URL+"/")
}

func TestInfer(t *testing.T) {
	t.Parallel()
	c := echo(t)
	want := []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{0.1, -3}}}
	got, err := c.Infer(t.Context(), "m", want)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	_, err = c.Infer(t.Context(), "m", []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{3}}})
	assert.ErrorContains(t, err, "its shape [3] needs 3")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	m, err := echo(t).Describe(t.Context(), "a b")
	require.NoError(t, err)
	assert.Equal(t, "a b", m.Name)
	assert.Equal(t, "sha256:1", m.Bundle)
	s := m.Signature
	assert.Equal(t, []string{"no", "yes"}, s.Outputs[0].Classes)
	assert.Equal(t, bundle.RoleProbabilities, s.Outputs[0].Role)
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		err    string
		code   int
	}{
		{400, `{"error":"input \"x\" is missing"}`, `/v2/models/m/infer answered 400: input "x" is missing`, fault.CodeUsage},
		{404, "<html>", `answered 404: "<html>"`, fault.CodeUsage},
		{302, "", "answered 302: (no text)", fault.CodeUsage},
		{500, `{"error":"the model failed"}`, "answered 500", fault.CodeFailed},
		{503, `{"error":"not ready"}`, "answered 503", fault.CodeEnvironment},
		{200, "{}", `reading the answer of`, fault.CodeFailed},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		_, err := dial(t, web.URL).Infer(t.Context(), "m", nil)
		web.Close()
		require.ErrorContains(t, err, c.err)
		assert.ErrorContains(t, err, web.URL)
		assert.Equal(t, c.code, fault.ExitCode(err), c.err)
		assert.NotContains(t, err.Error(), "elsewhere")
	}
	_, err := dial(t, "http://127.0.0.1:1").Describe(t.Context(), "m")
	assert.ErrorContains(t, err, "calling http://127.0.0.1:1/v2/models/m: dial tcp")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	_, err = dial(t, "http://%zz").Describe(t.Context(), "m")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestReady(t *testing.T) {
	t.Parallel()
	ready := false
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/health/ready" || !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer web.Close()
	c := dial(t, web.URL)
	err := c.Ready(t.Context())
	require.ErrorContains(t, err, "503")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	ready = true
	require.NoError(t, c.Ready(t.Context()))

	stopped, stop := context.WithCancel(t.Context())
	stop()
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(c.Ready(stopped)))
}

// A request in two halves is one request to the server.
func TestHalves(t *testing.T) {
	t.Parallel()
	want := []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{0.1, -3}}}
	call, err := echo(t).Prepare("m", want)
	require.NoError(t, err)
	require.NoError(t, call.Send(t.Context()))
	half, err := call.Begin(t.Context())
	require.NoError(t, err)
	got, err := half.Finish()
	require.NoError(t, err)
	assert.Equal(t, want, got)
	require.NoError(t, half.Close())
}

func TestBadInputs(t *testing.T) {
	t.Parallel()
	good := []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 1}, F32: []float32{1}}}
	for answer, want := range map[string]string{
		`400 {"error":"no"}`:                  "",
		`400 no`:                              "without an error object",
		`400 {"error":"panic: index"}`:        "the server's insides",
		`500 {"error":"no"}`:                  "not a 4xx",
		`200 {"model_name":"m","outputs":[]}`: "not a 4xx",
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			status, body, _ := strings.Cut(answer, " ")
			code, err := strconv.Atoi(status)
			assert.NoError(t, err)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}))
		list, err := dial(t, web.URL).BadInputs("m", good, true)
		require.NoError(t, err)
		assert.Len(t, list, 15)
		for _, bad := range list {
			err := bad.Send(t.Context())
			if want == "" {
				assert.NoError(t, err, bad.Name)
				continue
			}
			assert.ErrorContains(t, err, want, bad.Name)
		}
		web.Close()
	}
	_, err := echo(t).BadInputs("m", nil, true)
	assert.Error(t, err)
}

func TestDial(t *testing.T) {
	t.Parallel()
	_, err := Dial("http://127.0.0.1:1", "v3")
	assert.ErrorContains(t, err, `the protocol "v3" is none of [v2]`)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func dial(t *testing.T, url string) Client {
	t.Helper()
	c, err := Dial(url, V2)
	require.NoError(t, err)
	return c
}
