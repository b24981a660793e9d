package v2client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// echo answers an inference with its inputs.
func echo(t *testing.T) *Client {
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
	return New(web.URL + "/")
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

func TestMetadata(t *testing.T) {
	t.Parallel()
	m, err := echo(t).Metadata(t.Context(), "a b")
	require.NoError(t, err)
	assert.Equal(t, "sha256:1", m.Bundle())
	s, err := m.Signature()
	require.NoError(t, err)
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
		_, err := New(web.URL).Infer(t.Context(), "m", nil)
		web.Close()
		require.ErrorContains(t, err, c.err)
		assert.ErrorContains(t, err, web.URL)
		assert.Equal(t, c.code, fault.ExitCode(err), c.err)
		assert.NotContains(t, err.Error(), "elsewhere")
	}
	_, err := New("http://127.0.0.1:1").Metadata(t.Context(), "m")
	assert.ErrorContains(t, err, "calling http://127.0.0.1:1/v2/models/m: dial tcp")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	_, err = New("http://%zz").Metadata(t.Context(), "m")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestWaitReady(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/health/ready" || asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer web.Close()
	require.NoError(t, New(web.URL).WaitReady(t.Context()))
	assert.EqualValues(t, 3, asked.Load())

	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err := New(web.URL + "/not-here").WaitReady(short)
	assert.ErrorContains(t, err, "time is over; last:")
	assert.ErrorContains(t, err, "503")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))

	stopped, stop := context.WithCancel(t.Context())
	stop()
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(New(web.URL).WaitReady(stopped)))
}

func TestRaw(t *testing.T) {
	t.Parallel()
	r, err := echo(t).Raw(t.Context(), "POST", "/v2/models/m/infer", http.Header{"X-Test": {"1"}}, []byte("{"))
	require.NoError(t, err)
	assert.Equal(t, 400, r.Status)
	assert.Contains(t, string(r.Body), `"error"`)
}
