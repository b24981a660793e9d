package pipeline_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// A trainer that leaves the folder of an MLflow model, plots and a pickled
// encoder is walked as one that leaves the model's file: it is the same bundle.
func TestTrainerLeavesAnMLflowFolder(t *testing.T) {
	t.Parallel()
	plain, err := run(t.Context(), t, projecttest.Mini(t), pipeline.Request{})
	require.NoError(t, err)
	r := projecttest.Mini(t)
	r.Write(map[string]string{
		"dosirak.yaml": strings.Replace(projecttest.MiniConfig, "cp models/{seed}.onnx {out}/model.onnx", "sh models/train.sh {seed} {out}", 1),
		"models/train.sh": `mkdir $2/model $2/plots && cp models/$1.onnx $2/model/model.onnx
printf 'flavors:\n  onnx:\n    data: model.onnx\n  python_function:\n    data: model.onnx\n' > $2/model/MLmodel
echo x > $2/plots/roc.png; echo x > $2/roc.png; echo '<html>' > $2/report.html; printf '\200\004}.' > $2/encoder.joblib
`,
	})
	r.Commit("mlflow", nil)
	out, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, out.Verdict)
	assert.Equal(t, plain.Report.Candidate.Bundle, out.Report.Candidate.Bundle)
}
