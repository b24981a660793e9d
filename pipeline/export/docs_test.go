package export_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/export"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// The lines of docs/trainer.md write a file that the gate reads.
func TestTheDocumentedLines(t *testing.T) {
	t.Parallel()
	python := os.Getenv("DOSIRAK_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import pandas, sklearn, skl2onnx").CombinedOutput(); err != nil {
		require.NotContains(t, ","+os.Getenv("DOSIRAK_REQUIRE")+",", ",python,", string(out))
		t.Skipf("%s with pandas, scikit-learn and skl2onnx is not here; name one in DOSIRAK_PYTHON", python)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "trainer.md"))
	require.NoError(t, err)
	var lines string
	for _, m := range regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(m[1], export.File) {
			lines = m[1]
		}
	}
	require.NotEmpty(t, lines)
	for name, c := range map[string]struct {
		task exam.Task
		drop string
		use  string
	}{
		"binary":     {exam.Binary, "", "LogisticRegression().fit(rows[FEATURES], rows['y'])"},
		"multiclass": {exam.Multiclass, `said["score"]`, "LogisticRegression().fit(rows[FEATURES], rows['y'] + 2 * (rows['a'] > 0.5))"},
		"regression": {exam.Regression, `said["score"]`, "LinearRegression().fit(rows[FEATURES], rows['z'])"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			body := ""
			for line := range strings.Lines(lines) {
				if c.drop == "" || !strings.HasPrefix(line, c.drop) {
					if rest, commented := strings.CutPrefix(line, "# for several classes: "); commented && c.task == exam.Multiclass {
						line = rest
					}
					body += line
				}
			}
			label := map[exam.Task]string{exam.Binary: "rows['y']", exam.Multiclass: "rows['y'] + 2 * (rows['a'] > 0.5)", exam.Regression: "rows['z']"}[c.task]
			script := filepath.Join(dir, "train.py")
			require.NoError(t, os.WriteFile(script, []byte(`import os, sys
import numpy as np, pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from skl2onnx import to_onnx
out, FEATURES = sys.argv[1], ["a", "b"]
rng = np.random.default_rng(0)
rows = pd.DataFrame(rng.normal(size=(300, 2)), columns=FEATURES)
rows["y"], rows["z"] = (rows["a"] + rng.normal(size=300) > 0).astype(int), 100 * rows["a"]
model = `+c.use+`
rows[FEATURES].assign(y=`+label+`).to_csv(os.path.join(out, "train.csv"), index=False)
options = {} if isinstance(model, LinearRegression) else {"zipmap": False}
open(os.path.join(out, "model.onnx"), "wb").write(to_onnx(model, rows[FEATURES].to_numpy(np.float32)[:1], options=options).SerializeToString())
`+body), 0o600))
			said, err := exec.Command(python, script, dir).CombinedOutput()
			require.NoError(t, err, string(said))
			r := judge(t, dir, c.task)
			assert.Equal(t, verdict.Pass, r.Verdict, r.Cause)
			assert.Equal(t, 300, r.Compared)
		})
	}
}
