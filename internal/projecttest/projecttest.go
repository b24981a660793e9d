// Package projecttest makes projects for tests: a copy of the flights example,
// and a small one whose trainer only copies a model, for tests of what
// surrounds the training.
package projecttest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

// MiniConfig is the config of Mini: its trainer only copies a model.
const MiniConfig = `version: 1
model: flights-delay
task: binary
train:
  command: cp models/{seed}.onnx {out}/model.onnx
  inputs: [models/**]
  seeds: [1, 2]
  timeout: 20s
data:
  train: data/train.csv
  eval: data/eval.csv
  label: delayed
  positive: "1"
  id: id
metrics:
  - {name: roc_auc, direction: higher, margin: 0.3, floor: 0.5, primary: true}
  - {name: accuracy, direction: higher, margin: 0.3}
`

var models struct {
	once        sync.Once
	one, two    []byte
	train, eval string
	err         error
}

// Mini is a repository with a small project: 200 rows to train on, 600 to
// evaluate on, and models that the flights example's trainer made.
func Mini(t testing.TB) gittest.Repository {
	t.Helper()
	models.once.Do(makeModels)
	require.NoError(t, models.err)
	return gittest.New(t, map[string]string{
		"dosirak.yaml": MiniConfig, "data/train.csv": models.train, "data/eval.csv": models.eval,
		"models/1.onnx": string(models.one), "models/2.onnx": string(models.two),
	})
}

func makeModels() {
	folder, err := example()
	if err != nil {
		models.err = err
		return
	}
	for seed, into := range map[string]*[]byte{"1": &models.one, "2": &models.two} {
		out, err := os.MkdirTemp("", "dosirak-models-")
		if err != nil {
			models.err = err
			return
		}
		defer os.RemoveAll(out)
		cmd := exec.Command("go", "run", "-trimpath", "./train", "--seed", seed, "--data", "data/train.csv.gz", "--out", out)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GOFLAGS=") // no race detector for the example
		if text, err := cmd.CombinedOutput(); err != nil {
			models.err = &exec.Error{Name: string(text), Err: err}
			return
		}
		if *into, models.err = os.ReadFile(filepath.Join(out, "model.onnx")); models.err != nil {
			return
		}
	}
	if models.train, models.err = head(filepath.Join(folder, "data/train.csv.gz"), 200); models.err == nil {
		models.eval, models.err = head(filepath.Join(folder, "data/eval.csv.gz"), 600)
	}
}

// head returns the header and the first n rows of a packed table.
func head(path string, n int) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		return "", err
	}
	return strings.Join(strings.SplitAfterN(b.String(), "\n", n+2)[:n+1], ""), nil
}

// EvalRows is the text of Mini's evaluation table.
func EvalRows(t testing.TB) string {
	t.Helper()
	models.once.Do(makeModels)
	require.NoError(t, models.err)
	return models.eval
}

// Flights is a repository with a copy of examples/flights in its folder p, as
// a clone would have it.
func Flights(t testing.TB) (r gittest.Repository, dir string) {
	t.Helper()
	root, err := example()
	require.NoError(t, err)
	files := map[string]string{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".dosirak" {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		files[filepath.Join("p", rel)] = string(data)
		return err
	})
	require.NoError(t, err)
	r = gittest.New(t, files)
	return r, filepath.Join(r.Dir, "p")
}

// example is the folder of the flights example.
func example() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("finding the examples: the test was built without the names of its files")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "examples", "flights"), nil
}
