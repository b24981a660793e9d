package reconcile

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http://127.0.0.1:8080": "http://127.0.0.1:8080", "https://models.example.org/": "https://models.example.org",
		"https://models.example.org/flights/": "https://models.example.org/flights", "http://[::1]:8080": "http://[::1]:8080",
		"https://models.example.org/a`b": "https://models.example.org/a%60b",
	} {
		got, err := ParseAddress(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "models.example.org", "ftp://x", "http://user:secret@x", "http://x?q", "http://x#f", "http://<b>", "http://\u202ex", "http://x y", "http://"} {
		_, err := ParseAddress(text)
		require.ErrorContains(t, err, "--endpoint", text)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		assert.NotContains(t, err.Error(), "\u202e")
	}
}

// sealed is a bundle whose model doubles its input.
func sealed(t *testing.T, golden bool) *bundle.Opened {
	t.Helper()
	x, err := bundle.FromTensor(&tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{2, 1}, F32: []float32{1, 2}})
	require.NoError(t, err)
	y, err := bundle.FromTensor(&tensor.Tensor{Name: "y", Datatype: tensor.FP32, Shape: []int64{2, 1}, F32: []float32{2, 4}})
	require.NoError(t, err)
	var g bundle.Golden
	if golden {
		g = bundle.Golden{Inputs: []bundle.Values{x}, Outputs: []bundle.Values{y}}
	}
	dir := t.TempDir() + "/bundle"
	_, err = bundle.Write(dir, bundle.Bundle{
		Model: bundle.Model{Name: "m", Format: "onnx", File: "model.onnx"},
		Signature: bundle.Signature{
			Inputs:  []bundle.TensorSpec{{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 1}}},
			Outputs: []bundle.TensorSpec{{Name: "y", Datatype: tensor.FP32, Shape: []int64{-1, 1}, Role: bundle.RoleValue}},
		},
	}, []byte("weights"), g)
	require.NoError(t, err)
	opened, err := bundle.Open(dir)
	require.NoError(t, err)
	return opened
}

func TestAsk(t *testing.T) {
	t.Parallel()
	const right, wrong = `{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2,1],"data":[2,4]}]}`, `{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2,1],"data":[2,5]}]}`
	tells := func(digest string) string {
		return fmt.Sprintf(`{"name":"m","platform":"x","inputs":[],"outputs":[],"parameters":{"bundle_digest":%q}}`, digest)
	}
	const silent = `{"name":"m","platform":"x","inputs":[],"outputs":[]}`
	want := sealed(t, true)
	for _, tt := range []struct {
		name              string
		metadata, infer   string
		status, inferring int
		state             State
		says              string
	}{
		{"as it should be", tells(want.Digest), right, 200, 200, InSync, "it serves the bundle and gives its golden answers"},
		{"another bundle", tells(digest("c")), right, 200, 200, OutOfSync, digest("c")},
		{"a digest that is none", tells("@everyone <b>"), right, 200, 200, OutOfSync, "the digest that it tells is none"},
		{"right digest, wrong answers", tells(want.Digest), wrong, 200, 200, OutOfSync, "1 values of its golden answers are wrong"},
		{"a server of another make", silent, right, 200, 200, InSync, "it tells no digest and gives its golden answers"},
		{"another make, wrong answers", silent, wrong, 200, 200, OutOfSync, "wrong"},
		{"without the model", `{"error":"no such model"}`, "", 404, 0, OutOfSync, "does not serve the model"},
		{"behind a login", "", "", 401, 0, Unknown, "credentials"},
		{"a redirect", "", "", 302, 0, Unknown, "302"},
		{"overloaded", "", "", 503, 0, Unknown, "503"},
		{"no V2 server", "<html>", "", 200, 0, OutOfSync, "not the Open Inference Protocol"},
		{"inference fails", tells(want.Digest), "", 200, 500, Unknown, "500"},
		{"inference refuses", tells(want.Digest), "", 200, 400, OutOfSync, "400"},
		{"inference answers nonsense", tells(want.Digest), "<html>", 200, 200, OutOfSync, "not the Open Inference Protocol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.HandleFunc("GET /base/v2/models/m", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.metadata))
			})
			mux.HandleFunc("POST /base/v2/models/m/infer", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.inferring)
				_, _ = w.Write([]byte(tt.infer))
			})
			s := httptest.NewServer(mux)
			t.Cleanup(s.Close)
			got, err := Ask(t.Context(), s.URL+"/base", "m", want)
			require.NoError(t, err)
			assert.Equal(t, tt.state, got.State, got.Detail)
			assert.Contains(t, got.Detail, tt.says)
			assert.NotContains(t, got.Detail, "<", "nothing that the server said")
		})
	}
}

func TestAskWithoutServerOrExamples(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	got, err := Ask(t.Context(), "http://"+address, "m", sealed(t, true))
	require.NoError(t, err)
	assert.Equal(t, Unknown, got.State)

	bare := sealed(t, false)
	for text, state := range map[string]State{
		fmt.Sprintf(`{"name":"m","platform":"x","inputs":[],"outputs":[],"parameters":{"bundle_digest":%q}}`, bare.Digest): InSync,
		`{"name":"m","platform":"x","inputs":[],"outputs":[]}`:                                                             Unknown,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
		t.Cleanup(s.Close)
		got, err := Ask(t.Context(), s.URL, "m", bare)
		require.NoError(t, err)
		assert.Equal(t, state, got.State)
	}
}
