package evaluate

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// model is a server of the model "m" that answers what a function says.
type model struct {
	signature bundle.Signature
	infer     func(inputs map[string]tensor.Tensor, rows int) []tensor.Tensor
}

func (m model) serve(t testing.TB) serving.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/models/m", func(w http.ResponseWriter, _ *http.Request) {
		inputs, outputs := v2.DescribeModel(m.signature)
		_ = json.NewEncoder(w).Encode(v2.ModelMetadata{Name: "m", Inputs: inputs, Outputs: outputs})
	})
	mux.HandleFunc("POST /v2/models/m/infer", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		request, err := v2.DecodeRequest(body, v2.Limits{})
		if !assert.NoError(t, err) {
			return
		}
		inputs := map[string]tensor.Tensor{}
		for _, in := range request.Inputs {
			inputs[in.Name] = in
		}
		answer, err := v2.AppendResponse(nil, &v2.Response{Model: "m", Outputs: m.infer(inputs, request.Inputs[0].Rows())})
		assert.NoError(t, err)
		_, _ = w.Write(answer)
	})
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	return dial(t, web.URL)
}

func dial(t testing.TB, url string) serving.Client {
	t.Helper()
	c, err := serving.Dial(url, serving.V2)
	require.NoError(t, err)
	return c
}

func tableOf(t testing.TB, text string) *dataset.Table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "eval.csv")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	out, err := dataset.Read(t.Context(), path, dataset.Options{})
	require.NoError(t, err)
	return out
}

func spec(name string, datatype tensor.Datatype, shape ...int64) bundle.TensorSpec {
	return bundle.TensorSpec{Name: name, Datatype: datatype, Shape: shape}
}

func role(s bundle.TensorSpec, r bundle.Role, classes ...string) bundle.TensorSpec {
	s.Role, s.Classes = r, classes
	return s
}
