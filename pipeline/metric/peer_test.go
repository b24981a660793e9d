package metric

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// python returns an interpreter that has scikit-learn, or skips.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("DOSIRAK_PYTHON")
	if path == "" {
		path = "python3"
	}
	out, err := exec.Command(path, "-c", "import sklearn, numpy; print(sklearn.__version__)").CombinedOutput()
	if err != nil {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "python") {
			require.NoError(t, err, "DOSIRAK_REQUIRE names python: %s", out)
		}
		t.Skipf("%s with scikit-learn is not here; name one in DOSIRAK_PYTHON", path)
	}
	t.Logf("scikit-learn %s", bytes.TrimSpace(out))
	return path
}

// peerCase is a case as peer.py reads it.
type peerCase struct {
	Label   []int32     `json:"label,omitempty"`
	Pred    []int32     `json:"pred,omitempty"`
	Classes int         `json:"classes,omitempty"`
	Score   []float64   `json:"score,omitempty"`
	Proba   [][]float64 `json:"proba,omitempty"`
	Target  []float64   `json:"target,omitempty"`
	Value   []float64   `json:"value,omitempty"`
	Weight  []float64   `json:"weight"`
	data    *Data
}

func newPeerCase(d *Data) peerCase {
	return peerCase{Label: d.Label, Pred: d.Pred, Classes: len(d.Classes), Score: d.Score, Proba: d.Proba,
		Target: d.Target, Value: d.Value, Weight: d.Weight, data: d}
}

// randomData returns n rows of a task with k classes; scores have ties.
func randomData(r *rand.Rand, task exam.Task, n, k int, weighted bool) *Data {
	d := &Data{Task: task, N: n, Positive: 1}
	if weighted {
		d.Weight = make([]float64, n)
		for i := range d.Weight {
			d.Weight[i] = r.ExpFloat64()
			if r.IntN(8) == 0 {
				d.Weight[i] = 0
			}
		}
		d.Weight[0] = 1
	}
	if task == exam.Regression {
		d.Target, d.Value = make([]float64, n), make([]float64, n)
		for i := range n {
			d.Target[i] = math.Exp(r.NormFloat64())
			d.Value[i] = math.Abs(d.Target[i] + r.NormFloat64())
		}
		return d
	}
	d.Label, d.Pred = make([]int32, n), make([]int32, n)
	for c := range k {
		d.Classes = append(d.Classes, fmt.Sprint(c))
	}
	for i := range n {
		d.Label[i] = int32(r.IntN(k))
		d.Pred[i] = int32(r.IntN(k))
		if r.IntN(2) == 0 {
			d.Pred[i] = d.Label[i]
		}
	}
	if task == exam.Binary {
		d.Score = make([]float64, n)
		for i := range n {
			d.Score[i] = math.Round(20*(r.Float64()+0.3*float64(d.Label[i]))/1.3) / 20
		}
		return d
	}
	d.Proba = make([][]float64, k)
	for c := range k {
		d.Proba[c] = make([]float64, n)
	}
	for i := range n {
		var sum float64
		for c := range k {
			d.Proba[c][i] = float64(1 + r.IntN(9))
			sum += d.Proba[c][i]
		}
		for c := range k {
			d.Proba[c][i] /= sum
		}
	}
	return d
}

func TestEqualToScikitLearn(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	r := rand.New(rand.NewPCG(1, 2))
	var cases []peerCase
	for _, n := range []int{2, 3, 7, 40, 41, 1000} {
		for _, weighted := range []bool{false, true} {
			for range 3 {
				cases = append(cases,
					newPeerCase(randomData(r, exam.Binary, n, 2, weighted)),
					newPeerCase(randomData(r, exam.Multiclass, n, 5, weighted)),
					newPeerCase(randomData(r, exam.Regression, n, 0, weighted)))
			}
		}
	}
	input, err := json.Marshal(cases)
	require.NoError(t, err)
	cmd := exec.Command(interpreter, "testdata/peer.py")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	compared := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(output))
	for i := 0; lines.Scan(); i++ {
		var want map[string]*float64
		require.NoError(t, json.Unmarshal(lines.Bytes(), &want))
		for name, w := range want {
			m, err := Lookup(name)
			require.NoError(t, err)
			got := m.Of(cases[i].data)
			if w == nil || !got.Defined() {
				// Where one of the two says "undefined", the small cases show
				// that it is never the peer alone that is sure of a value
				// without a warning; those are listed in TestUndefined.
				continue
			}
			compared[name]++
			assert.InDelta(t, *w, got.V, 1e-9*math.Max(1, math.Abs(*w)), "%s, case %d, n = %d", name, i, cases[i].data.N)
		}
	}
	require.NoError(t, lines.Err())
	for _, task := range []exam.Task{exam.Binary, exam.Multiclass, exam.Regression} {
		for _, m := range ForTask(task) {
			assert.GreaterOrEqual(t, compared[m.Name], 9, "%s was compared too rarely", m.Name)
		}
	}
}
