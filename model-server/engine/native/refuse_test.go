package native_test

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// chain is a model whose nodes' outputs are named y0, y1, ...; its inputs are
// f and g (float), d (double), i (int64), b (bool) and s (text), all [N, 2].
func chain(nodes ...*onnx.Node) *onnx.Model {
	var inputs []*onnx.ValueInfo
	used := map[string]bool{}
	for k, n := range nodes {
		n.Outputs = []string{"y" + string(rune('0'+k))}
		for _, in := range n.Inputs {
			used[in] = true
		}
	}
	for _, v := range []struct {
		name string
		kind onnx.DataType
	}{{"f", onnx.Float}, {"g", onnx.Float}, {"d", onnx.Double}, {"i", onnx.Int64}, {"b", onnx.Bool}, {"s", onnx.String}, {"u", onnx.Uint8}} {
		if used[v.name] {
			inputs = append(inputs, onnxtest.Value(v.name, v.kind, -1, 2))
		}
	}
	last := nodes[len(nodes)-1].Outputs[0]
	return model(nodes, inputs, []*onnx.ValueInfo{onnxtest.Value(last, onnx.Float, -1, -1)})
}

func node(name, opType, domain string, inputs []string, attributes ...*onnx.Attribute) *onnx.Node {
	return &onnx.Node{Name: name, OpType: opType, Domain: domain, Inputs: inputs, Attributes: attributes}
}

// A model that can answer no request is refused when it is loaded, with the
// node, its types or shapes and what mends the export.
func TestLoadRefusesWhatCannotAnswer(t *testing.T) {
	t.Parallel()
	axis := onnxtest.Attribute("axis", 1)
	to := func(kind onnx.DataType) *onnx.Attribute { return onnxtest.Attribute("to", int(kind)) }
	classifier := func(in string, columns int) *onnx.Node {
		return node("lr", "LinearClassifier", mlDomain, []string{in}, onnxtest.Attribute("coefficients", make([]float32, 2*columns)),
			onnxtest.Attribute("intercepts", []float32{0, 0}), onnxtest.Attribute("classlabels_ints", []int64{0, 1}))
	}
	for name, c := range map[string]struct {
		model *onnx.Model
		err   []string
	}{
		"double and float joined": {chain(node("join", "Concat", "", []string{"f", "d"}, axis)),
			[]string{`node 0 "Concat" ("join"): its inputs are "f" FP32, "d" FP64; expected one type`, "X[:1].astype(numpy.float32)"}},
		"behind a cast": {chain(node("", "Cast", "", []string{"f"}, to(onnx.Double)), node("join", "Concat", "", []string{"f", "y0"}, axis)),
			[]string{`node 1 "Concat" ("join")`, `"y0" FP64`, "FloatTensorType"}},
		"whole and float joined": {chain(node("", "Concat", "", []string{"i", "f"}, axis)), []string{`"i" INT64, "f" FP32`, "Make every numeric column float32"}},
		"bool and float joined":  {chain(node("", "Concat", "", []string{"b", "f"}, axis)), []string{`"b" BOOL, "f" FP32`, "boolean columns"}},
		"text and float joined":  {chain(node("", "Concat", "", []string{"s", "f"}, axis)), []string{`"s" BYTES`, "encoder"}},
		"sum of two types":       {chain(node("", "Add", "", []string{"f", "d"})), []string{`"f" FP32, "d" FP64; expected one type`}},
		"product of two types":   {chain(node("", "MatMul", "", []string{"f", "d"})), []string{"expected one type"}},
		"choice of two types":    {chain(node("", "Where", "", []string{"b", "f", "d"})), []string{`"b" BOOL, "f" FP32, "d" FP64; expected BOOL and two of one type`}},
		"choice without a test":  {chain(node("", "Where", "", []string{"f", "f", "f"})), []string{"expected BOOL and two of one type"}},
		"comparison":             {chain(node("", "Less", "", []string{"f", "d"})), []string{"expected one type"}},
		"bounds":                 {chain(node("", "Clip", "", []string{"f", "d"})), []string{"expected one type"}},
		"text in a sum":          {chain(node("", "Add", "", []string{"s", "s"})), []string{"expected the first to be numbers"}},
		"bool in a root":         {chain(node("", "Sqrt", "", []string{"b"})), []string{`"b" BOOL; expected FP32 or FP64`, "X.astype(numpy.float32)"}},
		"whole in a sigmoid":     {chain(node("", "Sigmoid", "", []string{"i"})), []string{`"i" INT64; expected FP32 or FP64`, "not known for INT64 here"}},
		"not of a number":        {chain(node("", "Not", "", []string{"f"})), []string{"expected BOOL"}},
		"text in a scaler": {chain(node("", "Scaler", mlDomain, []string{"s"}, onnxtest.Attribute("offset", []float32{0}), onnxtest.Attribute("scale", []float32{1}))),
			[]string{`"s" BYTES; expected numbers`, "OneHotEncoder"}},
		"bool in an imputer":                   {chain(node("", "Imputer", mlDomain, []string{"b"}, onnxtest.Attribute("imputed_value_floats", []float32{1}))), []string{"expected FP32 or FP64"}},
		"float in an imputer of whole numbers": {chain(node("", "Imputer", mlDomain, []string{"f"}, onnxtest.Attribute("imputed_value_int64s", []int64{1}))), []string{"expected a signed integer"}},
		"numbers for text categories":          {chain(node("", "OneHotEncoder", mlDomain, []string{"f"}, onnxtest.Attribute("cats_strings", []string{"a"}))), []string{`"f" FP32; expected BYTES`}},
		"text for whole categories":            {chain(node("", "OneHotEncoder", mlDomain, []string{"s"}, onnxtest.Attribute("cats_int64s", []int64{1}))), []string{"expected numbers or BOOL"}},
		"numbers for text keys": {chain(node("", "LabelEncoder", mlDomain, []string{"f"}, onnxtest.Attribute("keys_strings", []string{"a"}), onnxtest.Attribute("values_int64s", []int64{1}))),
			[]string{"expected BYTES"}},
		"doubles in ZipMap":  {chain(node("", "ZipMap", mlDomain, []string{"d"}, onnxtest.Attribute("classlabels_int64s", []int64{0, 1}))), []string{"expected FP32"}},
		"float as positions": {chain(node("", "Gather", "", []string{"f", "g"})), []string{`expected the second to be a signed integer`}},

		"missing columns": {chain(node("", "Imputer", mlDomain, []string{"f"}, onnxtest.Attribute("imputed_value_floats", []float32{0})), classifier("y0", 3)),
			[]string{`node 1 "LinearClassifier" ("lr"): input has 2 columns, the coefficients are for 3`, "SimpleImputer(add_indicator=True)"}},
		"too many columns":  {chain(node("join", "Concat", "", []string{"f", "g"}, axis), classifier("y0", 3)), []string{"input has 4 columns, the coefficients are for 3"}},
		"widths of a sum":   {chain(node("wide", "Concat", "", []string{"f", "g"}, axis), node("sum", "Add", "", []string{"f", "y0"})), []string{`"Add" ("sum"): shapes`}},
		"axis out of range": {chain(node("", "Concat", "", []string{"f", "g"}, onnxtest.Attribute("axis", 2))), []string{"axis 2 is outside a tensor of 2 dimensions"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := native.Load(context.Background(), onnxtest.Encode(c.model), engine.Budget{})
			var mismatch *native.MismatchError
			require.ErrorAs(t, err, &mismatch)
			for _, want := range c.err {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

// What depends on a request's values or on the number of its rows is not held
// against the model.
func TestLoadKeepsWhatMayAnswer(t *testing.T) {
	t.Parallel()
	table := onnxtest.Floats("table", []float32{1, 2, 3, 4}, 2, 2)
	constant := func(m *onnx.Model, tensors ...*onnx.Tensor) *onnx.Model {
		m.Graph.Initializers = tensors
		return m
	}
	for name, m := range map[string]*onnx.Model{
		"an index that the made-up rows do not have": constant(chain(node("", "Gather", "", []string{"table", "i"})), table),
		"a category that they do not have":           chain(node("", "OneHotEncoder", mlDomain, []string{"s"}, onnxtest.Attribute("cats_strings", []string{"a"}), onnxtest.Attribute("zeros", 0))),
		"text that is no number in them":             chain(node("", "Cast", "", []string{"s"}, onnxtest.Attribute("to", int(onnx.Float)))),
		"a division by zero":                         chain(node("", "Div", "", []string{"i", "i"})),
		"as many rows as a constant has":             constant(chain(node("", "Gemm", "", []string{"f", "w"}, onnxtest.Attribute("transA", 1))), onnxtest.Floats("w", make([]float32, 15), 5, 3)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
			require.NoError(t, err)
			assert.EqualValues(t, -1, e.Signature().Inputs[0].Shape[0])
		})
	}
}

// An export with a fixed batch whose declaration says otherwise takes one row
// at a time, and its signature says so.
func TestAFixedBatchIsSeen(t *testing.T) {
	t.Parallel()
	m := chain(node("", "Reshape", "", []string{"f", "shape"}))
	m.Graph.Initializers = []*onnx.Tensor{onnxtest.Ints("shape", []int64{1, 2})}
	e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, e.Signature().Inputs[0].Shape)
	_, err = e.Infer(context.Background(), []tensor.Tensor{{Name: "f", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{1, 2}}})
	require.NoError(t, err)
}

// A model's own names do not flood the message.
func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 1<<20)
	_, err := native.Load(context.Background(), onnxtest.Encode(chain(node(long, "Sqrt", "", []string{"b"}))), engine.Budget{})
	require.ErrorContains(t, err, `node 0 "Sqrt" ("nnn`)
	assert.ErrorContains(t, err, "make boolean columns numbers")
	assert.Less(t, len(err.Error()), 3000)
}

// As many unknown operators as a file can name are counted, not listed.
func TestUnknownOperatorsAreCounted(t *testing.T) {
	t.Parallel()
	m := scaler()
	for k := range 100_000 {
		m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: fmt.Sprintf("Op%06d", k)})
	}
	m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Zzz"}, &onnx.Node{OpType: "SVMRegressor", Domain: mlDomain})
	_, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
	require.ErrorContains(t, err, "Op000000, Op000001, ")
	assert.ErrorContains(t, err, "and 99982 more")
	assert.ErrorContains(t, err, "ai.onnx.ml.SVMRegressor: it comes from a support vector machine")
}

// What scikit-learn's converter writes today and nobody can answer is refused,
// with what a user can do about it.
func TestExportsThatContradictThemselves(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "contradictory.zip")
	out, err := exec.Command(python(t), "testdata/contradictory.py", "--out", path).CombinedOutput()
	require.NoError(t, err, string(out))
	files := archive(t, path)
	models, err := fs.Glob(files, "*.onnx")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(models), 6)
	for _, name := range models {
		model, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		fragments, err := fs.ReadFile(files, strings.TrimSuffix(name, ".onnx")+".txt")
		require.NoError(t, err)
		_, err = native.Load(context.Background(), model, engine.Budget{})
		for fragment := range strings.Lines(string(fragments)) {
			assert.ErrorContains(t, err, strings.TrimSpace(fragment), name)
		}
		t.Logf("%s: %v", name, err)
	}
}
