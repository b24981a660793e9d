package onnx_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
)

func example() *onnx.Model {
	return &onnx.Model{
		IRVersion: 8, ProducerName: "skl2onnx", ProducerVersion: "1.20.0", Domain: "ai.onnx", Doc: "doc",
		Opsets:   []onnx.Opset{{Domain: "", Version: 21}, {Domain: "ai.onnx.ml", Version: 1}},
		Metadata: []onnx.Property{{Key: "k", Value: "v"}},
		Graph: &onnx.Graph{
			Name: "abc",
			Nodes: []*onnx.Node{
				{Name: "n0", OpType: "Add", Inputs: []string{"x", "coef"}, Outputs: []string{"sum"}},
				{Name: "n1", OpType: "LinearClassifier", Domain: "ai.onnx.ml", Inputs: []string{"sum", ""}, Outputs: []string{"label", "p"}, Attributes: []*onnx.Attribute{
					onnxtest.Attribute("coefficients", []float32{1, 2, 3, 4, 5, 6}),
					onnxtest.Attribute("classlabels_strings", []string{"a", "b"}),
					onnxtest.Attribute("multi_class", 1),
					onnxtest.Attribute("post_transform", "LOGISTIC"),
				}},
			},
			Initializers: []*onnx.Tensor{onnxtest.Floats("coef", []float32{0.5, 0.123, 3}, 1, 3), onnxtest.Ints("shape", []int64{-1, 2})},
			Inputs:       []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 3)},
			Outputs:      []*onnx.ValueInfo{onnxtest.Value("label", onnx.String, -1), onnxtest.Value("p", onnx.Float, -1, 2)},
		},
	}
}

func TestParseReadsEveryField(t *testing.T) {
	t.Parallel()
	want := example()
	want.Graph.Nodes[0].Attributes = []*onnx.Attribute{
		onnxtest.Attribute("f", float32(1.5)),
		onnxtest.Attribute("t", onnxtest.Floats("inner", []float32{1})),
		{Name: "g", Type: onnx.AttributeGraph, G: &onnx.Graph{Name: "body"}},
	}
	want.Graph.Outputs[1].Type = &onnx.Type{Kind: onnx.KindSequence, Elem: &onnx.Type{Kind: onnx.KindMap, DataType: onnx.Int64, Elem: &onnx.Type{Kind: onnx.KindTensor, DataType: onnx.Float}}}
	got, err := onnx.Parse(onnxtest.Encode(want))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, "seq(map(int64,float))", got.Graph.Outputs[1].Type.String())
	assert.Equal(t, int64(21), got.Opset(""))
	assert.Nil(t, got.Graph.Nodes[0].Attribute("none"))
}

// A tensor's numbers are the same whether raw, packed or one by one.
func TestTensorEncodings(t *testing.T) {
	t.Parallel()
	varint := func(num protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
	}
	block := func(num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
	}
	head := func(dataType onnx.DataType, n uint64) []byte {
		return append(varint(1, n), varint(2, uint64(dataType))...)
	}
	fixed := func(v float32) []byte {
		return protowire.AppendFixed32(protowire.AppendTag(nil, 4, protowire.Fixed32Type), math.Float32bits(v))
	}
	packedFloats := protowire.AppendFixed32(protowire.AppendFixed32(nil, math.Float32bits(1.5)), math.Float32bits(-2))
	packedDoubles := protowire.AppendFixed64(protowire.AppendFixed64(nil, math.Float64bits(1.5)), math.Float64bits(-2))
	packedInts := protowire.AppendVarint(protowire.AppendVarint(nil, 7), math.MaxUint64-2)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		tensor []byte
		want   any
	}{
		"floats one by one": {join(head(onnx.Float, 2), fixed(1.5), fixed(-2)), []float32{1.5, -2}},
		"floats packed":     {join(head(onnx.Float, 2), block(4, packedFloats)), []float32{1.5, -2}},
		"floats raw":        {join(head(onnx.Float, 2), block(9, packedFloats)), []float32{1.5, -2}},
		"doubles packed":    {join(head(onnx.Double, 2), block(10, packedDoubles)), []float64{1.5, -2}},
		"doubles raw":       {join(head(onnx.Double, 2), block(9, packedDoubles)), []float64{1.5, -2}},
		"halves raw":        {join(head(onnx.Float16, 4), block(9, []byte{0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c})), []float32{1, -2, 1. / (1 << 24), float32(math.Inf(1))}},
		"halves listed":     {join(head(onnx.Float16, 1), block(5, protowire.AppendVarint(nil, 0x3c00))), []float32{1}},
		"bfloat raw":        {join(head(onnx.BFloat16, 1), block(9, []byte{0x80, 0x3f})), []float32{1}},
		"int64 packed":      {join(head(onnx.Int64, 2), block(7, packedInts)), []int64{7, -3}},
		"int64 raw":         {join(head(onnx.Int64, 1), block(9, []byte{255, 255, 255, 255, 255, 255, 255, 255})), []int64{-1}},
		"int32 packed":      {join(head(onnx.Int32, 2), block(5, packedInts)), []int64{7, -3}},
		"int8 raw":          {join(head(onnx.Int8, 1), block(9, []byte{255})), []int64{-1}},
		"uint8 raw":         {join(head(onnx.Uint8, 1), block(9, []byte{255})), []int64{255}},
		"int16 raw":         {join(head(onnx.Int16, 1), block(9, []byte{254, 255})), []int64{-2}},
		"uint32 raw":        {join(head(onnx.Uint32, 1), block(9, []byte{255, 255, 255, 255})), []int64{math.MaxUint32}},
		"bool raw":          {join(head(onnx.Bool, 2), block(9, []byte{1, 0})), []int64{1, 0}},
		"strings":           {join(head(onnx.String, 2), block(6, []byte("a")), block(6, nil)), []string{"a", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := onnx.Parse(join(varint(1, 8), block(7, block(5, c.tensor))))
			require.NoError(t, err)
			tensor := m.Graph.Initializers[0]
			var got any
			switch tensor.DataType {
			case onnx.Float, onnx.Float16, onnx.BFloat16:
				got, err = tensor.Floats()
			case onnx.Double:
				got, err = tensor.Doubles()
			case onnx.String:
				got, err = tensor.Texts()
			default:
				got, err = tensor.Ints()
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestTensorsThatLie(t *testing.T) {
	t.Parallel()
	raw := func(dims ...int64) *onnx.Tensor {
		return &onnx.Tensor{Name: "w", DataType: onnx.Float, Dims: dims, HasRaw: true, Raw: make([]byte, 8)}
	}
	for name, c := range map[string]struct {
		tensor *onnx.Tensor
		err    string
	}{
		"too long":  {raw(1), "has 8 bytes, its shape [1] needs 4"},
		"too short": {raw(1<<30, 1), "needs 4294967296"},
		"overflow":  {raw(math.MaxInt64, math.MaxInt64), "too many elements"},
		"negative":  {raw(-1), "negative dimension"},
		"external":  {&onnx.Tensor{Name: "w", DataType: onnx.Float, External: true}, "another file"},
		"type":      {onnxtest.Ints("w", nil), "holds int64, expected float"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.tensor.Floats()
			require.ErrorContains(t, err, c.err)
			assert.ErrorContains(t, err, `"w"`)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := onnxtest.Encode(example())
	deep := &onnx.Graph{}
	for range 20 {
		deep = &onnx.Graph{Nodes: []*onnx.Node{{OpType: "If", Attributes: []*onnx.Attribute{{Name: "g", Type: onnx.AttributeGraph, G: deep}}}}}
	}
	twice := example()
	twice.Graph.Initializers = append(twice.Graph.Initializers, twice.Graph.Initializers[0])
	graph := func(b []byte) []byte {
		return append([]byte{8, 8}, protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), b)...)
	}
	for name, c := range map[string]struct {
		data []byte
		err  string
	}{
		"empty":         {nil, "empty"},
		"text":          {[]byte("hello, world"), "not an ONNX model"},
		"truncated":     {good[:len(good)-3], "truncated"},
		"deep":          {onnxtest.Encode(&onnx.Model{IRVersion: 8, Graph: deep}), "nested more than 32 deep"},
		"empty nodes":   {graph(bytes.Repeat([]byte{0x0a, 0}, 100_000)), "more messages than its size can explain"},
		"wire type":     {graph([]byte{0x08, 1}), "graph, node: field 1 of GraphProto has wire type 0, expected 2"},
		"inner length":  {graph([]byte{0x0a, 2, 0x0a, 9}), "graph, node 0: NodeProto is damaged: a field is longer than what holds it"},
		"group":         {graph([]byte{0x0b}), "unknown wire type"},
		"initializers":  {onnxtest.Encode(twice), `initializer "coef" is there twice`},
		"half a float":  {graph([]byte{0x2a, 4, 0x22, 2, 0, 0}), "no whole number of floats"},
		"endless value": {graph([]byte{0x2a, 13, 0x3a, 11, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := onnx.Parse(c.data)
			var parse *onnx.ParseError
			require.ErrorAs(t, err, &parse)
			assert.ErrorContains(t, err, c.err)
		})
	}
	bare := example() // what follows the graph is optional for protobuf
	bare.Opsets, bare.Metadata = nil, nil
	for cut := range onnxtest.Encode(bare) {
		_, err := onnx.Parse(good[:cut])
		assert.Error(t, err, "cut at %d", cut)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*onnx.Model)
		want   []string
		maxAbs float64
	}{
		"equal": {func(*onnx.Model) {}, nil, 0},
		"initializer": {func(m *onnx.Model) {
			m.Graph.Initializers[0] = onnxtest.Floats("coef", []float32{0.5, 0.124, 3.5}, 1, 3)
		}, []string{`initializer "coef" [1]: 0.123 vs 0.124 (max |difference| 0.5 over 3 elements, 2 of them differ)`}, 0.5},
		"shape":           {func(m *onnx.Model) { m.Graph.Initializers[0].Dims = []int64{3, 1} }, []string{`initializer "coef": shape [1 3] vs [3 1]`}, 0},
		"attribute":       {func(m *onnx.Model) { m.Graph.Nodes[1].Attributes[0].Floats[5] = 6.25 }, []string{`node 1 "LinearClassifier" attribute coefficients[5]: 6 vs 6.25 (max |difference| 0.25 over 6 elements, 1 of them differ)`}, 0.25},
		"NaN":             {func(m *onnx.Model) { m.Graph.Nodes[1].Attributes[0].Floats[5] = float32(math.NaN()) }, []string{`node 1 "LinearClassifier" attribute coefficients[5]: 6 vs NaN (max |difference| 0 over 6 elements, 1 of them differ)`}, 0},
		"length":          {func(m *onnx.Model) { m.Graph.Nodes[1].Attributes[0].Floats = []float32{1} }, []string{`node 1 "LinearClassifier" attribute coefficients: 6 vs 1 elements`}, 0},
		"string":          {func(m *onnx.Model) { m.Graph.Nodes[1].Attributes[3].S = "SOFTMAX" }, []string{`node 1 "LinearClassifier" attribute post_transform: "LOGISTIC" vs "SOFTMAX"`}, 0},
		"class":           {func(m *onnx.Model) { m.Graph.Nodes[1].Attributes[1].Strings[1] = "c" }, []string{`node 1 "LinearClassifier" attribute classlabels_strings[1]: "b" vs "c"`}, 0},
		"attribute gone":  {func(m *onnx.Model) { m.Graph.Nodes[1].Attributes = m.Graph.Nodes[1].Attributes[1:] }, []string{`node 1 "LinearClassifier" attribute coefficients: only in the first model`}, 0},
		"graph name":      {func(m *onnx.Model) { m.Graph.Name = "def" }, []string{`graph name: "abc" vs "def" (skl2onnx's convert_sklearn names the graph by a random id: use to_onnx, or pass name=)`}, 0},
		"operator":        {func(m *onnx.Model) { m.Graph.Nodes[0].OpType = "Sub" }, []string{`node 0: "Add" vs "Sub"`}, 0},
		"one node less":   {func(m *onnx.Model) { m.Graph.Nodes = m.Graph.Nodes[:1] }, []string{`number of nodes: 2 vs 1`}, 0},
		"input name":      {func(m *onnx.Model) { m.Graph.Nodes[0].Inputs[0] = "y" }, []string{`node 0 "Add" inputs[0]: "x" vs "y"`}, 0},
		"type":            {func(m *onnx.Model) { m.Graph.Inputs[0] = onnxtest.Value("x", onnx.Double, -1, 4) }, []string{`input 0 type: float[?,3] vs double[?,4]`}, 0},
		"metadata":        {func(m *onnx.Model) { m.Metadata[0].Value = "w" }, []string{`metadata "k": "v" vs "w"`}, 0},
		"opset":           {func(m *onnx.Model) { m.Opsets[0].Version = 22 }, []string{`opset imports: "ai.onnx 21, ai.onnx.ml 1" vs "ai.onnx 22, ai.onnx.ml 1" (the two were exported by different versions; pin the exporter)`}, 0},
		"text is escaped": {func(m *onnx.Model) { m.Doc = "\x1b[31m\u202e" + strings.Repeat("x", 200) }, []string{`doc_string: "doc" vs "\x1b[31m\u202e` + strings.Repeat("x", 72) + `"...`}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := example()
			c.change(other)
			var got []string
			differences := onnx.Diff(example(), other)
			for _, d := range differences {
				got = append(got, d.String())
			}
			assert.Equal(t, c.want, got)
			if len(differences) > 0 {
				assert.Equal(t, c.maxAbs, differences[0].MaxAbs)
			}
		})
	}
}

func TestDiffIsBounded(t *testing.T) {
	t.Parallel()
	many := func(v float32) *onnx.Model {
		m := example()
		for i := range 500 {
			m.Graph.Initializers = append(m.Graph.Initializers, onnxtest.Floats(fmt.Sprint("w", i), []float32{v}))
		}
		return m
	}
	differences := onnx.Diff(many(1), many(2))
	require.Len(t, differences, 101)
	assert.Equal(t, "and: 400 further differences", differences[100].String())
}

func TestCompare(t *testing.T) {
	t.Parallel()
	a := onnxtest.Encode(example())
	same, err := onnx.Compare(a, bytes.Clone(a))
	require.NoError(t, err)
	assert.Equal(t, onnx.Comparison{Outcome: onnx.Identical}, same)

	reordered := example()
	attributes := reordered.Graph.Nodes[1].Attributes
	attributes[0], attributes[2] = attributes[2], attributes[0]
	reordered.Graph.Initializers[0], reordered.Graph.Initializers[1] = reordered.Graph.Initializers[1], reordered.Graph.Initializers[0]
	reordered.Opsets = append(reordered.Opsets, reordered.Opsets[0])
	same, err = onnx.Compare(a, onnxtest.Encode(reordered))
	require.NoError(t, err)
	assert.Equal(t, onnx.Comparison{Outcome: onnx.SameContent}, same)

	// A field from a future release is not understood, and not ignored either.
	future := protowire.AppendTag(bytes.Clone(a), 20, protowire.BytesType)
	future = protowire.AppendBytes(future, []byte("training"))
	other, err := onnx.Compare(a, future)
	require.NoError(t, err)
	require.Equal(t, onnx.Different, other.Outcome)
	assert.Equal(t, "fields that this reader does not interpret: field 20 of ModelProto is in the second model only", other.Differences[0].String())

	_, err = onnx.Compare(a, []byte("x"))
	require.ErrorIs(t, err, onnx.ErrNotONNX)
	assert.ErrorContains(t, err, "the second model")
}

// FuzzParse: no panic, and what parses can be compared with itself.
func FuzzParse(f *testing.F) {
	good := onnxtest.Encode(example())
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{8, 8, 0x3a, 0})
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Parse(data)
		if err != nil {
			return
		}
		assert.Empty(t, onnx.Diff(m, m))
		for _, tensor := range m.Graph.Initializers {
			_, _ = tensor.Floats()
			_, _ = tensor.Doubles()
			_, _ = tensor.Ints()
			_, _ = tensor.Texts()
		}
	})
}
