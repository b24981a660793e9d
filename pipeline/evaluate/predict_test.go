package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func labels(name string, datatype tensor.Datatype, of func(x float32) any) func(map[string]tensor.Tensor, int) tensor.Tensor {
	return func(in map[string]tensor.Tensor, rows int) tensor.Tensor {
		out := tensor.Tensor{Name: name, Datatype: datatype, Shape: []int64{int64(rows)}}
		for _, x := range in["x"].F32 {
			switch v := of(x).(type) {
			case int:
				out.I64 = append(out.I64, int64(v))
			case string:
				out.Strs = append(out.Strs, v)
			}
		}
		return out
	}
}

func floats(name string, wide int, of func(x float32) []float32) func(map[string]tensor.Tensor, int) tensor.Tensor {
	return func(in map[string]tensor.Tensor, rows int) tensor.Tensor {
		out := tensor.Tensor{Name: name, Datatype: tensor.FP32, Shape: []int64{int64(rows), int64(wide)}}
		for _, x := range in["x"].F32 {
			out.F32 = append(out.F32, of(x)...)
		}
		return out
	}
}

func both(p float32) []float32 { return []float32{1 - p, p} }

func all(outputs ...func(map[string]tensor.Tensor, int) tensor.Tensor) func(map[string]tensor.Tensor, int) []tensor.Tensor {
	return func(in map[string]tensor.Tensor, rows int) []tensor.Tensor {
		var out []tensor.Tensor
		for _, f := range outputs {
			out = append(out, f(in, rows))
		}
		return out
	}
}

var x = []bundle.TensorSpec{spec("x", tensor.FP32, -1, 1)}

// binaryModel has x itself for the probability of the later class.
func binaryModel(classes ...string) model {
	return model{
		bundle.Signature{Inputs: x, Outputs: []bundle.TensorSpec{
			role(spec("l", tensor.Int64, -1), bundle.RoleLabel), role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, classes...),
		}},
		all(labels("l", tensor.Int64, func(x float32) any { return map[bool]int{true: 1}[x > 0.25] }), floats("p", 2, both)),
	}
}

func TestPredictBinary(t *testing.T) {
	t.Parallel()
	data := tableOf(t, "key,x,y,w,g,s\na,0.125,0,1,G,u\nb,0.5,1,2,H,v\nc,0.75,0,0.5,G,u\n")
	var done []int
	set, err := Predict(t.Context(), Options{
		Client: binaryModel("0", "1").serve(t), Model: "m", Table: data, Task: exam.Binary, BatchRows: 2, InFlight: 1,
		Data: exam.Data{Label: "y", Positive: "1", ID: "key", Weight: "w", Group: "g"}, Columns: []string{"s", "x"},
		Progress: func(n, total int) { done = append(done, n*10+total) },
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, set.ID)
	assert.Equal(t, []string{"0", "1"}, set.Classes)
	assert.Equal(t, 1, set.Positive)
	assert.Equal(t, []int32{0, 1, 0}, set.Label)
	assert.Equal(t, []int32{0, 1, 1}, set.Pred, "the model's own label, from 0.25 on")
	assert.Equal(t, []float64{0.125, 0.5, 0.75}, set.Score)
	assert.Equal(t, []float64{1, 2, 0.5}, set.Weight)
	assert.Equal(t, []int32{0, 1, 0}, set.Group)
	assert.Equal(t, []string{"G", "H"}, set.Groups)
	require.Len(t, set.Columns, 2)
	assert.Equal(t, []string{"u", "v"}, set.Columns[0].Levels)
	assert.Equal(t, 3, set.N)
	assert.Equal(t, []int{23, 33}, done)
}

// One result, whatever the batches and however many are in flight.
func TestBatchesDoNotMatter(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("x,y\n")
	for i := range 103 {
		fmt.Fprintf(&b, "%g,%d\n", float64(i)/128, i%2)
	}
	data, client := tableOf(t, b.String()), binaryModel("0", "1").serve(t)
	o := Options{Client: client, Model: "m", Table: data, Task: exam.Binary, Data: exam.Data{Label: "y", Positive: "1"}, InFlight: 1}
	want, err := Predict(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, "103", want.ID[102], "row numbers, from 1")
	for _, batch := range []int{1, 7, 103, 104} {
		o.BatchRows, o.InFlight = batch, 8
		got, err := Predict(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%d", batch)
	}
}

func TestPredictShapes(t *testing.T) {
	t.Parallel()
	three := func(x float32) []float32 { return []float32{x, 0.75 - x, 0.25} }
	for name, c := range map[string]struct {
		outputs  []bundle.TensorSpec
		infer    func(map[string]tensor.Tensor, int) []tensor.Tensor
		task     exam.Task
		labels   [2]string
		positive string
		classes  []string
		at       int // of the positive class
		label    []int32
		pred     []int32
		score    []float64
		proba    [][]float64
		value    []float64
	}{
		"without label": {
			outputs: []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "no", "yes")}, infer: all(floats("p", 2, both)),
			task: exam.Binary, labels: [2]string{"yes", "no"}, positive: "yes", classes: []string{"no", "yes"}, at: 1,
			label: []int32{1, 0}, pred: []int32{0, 1}, score: []float64{0.25, 0.5},
		},
		"the first class is positive": {
			outputs: []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "bad", "good")}, infer: all(floats("p", 2, both)),
			task: exam.Binary, labels: [2]string{"bad", "good"}, positive: "bad", classes: []string{"bad", "good"}, at: 0,
			label: []int32{0, 1}, pred: []int32{0, 0}, score: []float64{0.75, 0.5},
		},
		"whole numbers written as floats": {
			outputs: []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "0", "1")}, infer: all(floats("p", 2, both)),
			task: exam.Binary, labels: [2]string{"1.0", "0.0"}, positive: "1", classes: []string{"0", "1"}, at: 1,
			label: []int32{1, 0}, pred: []int32{0, 1}, score: []float64{0.25, 0.5},
		},
		"columns in another order": {
			outputs: []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "10", "9")}, infer: all(floats("p", 2, both)),
			task: exam.Binary, labels: [2]string{"9", "10"}, positive: "10", classes: []string{"9", "10"}, at: 1,
			label: []int32{0, 1}, pred: []int32{1, 1}, score: []float64{0.75, 0.5},
		},
		"one score, no roles": {
			outputs: []bundle.TensorSpec{spec("out", tensor.FP32, -1, 1)}, infer: all(floats("out", 1, func(x float32) []float32 { return []float32{x} })),
			task: exam.Binary, labels: [2]string{"0", "1"}, positive: "1", classes: []string{"0", "1"}, at: 1,
			label: []int32{0, 1}, pred: []int32{0, 1}, score: []float64{0.25, 0.5},
		},
		"two probabilities, no roles": {
			outputs: []bundle.TensorSpec{spec("out", tensor.FP32, -1, 2)}, infer: all(floats("out", 2, both)),
			task: exam.Binary, labels: [2]string{"0", "1"}, positive: "1", classes: []string{"0", "1"}, at: 1,
			label: []int32{0, 1}, pred: []int32{0, 1}, score: []float64{0.25, 0.5},
		},
		"labels alone": {
			outputs: []bundle.TensorSpec{role(spec("l", tensor.Bytes, -1), bundle.RoleLabel)}, infer: all(labels("l", tensor.Bytes, func(x float32) any { return map[bool]string{true: "a", false: "b"}[x > 0.3] })),
			task: exam.Binary, labels: [2]string{"a", "b"}, positive: "a", classes: []string{"a", "b"}, at: 0,
			label: []int32{0, 1}, pred: []int32{1, 0},
		},
		"three classes, one unseen": {
			outputs: []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 3), bundle.RoleProbabilities, "c", "b", "a")}, infer: all(floats("p", 3, three)),
			task: exam.Multiclass, labels: [2]string{"b", "a"}, classes: []string{"a", "b", "c"},
			label: []int32{1, 0}, pred: []int32{1, 2}, proba: [][]float64{{0.25, 0.25}, {0.5, 0.25}, {0.25, 0.5}},
		},
		"a class that is new in the data": {
			outputs: []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "a", "b")}, infer: all(floats("p", 2, both)),
			task: exam.Multiclass, labels: [2]string{"b", "new"}, classes: []string{"a", "b", "new"},
			label: []int32{1, 2}, pred: []int32{0, 0}, proba: [][]float64{{0.75, 0.5}, {0.25, 0.5}, {0, 0}},
		},
		"a value": {
			outputs: []bundle.TensorSpec{spec("v", tensor.FP32, -1, 1)}, infer: all(floats("v", 1, func(x float32) []float32 { return []float32{8 * x} })),
			task: exam.Regression, labels: [2]string{"3.5", "-1"}, value: []float64{2, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model{bundle.Signature{Inputs: x, Outputs: c.outputs}, c.infer}
			set, err := Predict(t.Context(), Options{
				Client: m.serve(t), Model: "m", Task: c.task, Data: exam.Data{Label: "y", Positive: c.positive},
				Table: tableOf(t, fmt.Sprintf("x,y\n0.25,%s\n0.5,%s\n", c.labels[0], c.labels[1])),
			})
			require.NoError(t, err)
			assert.Equal(t, c.classes, set.Classes)
			assert.Equal(t, c.at, set.Positive)
			assert.Equal(t, c.label, set.Label)
			assert.Equal(t, c.pred, set.Pred)
			assert.Equal(t, c.score, set.Score)
			assert.Equal(t, c.proba, set.Proba)
			assert.Equal(t, c.value, set.Value)
			if c.task == exam.Regression {
				assert.Equal(t, []float64{3.5, -1}, set.Target)
			}
		})
	}
}

func TestPredictRefuses(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	short := func(in map[string]tensor.Tensor, rows int) []tensor.Tensor {
		return []tensor.Tensor{{Name: "p", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{0, 1}}}
	}
	const rows = "x,y\n0.25,0\n0.5,1\n"
	two := []bundle.TensorSpec{role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "0", "1")}
	for name, c := range map[string]struct {
		outputs []bundle.TensorSpec
		infer   func(map[string]tensor.Tensor, int) []tensor.Tensor
		task    exam.Task
		rows    string
		data    exam.Data
		columns []string
		err     string
		code    int
	}{
		"NaN": {outputs: two, infer: all(floats("p", 2, func(x float32) []float32 {
			if x == 0.5 {
				return []float32{nan, nan}
			}
			return both(x)
		})), err: `the model answers NaN in its output "p" for `, code: fault.CodeFailed},
		"logits":         {outputs: two, infer: all(floats("p", 2, func(x float32) []float32 { return []float32{-2, 3} })), err: `answers -2 in its output "p" for `, code: fault.CodeFailed},
		"fewer rows":     {outputs: two, infer: short, err: `output "p" has 1 rows for 2 that were asked`, code: fault.CodeFailed},
		"no such output": {outputs: two, infer: all(floats("q", 2, both)), err: `no output "p"`, code: fault.CodeFailed},
		"other type":     {outputs: []bundle.TensorSpec{role(spec("p", tensor.FP64, -1, 2), bundle.RoleProbabilities, "0", "1")}, infer: all(floats("p", 2, both)), err: `came as FP32, its signature says FP64`, code: fault.CodeFailed},
		"other width":    {outputs: two, infer: all(floats("p", 3, func(x float32) []float32 { return []float32{x, x, x} })), err: "expected 2 values a row", code: fault.CodeFailed},
		"answers an unknown class": {outputs: append([]bundle.TensorSpec{role(spec("l", tensor.Int64, -1), bundle.RoleLabel)}, two...),
			infer: all(labels("l", tensor.Int64, func(float32) any { return 7 }), floats("p", 2, both)), task: exam.Multiclass, err: `answers the class "7" for `, code: fault.CodeFailed},
		"sums":                {outputs: two, infer: all(floats("p", 2, func(x float32) []float32 { return []float32{x, x} })), task: exam.Multiclass, err: "sum to 0.5", code: fault.CodeFailed},
		"no label column":     {outputs: two, data: exam.Data{Label: "z", Positive: "1"}, err: `no column "z"`, code: fault.CodeUsage},
		"no id column":        {outputs: two, data: exam.Data{Label: "y", ID: "key"}, err: `no column "key"`, code: fault.CodeUsage},
		"duplicate ids":       {outputs: two, rows: "x,y,k\n1,0,a\n1,1,b\n1,1,a\n", data: exam.Data{Label: "y", ID: "k"}, err: `eval.csv:4: column "k": "a" stands on line 2 already`, code: fault.CodeUsage},
		"no slice column":     {outputs: two, columns: []string{"s"}, err: `no column "s"`, code: fault.CodeUsage},
		"negative weight":     {outputs: two, rows: "x,y,w\n1,0,1\n1,0,-1\n", data: exam.Data{Label: "y", Weight: "w"}, err: `eval.csv:3: column "w": "-1" is negative`, code: fault.CodeUsage},
		"zero weights":        {outputs: two, rows: "x,y,w\n1,0,0\n", data: exam.Data{Label: "y", Weight: "w"}, err: "all weights are zero", code: fault.CodeUsage},
		"no rows":             {outputs: two, rows: "x,y\n", err: "has no rows", code: fault.CodeUsage},
		"empty label":         {outputs: two, infer: all(floats("p", 2, both)), rows: "x,y\n1,0\n1,\n", err: `eval.csv:3: column "y": "" is no class`, code: fault.CodeUsage},
		"other labels":        {outputs: two, infer: all(floats("p", 2, both)), rows: "x,y\n1,stays\n1,leaves\n", data: exam.Data{Label: "y", Positive: "leaves"}, err: `eval.csv:2: column "y": the labels are "stays" and "leaves", the model's classes "0", "1": either may be either`, code: fault.CodeUsage},
		"no as positive":      {outputs: two, infer: all(floats("p", 2, both)), rows: "x,y\n1,no\n1,yes\n", data: exam.Data{Label: "y", Positive: "no"}, err: `the positive class is "no": it may be 0 by its meaning, or 1`, code: fault.CodeUsage},
		"mixed labels":        {outputs: two, infer: all(floats("p", 2, both)), rows: "x,y\n1,1\n1,true\n", data: exam.Data{Label: "y", Positive: "1"}, err: `has both "1" and "true", which may be one class or two`, code: fault.CodeUsage},
		"missing label":       {outputs: two, infer: all(floats("p", 2, both)), rows: "x,y\n1,0\n1,N/A\n", err: `eval.csv:3: column "y": "N/A" is no class, but a missing value`, code: fault.CodeUsage},
		"three labels":        {outputs: two, infer: all(floats("p", 2, both)), rows: "x,y\n1,0\n1,1\n1,2\n", err: `"2" is none of the model's classes`, code: fault.CodeUsage},
		"third class":         {outputs: []bundle.TensorSpec{spec("s", tensor.FP32, -1)}, infer: all(floats("s", 1, func(x float32) []float32 { return []float32{x} })), rows: "x,y\n1,a\n1,b\n1,c\n", data: exam.Data{Label: "y"}, err: `"c" is a third class in a binary task`, code: fault.CodeUsage},
		"positive":            {outputs: two, infer: all(floats("p", 2, both)), data: exam.Data{Label: "y", Positive: "yes"}, err: `data.positive is "yes", and the classes are "0", "1"`, code: fault.CodeUsage},
		"classes unnamed":     {outputs: []bundle.TensorSpec{spec("p", tensor.FP32, -1, 3)}, infer: all(floats("p", 3, func(x float32) []float32 { return []float32{x, x, x} })), task: exam.Multiclass, err: "has 3 classes without names, and the labels", code: fault.CodeUsage},
		"not a regression":    {outputs: two, infer: all(floats("p", 2, both)), task: exam.Regression, err: `a regression task needs a model with one number a row, [N] or [N,1]; its outputs are "p" FP32 [-1 2]`, code: fault.CodeUsage},
		"not a target":        {outputs: two, rows: "x,y\n1,a\n", task: exam.Regression, err: `eval.csv:2: column "y": "a" is no finite number`, code: fault.CodeUsage},
		"not a classifier":    {outputs: []bundle.TensorSpec{spec("v", tensor.FP32, -1)}, task: exam.Multiclass, err: "a multiclass task needs a model with probabilities [N,C] or a label", code: fault.CodeUsage},
		"model fits not":      {outputs: two, rows: "z,y\n1,0\n1,1\n", data: exam.Data{Label: "y", Features: []string{"z", "z"}}, err: `input "x" takes 1 value a row`, code: fault.CodeUsage},
		"regression infinite": {outputs: []bundle.TensorSpec{spec("v", tensor.FP32, -1)}, infer: all(floats("v", 1, func(x float32) []float32 { return []float32{float32(math.Inf(1))} })), task: exam.Regression, err: "answers +Inf", code: fault.CodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.task == "" {
				c.task = exam.Binary
			}
			if c.rows == "" {
				c.rows = rows
			}
			if c.data.Label == "" {
				c.data = exam.Data{Label: "y", Positive: "1"}
			}
			_, err := Predict(t.Context(), Options{
				Client: model{bundle.Signature{Inputs: x, Outputs: c.outputs}, c.infer}.serve(t), Model: "m",
				Table: tableOf(t, c.rows), Task: c.task, Data: c.data, Columns: c.columns,
			})
			require.ErrorContains(t, err, c.err)
			assert.Equal(t, c.code, fault.ExitCode(err), "%v", err)
		})
	}
}

func TestPredictAndTheServer(t *testing.T) {
	t.Parallel()
	data := tableOf(t, "x,y\n0.25,0\n0.5,1\n")
	o := Options{Client: binaryModel("0", "1").serve(t), Model: "other", Table: data, Task: exam.Binary, Data: exam.Data{Label: "y", Positive: "1"}}
	_, err := Predict(t.Context(), o)
	assert.ErrorContains(t, err, "/v2/models/other answered 404")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	o.Signature, o.Client = binaryModel("0", "1").signature, dial(t, "http://127.0.0.1:1")
	_, err = Predict(t.Context(), o)
	assert.ErrorContains(t, err, "asking for rows 1 to 2 of ")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))

	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = Predict(stopped, o)
	assert.True(t, errors.Is(err, context.Canceled))
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))

	fixed := o
	fixed.Signature.Inputs = []bundle.TensorSpec{spec("x", tensor.FP32, 4, 1)}
	_, err = Predict(t.Context(), fixed)
	assert.ErrorContains(t, err, "takes exactly 4 rows at a time")
}
