package train_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// docs/trainer.md is what a trainer's author reads: its commands run, and its
// variables are those that a trainer gets.
func TestPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "trainer.md"))
	require.NoError(t, err)
	page := string(text)
	value := func(key string) string {
		m := regexp.MustCompile(`(?m)^  ` + key + `: (.*)$`).FindStringSubmatch(page)
		require.NotNil(t, m, "docs/trainer.md has no %s", key)
		return m[1]
	}
	p := newProject(t, map[string]string{
		"train.py": `import argparse, os
p = argparse.ArgumentParser()
for name in ("seed", "data", "out"):
    p.add_argument("--" + name)
a = p.parse_args()
assert os.path.isdir(a.out) and not os.listdir(a.out), "an empty folder"
assert a.seed == os.environ["DOSIRAK_SEED"] == os.environ["PYTHONHASHSEED"]
assert a.data == os.environ["DOSIRAK_DATA"] and a.out == os.environ["DOSIRAK_OUT"]
with open(a.out + "/model.onnx", "w") as f:
    f.write("\n".join(k for k in os.environ))
`,
		"requirements.txt": "",
	})
	options := func(o *train.Options) {
		o.Command, o.Seeds, o.Env = value("command"), []int64{1}, environ()
	}
	if _, err := exec.LookPath("python"); err != nil {
		t.Skip("there is no python here")
	}
	got, err := p.train(options)
	require.NoError(t, err)
	variables := strings.Split(got.read(got.Replicates[0].Out+"/model.onnx"), "\n")
	named := regexp.MustCompile("`((?:DOSIRAK|PYTHON|[A-Z]+_(?:NUM|MAXIMUM|MAX))_?[A-Z_]*)`").FindAllStringSubmatch(page, -1)
	assert.Greater(t, len(named), 10)
	for _, m := range named {
		assert.Contains(t, variables, m[1], "docs/trainer.md names it")
	}

	if testing.Short() {
		t.Skip("makes a virtual environment")
	}
	if out, err := exec.Command("python3", "-c", "import ensurepip").CombinedOutput(); err != nil {
		t.Skipf("python3 makes no virtual environments with pip here: %s", out)
	}
	got, err = p.train(func(o *train.Options) { options(o); o.Setup = value("setup") })
	require.NoError(t, err)
	assert.Equal(t, 1, got.observer.count("setup", train.Done))
}
