package bundle

import (
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func example(t *testing.T) (Bundle, []byte, Golden) {
	t.Helper()
	golden, err := NewGolden(
		[]tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{2, 1}, F32: []float32{0.1, float32(math.NaN())}}},
		[]tensor.Tensor{
			{Name: "label", Datatype: tensor.Bytes, Shape: []int64{2}, Strs: []string{"<a> & b", "도시락"}},
			{Name: "p", Datatype: tensor.FP32, Shape: []int64{2, 2}, F32: []float32{0.25, 0.75, 1, 0}},
		},
		Tolerance{Absolute: 1e-6, Relative: 1e-5})
	require.NoError(t, err)
	return Bundle{
		Model: Model{Name: "flights", Format: FormatONNX, File: "model.onnx"},
		Signature: Signature{
			Inputs: []TensorSpec{{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 1}}},
			Outputs: []TensorSpec{
				{Name: "label", Datatype: tensor.Bytes, Shape: []int64{-1}, Role: RoleLabel},
				{Name: "p", Datatype: tensor.FP32, Shape: []int64{-1, 2}, Role: RoleProbabilities, Classes: []string{"<a> & b", "도시락"}},
			},
		},
	}, []byte("weights"), golden
}

// The digest is a promise to every bundle that was ever sealed: when this test
// fails, the format has changed and needs a new schema name.
const exampleDigest = "sha256:5ac519fc56c71c77361f2a20ad6ff39c51eacd854576a92c50fb061c5ad48621"

func TestDigestIsTheSameAnywhere(t *testing.T) {
	t.Parallel()
	b, model, golden := example(t)
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "deep", "b")
	one, err := Write(first, b, model, golden)
	require.NoError(t, err)
	b.Files = []Entry{{Path: "nonsense"}}
	b.Schema = ""
	two, err := Write(second, b, model, golden)
	require.NoError(t, err)
	assert.Equal(t, one, two)
	assert.Equal(t, exampleDigest, one)
	text, err := os.ReadFile(filepath.Join(first, File))
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(text), "}\n"))
	assert.Contains(t, string(text), `"<a> & b"`)
	assert.Contains(t, string(text), "도시락")
}

func TestOpenReadsWhatWriteWrote(t *testing.T) {
	t.Parallel()
	b, model, golden := example(t)
	dir := filepath.Join(t.TempDir(), "b")
	digest, err := Write(dir, b, model, golden)
	require.NoError(t, err)
	o, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, digest, o.Digest)
	assert.Equal(t, b.Signature, o.Bundle.Signature)
	got, err := o.Model()
	require.NoError(t, err)
	assert.Equal(t, model, got)
	g, err := o.Golden()
	require.NoError(t, err)
	inputs, outputs, err := g.Tensors()
	require.NoError(t, err)
	assert.True(t, math.IsNaN(float64(inputs[0].F32[1])))
	assert.Equal(t, []string{"<a> & b", "도시락"}, outputs[0].Strs)
	assert.Empty(t, CompareOutputs(outputs, outputs, Tolerance{}))

	again, err := Write(dir, b, model, golden)
	require.NoError(t, err, "the same bundle again changes nothing")
	assert.Equal(t, digest, again)
	_, err = Write(dir, b, []byte("other weights"), golden)
	require.ErrorIs(t, err, fs.ErrExist)
	assert.ErrorContains(t, err, "holds something else")
	left, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary folder stays")
	_, err = Open(dir)
	assert.NoError(t, err)
}

// Answers of another arithmetic may differ by its rounding, those of this one
// by nothing that the bundle does not allow.
func TestGoldenOfAnotherArithmetic(t *testing.T) {
	t.Parallel()
	for hint, exact := range map[string]bool{"": false, "1": false, Arithmetic: true} {
		b, model, golden := example(t)
		golden.Tolerance = Tolerance{}
		if hint != "" {
			b.Engine = map[string]string{ArithmeticHint: hint}
		}
		dir := filepath.Join(t.TempDir(), "b")
		_, err := Write(dir, b, model, golden)
		require.NoError(t, err)
		o, err := Open(dir)
		require.NoError(t, err)
		g, err := o.Golden()
		require.NoError(t, err)
		_, want, err := g.Tensors()
		require.NoError(t, err)
		_, got, err := g.Tensors()
		require.NoError(t, err)
		got[1].F32[0] = math.Nextafter32(got[1].F32[0], 1)
		got[1].F32[3] = 3e-8 // of a zero that was a sigmoid's tail
		assert.Equal(t, exact, len(CompareOutputs(want, got, g.Tolerance)) > 0, hint)
		got[1].F32[1] += 1e-5
		assert.NotEmpty(t, CompareOutputs(want, got, g.Tolerance), hint)
	}
	// The numbers of a regression are of another size.
	small := []tensor.Tensor{{Name: "v", Datatype: tensor.FP64, Shape: []int64{2}, F64: []float64{1e-9, -2e-9}}}
	assert.InDelta(t, 2e-9*rounding, Tolerance{}.rounded(small).Absolute, 1e-24)
	large := []tensor.Tensor{{Name: "v", Datatype: tensor.FP64, Shape: []int64{2}, F64: []float64{1e9, math.Inf(1)}}}
	assert.Equal(t, Tolerance{Absolute: rounding, Relative: rounding}, Tolerance{}.rounded(large))
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Bundle, *Golden)
		err    string
	}{
		"path":                 {func(b *Bundle, _ *Golden) { b.Model.File = "../model.onnx" }, "not a plain file name"},
		"hidden":               {func(b *Bundle, _ *Golden) { b.Model.File = ".model" }, "not a plain file name"},
		"own name":             {func(b *Bundle, _ *Golden) { b.Model.File = "Bundle.JSON" }, "not a plain file name"},
		"golden as model":      {func(b *Bundle, _ *Golden) { b.Model.File = GoldenFile }, "there twice"},
		"no name":              {func(b *Bundle, _ *Golden) { b.Model.Name = "" }, "model.name is empty"},
		"format":               {func(b *Bundle, _ *Golden) { b.Model.Format = "pickle" }, `model.format is "pickle"`},
		"no outputs":           {func(b *Bundle, _ *Golden) { b.Signature.Outputs = nil }, "at least one"},
		"twice":                {func(b *Bundle, _ *Golden) { b.Signature.Outputs[1].Name = "label" }, "there twice"},
		"type":                 {func(b *Bundle, _ *Golden) { b.Signature.Inputs[0].Datatype = "FP16" }, "unknown data type"},
		"role of an input":     {func(b *Bundle, _ *Golden) { b.Signature.Inputs[0].Role = RoleValue }, "only outputs"},
		"columns":              {func(b *Bundle, _ *Golden) { b.Signature.Inputs[0].Columns = []string{"a", "b"} }, "it reads 2 columns, and its shape is"},
		"columns of none":      {func(b *Bundle, _ *Golden) { b.Signature.Inputs[0].Columns = []string{""} }, "a column without a name"},
		"columns of an output": {func(b *Bundle, _ *Golden) { b.Signature.Outputs[0].Columns = []string{"a"} }, "only inputs read columns"},
		"role":                 {func(b *Bundle, _ *Golden) { b.Signature.Outputs[0].Role = "x" }, "unknown role"},
		"dimension":            {func(b *Bundle, _ *Golden) { b.Signature.Inputs[0].Shape[0] = -2 }, "below -1"},
		"not UTF-8":            {func(b *Bundle, _ *Golden) { b.Signature.Outputs[1].Classes = []string{"\xff", "b"} }, "not valid UTF-8"},
		"tolerance":            {func(_ *Bundle, g *Golden) { g.Tolerance.Relative = math.NaN() }, "tolerance"},
		"golden shape":         {func(_ *Bundle, g *Golden) { g.Inputs[0].Shape = []int64{5} }, "its shape"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, model, golden := example(t)
			c.change(&b, &golden)
			dir := filepath.Join(t.TempDir(), "b")
			_, err := Write(dir, b, model, golden)
			require.ErrorContains(t, err, c.err)
			_, err = os.Stat(dir)
			assert.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	edit := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, File)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(text), from)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644))
		}
	}
	put := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		err    string
	}{
		"model bit":      {put("model.onnx", "weightz"), "its SHA-256 is"},
		"model longer":   {put("model.onnx", "weights and more"), "has 16 bytes, bundle.json says 7"},
		"model shorter":  {put("model.onnx", "w"), "has 1 bytes"},
		"golden changed": {put(GoldenFile, "{}"), "golden.json"},
		"extra file":     {put("run.sh", "x"), "does not list it"},
		"extra folder":   {func(t *testing.T, dir string) { require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755)) }, "does not list it"},
		"model missing":  {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "model.onnx"))) }, "is missing"},
		"model a link": {func(t *testing.T, dir string) {
			outside := filepath.Join(t.TempDir(), "weights")
			require.NoError(t, os.WriteFile(outside, []byte("weights"), 0o644))
			require.NoError(t, os.Remove(filepath.Join(dir, "model.onnx")))
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "model.onnx")))
		}, "not a regular file"},
		"no bundle.json": {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, File))) }, "no bundle.json"},
		"truncated":      {put(File, `{"schema": "dosirak/bun`), "ends too early"},
		"not JSON":       {put(File, "hello"), "invalid character"},
		"unknown key":    {edit(`"name": "flights"`, `"name": "flights", "owner": "x"`), `unknown field "owner"`},
		"white space":    {edit(`"name": "flights"`, `"name":  "flights"`), "canonical"},
		"key order":      {edit(`"name": "flights",`+"\n"+`    "format": "onnx",`, `"format": "onnx", "name": "flights",`), "canonical"},
		"trailing":       {edit("\n}\n", "\n}\n{}"), "after the JSON"},
		"schema":         {edit("dosirak/bundle/v1", "dosirak/bundle/v9"), "this release reads"},
		"path":           {edit(`"path": "model.onnx"`, `"path": "../model.onnx"`), "not a plain file name"},
		"digest case":    {edit(`"sha256": "`, `"sha256": "A`), "hexadecimal"},
		"huge":           {edit(`"size": 7`, `"size": 7000000000`), "allowed are"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, model, golden := example(t)
			dir := filepath.Join(t.TempDir(), "b")
			_, err := Write(dir, b, model, golden)
			require.NoError(t, err)
			c.change(t, dir)
			_, err = Open(dir)
			require.ErrorContains(t, err, c.err)
		})
	}
}

func TestOpenRefusesGoldenThatDoesNotReadBack(t *testing.T) {
	t.Parallel()
	b, model, golden := example(t)
	files, _, err := Render(b, model, golden)
	require.NoError(t, err)
	require.Equal(t, []string{File, "model.onnx", GoldenFile}, []string{files[0].Name, files[1].Name, files[2].Name})
	var damaged *DamagedError
	dir := t.TempDir()
	for _, f := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	o, err := Open(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, GoldenFile), []byte("changed after opening"), 0o644))
	_, err = o.Golden()
	require.ErrorAs(t, err, &damaged)
	assert.Equal(t, dir+"/"+GoldenFile, damaged.Path)
}

func TestValuesKeepEveryBit(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, want := range []tensor.Tensor{
		{Name: "f", Datatype: tensor.FP32, Shape: []int64{9}, F32: []float32{0.1, 1. / 3, math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1)), float32(nan), float32(math.Inf(1)), float32(math.Inf(-1)), 16777217}},
		{Name: "d", Datatype: tensor.FP64, Shape: []int64{5}, F64: []float64{0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(-1), nan}},
		{Name: "i", Datatype: tensor.Int64, Shape: []int64{3}, I64: []int64{math.MaxInt64, math.MinInt64, 9007199254740993}},
		{Name: "u", Datatype: tensor.Uint64, Shape: []int64{1}, U64: []uint64{math.MaxUint64}},
		{Name: "b", Datatype: tensor.Bool, Shape: []int64{2}, Bools: []bool{true, false}},
		{Name: "s", Datatype: tensor.Bytes, Shape: []int64{3}, Strs: []string{"", "NaN", "a\"b\n"}},
		{Name: "scalar", Datatype: tensor.Int8, Shape: []int64{}, I64: []int64{-128}},
		{Name: "empty", Datatype: tensor.FP32, Shape: []int64{0, 3}},
	} {
		t.Run(want.Name, func(t *testing.T) {
			t.Parallel()
			v, err := FromTensor(&want)
			require.NoError(t, err)
			text, err := json.Marshal(v)
			require.NoError(t, err)
			var back Values
			require.NoError(t, json.Unmarshal(text, &back))
			got, err := back.Tensor()
			require.NoError(t, err)
			require.Equal(t, want.Len(), got.Len())
			for i, w := range want.F32 {
				if w == w {
					assert.Equal(t, math.Float32bits(w), math.Float32bits(got.F32[i]))
				}
			}
			assert.Empty(t, CompareOutputs([]tensor.Tensor{want}, []tensor.Tensor{got}, Tolerance{}))
		})
	}
}

func TestValuesRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, err string }{
		"text in numbers":  {`{"name":"x","datatype":"FP32","shape":[1],"data":["abc"]}`, "is not a number, NaN, Inf or -Inf"},
		"too large":        {`{"name":"x","datatype":"FP32","shape":[1],"data":[1e99]}`, "no number of 32 bits"},
		"fraction":         {`{"name":"x","datatype":"INT64","shape":[1],"data":[1.5]}`, "not an integer of INT64"},
		"negative":         {`{"name":"x","datatype":"UINT8","shape":[1],"data":[-1]}`, "not an integer of UINT8"},
		"null":             {`{"name":"x","datatype":"BOOL","shape":[1],"data":[null]}`, "not true or false"},
		"number in text":   {`{"name":"x","datatype":"BYTES","shape":[1],"data":[1]}`, "not text"},
		"shape":            {`{"name":"x","datatype":"FP32","shape":[2],"data":[1]}`, "its shape [2] needs 2"},
		"unknown datatype": {`{"name":"x","datatype":"FP8","shape":[1],"data":[1]}`, "unknown data type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v Values
			require.NoError(t, json.Unmarshal([]byte(c.text), &v))
			_, err := v.Tensor()
			assert.ErrorContains(t, err, c.err)
		})
	}
}

func TestCompareOutputs(t *testing.T) {
	t.Parallel()
	floats := func(values ...float32) tensor.Tensor {
		return tensor.Tensor{Name: "p", Datatype: tensor.FP32, Shape: []int64{int64(len(values) / 2), 2}, F32: values}
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, c := range map[string]struct {
		want, got tensor.Tensor
		tolerance Tolerance
		out       []string
	}{
		"equal":     {floats(1, 2, nan, inf), floats(1, 2, nan, inf), Tolerance{}, nil},
		"within":    {floats(1, 2), floats(1.0000001, 2.00001), Tolerance{1e-6, 1e-5}, nil},
		"beyond":    {floats(1, 2, 3, 4), floats(1, 2, 3, 4.5), Tolerance{1e-6, 1e-5}, []string{`output "p" row 1 element 1: got 4.5, want 4`}},
		"nan":       {floats(1, nan), floats(nan, 2), Tolerance{1, 1}, []string{`output "p" row 0 element 0: got NaN, want 1`, `output "p" row 0 element 1: got 2, want NaN`}},
		"infinity":  {floats(inf, 1), floats(-inf, inf), Tolerance{1, 1}, []string{`output "p" row 0 element 0: got -Inf, want +Inf`, `output "p" row 0 element 1: got +Inf, want 1`}},
		"shape":     {floats(1, 2), floats(1, 2, 3, 4), Tolerance{}, []string{`output "p": got p FP32 [2 2], want p FP32 [1 2]`}},
		"labels":    {tensor.Tensor{Name: "y", Datatype: tensor.Bytes, Shape: []int64{1}, Strs: []string{"a"}}, tensor.Tensor{Name: "y", Datatype: tensor.Bytes, Shape: []int64{1}, Strs: []string{"b"}}, Tolerance{9, 9}, []string{`output "y" row 0 element 0: got b, want a`}},
		"one class": {tensor.Tensor{Name: "y", Datatype: tensor.Int64, Shape: []int64{1}, I64: []int64{1}}, tensor.Tensor{Name: "y", Datatype: tensor.Int64, Shape: []int64{1}, I64: []int64{2}}, Tolerance{9, 9}, []string{`output "y" row 0 element 0: got 2, want 1`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, m := range CompareOutputs([]tensor.Tensor{c.want}, []tensor.Tensor{c.got}, c.tolerance) {
				got = append(got, m.String())
			}
			assert.Equal(t, c.out, got)
		})
	}
	assert.Len(t, CompareOutputs([]tensor.Tensor{floats(1, 2)}, nil, Tolerance{}), 1)
}
