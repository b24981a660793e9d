package onnx

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Difference is one place where two models differ.
type Difference struct {
	Where  string // initializer "coef" [12]; node 3 "LinearClassifier" attribute coefficients[5]
	Detail string // 0.123 vs 0.124 (max |difference| 1e-3 over 40 elements)
	// MaxAbs is the largest finite |difference| over all elements of that
	// tensor or list, 0 where numbers are not what differs.
	MaxAbs float64
	Hint   string // the likely cause and the way out, where there is a known one
}

func (d Difference) String() string {
	s := d.Where + ": " + d.Detail
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	return s
}

// Outcome says how two model files relate.
type Outcome string

const (
	Identical   Outcome = "identical"                        // the same bytes
	SameContent Outcome = "same content, different encoding" // other bytes that say the same
	Different   Outcome = "different"
)

// Comparison is the result of Compare.
type Comparison struct {
	Outcome     Outcome
	Differences []Difference // of Different only, first things first
}

// Compare compares two model files.
func Compare(a, b []byte) (Comparison, error) {
	if bytes.Equal(a, b) {
		return Comparison{Outcome: Identical}, nil
	}
	first, err := Parse(a)
	if err != nil {
		return Comparison{}, fmt.Errorf("the first model: %w", err)
	}
	second, err := Parse(b)
	if err != nil {
		return Comparison{}, fmt.Errorf("the second model: %w", err)
	}
	if differences := Diff(first, second); len(differences) > 0 {
		return Comparison{Different, differences}, nil
	}
	return Comparison{Outcome: SameContent}, nil
}

const (
	hintGraphName = "skl2onnx's convert_sklearn names the graph by a random id: use to_onnx, or pass name="
	hintProducer  = "the two were exported by different versions; pin the exporter"
	// maxDifferences bounds the list; two unrelated models differ everywhere.
	maxDifferences = 100
)

// Diff names where two models differ: what they compute first (nodes,
// attributes, initializers), then names and descriptions. What the standard
// gives no meaning to, such as the order of initializers and attributes or the
// encoding of a tensor, is no difference. nil means that both say the same.
func Diff(a, b *Model) []Difference {
	d := &differ{}
	var opsetsA, opsetsB = opsetText(a), opsetText(b)
	if opsetsA != opsetsB {
		d.add("opset imports", opsetsA+" vs "+opsetsB, 0, hintProducer)
	}
	d.graph("", a.Graph, b.Graph)
	d.text("producer", a.ProducerName+" "+a.ProducerVersion, b.ProducerName+" "+b.ProducerVersion, hintProducer)
	d.int("ir_version", a.IRVersion, b.IRVersion)
	d.text("domain", a.Domain, b.Domain, "")
	d.int("model_version", a.Version, b.Version)
	d.text("doc_string", a.Doc, b.Doc, "")
	d.properties("metadata", a.Metadata, b.Metadata)
	d.opaque(a.Opaque, b.Opaque)
	if d.more > 0 {
		d.list = append(d.list, Difference{Where: "and", Detail: fmt.Sprintf("%d further differences", d.more)})
	}
	return d.list
}

type differ struct {
	list []Difference
	more int
}

func (d *differ) add(where, detail string, maxAbs float64, hint string) {
	if len(d.list) >= maxDifferences {
		d.more++
		return
	}
	d.list = append(d.list, Difference{where, detail, maxAbs, hint})
}

func (d *differ) text(where, a, b, hint string) {
	if a != b {
		d.add(where, quote(a)+" vs "+quote(b), 0, hint)
	}
}

func (d *differ) int(where string, a, b int64) {
	if a != b {
		d.add(where, fmt.Sprintf("%d vs %d", a, b), math.Abs(float64(a)-float64(b)), "")
	}
}

// quote makes text from a model safe to print, and short.
func quote(s string) string {
	const limit = 80
	if len(s) > limit {
		return strconv.QuoteToASCII(s[:limit]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

func opsetText(m *Model) string {
	set := map[string]bool{}
	for _, o := range m.Opsets {
		domain := o.Domain
		if domain == "" {
			domain = "ai.onnx"
		}
		set[fmt.Sprintf("%s %d", domain, o.Version)] = true
	}
	names := make([]string, 0, len(set))
	for s := range set {
		names = append(names, s)
	}
	slices.Sort(names)
	return quote(strings.Join(names, ", "))
}

// graph compares two graphs; in is "" for the model's own, else what holds it.
func (d *differ) graph(in string, a, b *Graph) {
	d.nodes(in, a.Nodes, b.Nodes)
	d.initializers(in, a.Initializers, b.Initializers)
	d.values(in+"input", a.Inputs, b.Inputs, true)
	d.values(in+"output", a.Outputs, b.Outputs, true)
	d.values(in+"value_info", a.Values, b.Values, false)
	d.text(in+"graph name", a.Name, b.Name, hintGraphName)
	d.text(in+"graph doc_string", a.Doc, b.Doc, "")
	d.properties(in+"graph metadata", a.Metadata, b.Metadata)
}

func (d *differ) nodes(in string, a, b []*Node) {
	if len(a) != len(b) {
		d.add(in+"number of nodes", fmt.Sprintf("%d vs %d", len(a), len(b)), 0, "")
	}
	for i := range min(len(a), len(b)) {
		where := fmt.Sprintf("%snode %d %s", in, i, quote(a[i].OpType))
		if a[i].OpType != b[i].OpType || a[i].Domain != b[i].Domain {
			d.add(fmt.Sprintf("%snode %d", in, i), quote(a[i].OpType)+" vs "+quote(b[i].OpType), 0, "")
			return // from here on, other nodes would be compared with each other
		}
		d.node(where, a[i], b[i])
	}
}

func (d *differ) node(where string, a, b *Node) {
	attributes := func(n *Node) map[string]*Attribute {
		m := map[string]*Attribute{}
		for _, x := range n.Attributes {
			m[x.Name] = x
		}
		return m
	}
	pair(attributes(a), attributes(b), func(name string, x, y *Attribute) {
		at := where + " attribute " + plain(name)
		switch {
		case x == nil:
			d.add(at, "only in the second model", 0, "")
		case y == nil:
			d.add(at, "only in the first model", 0, "")
		default:
			d.attribute(at, x, y)
		}
	})
	d.texts(where+" inputs", a.Inputs, b.Inputs)
	d.texts(where+" outputs", a.Outputs, b.Outputs)
	d.text(where+" name", a.Name, b.Name, "")
	d.text(where+" overload", a.Overload, b.Overload, "")
	d.text(where+" doc_string", a.Doc, b.Doc, "")
	d.properties(where+" metadata", a.Metadata, b.Metadata)
}

// plain leaves identifiers as they are and quotes everything else.
func plain(name string) string {
	ordinary := !strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '.')
	})
	if name != "" && ordinary && len(name) <= 80 {
		return name
	}
	return quote(name)
}

func (d *differ) attribute(where string, a, b *Attribute) {
	if a.Type != b.Type {
		d.add(where, fmt.Sprintf("type %d vs %d", a.Type, b.Type), 0, "")
		return
	}
	if a.Type == AttributeFloat {
		d.floats(where, "", []float32{a.F}, []float32{b.F})
	}
	d.int(where, a.I, b.I)
	d.text(where, a.S, b.S, "")
	d.floats(where, "", a.Floats, b.Floats)
	d.ints(where, "", a.Ints, b.Ints)
	d.texts(where, a.Strings, b.Strings)
	d.text(where+" reference", a.RefAttr, b.RefAttr, "")
	d.text(where+" doc_string", a.Doc, b.Doc, "")
	d.tensors(where, one(a.T, a.Tensors), one(b.T, b.Tensors))
	graphsA, graphsB := one(a.G, a.Graphs), one(b.G, b.Graphs)
	if len(graphsA) != len(graphsB) {
		d.add(where, fmt.Sprintf("%d vs %d graphs", len(graphsA), len(graphsB)), 0, "")
		return
	}
	for i := range graphsA {
		d.graph(where+": ", graphsA[i], graphsB[i])
	}
}

func one[T any](first *T, rest []*T) []*T {
	if first != nil {
		return append([]*T{first}, rest...)
	}
	return rest
}

func (d *differ) tensors(where string, a, b []*Tensor) {
	if len(a) != len(b) {
		d.add(where, fmt.Sprintf("%d vs %d tensors", len(a), len(b)), 0, "")
		return
	}
	for i := range a {
		d.text(where+" tensor name", a[i].Name, b[i].Name, "")
		d.tensor(where, a[i], b[i])
	}
}

func (d *differ) initializers(in string, a, b []*Tensor) {
	byName := func(list []*Tensor) map[string]*Tensor {
		m := map[string]*Tensor{}
		for _, t := range list {
			m[t.Name] = t
		}
		return m
	}
	pair(byName(a), byName(b), func(name string, x, y *Tensor) {
		where := in + "initializer " + quote(name)
		switch {
		case x == nil:
			d.add(where, "only in the second model", 0, "")
		case y == nil:
			d.add(where, "only in the first model", 0, "")
		default:
			d.tensor(where, x, y)
		}
	})
}

func (d *differ) tensor(where string, a, b *Tensor) {
	if a.DataType != b.DataType {
		d.add(where, fmt.Sprintf("%s vs %s", a.DataType, b.DataType), 0, "")
		return
	}
	if !slices.Equal(a.Dims, b.Dims) {
		d.add(where, fmt.Sprintf("shape %v vs %v", a.Dims, b.Dims), 0, "")
		return
	}
	d.text(where+" doc_string", a.Doc, b.Doc, "")
	d.properties(where+" metadata", a.Metadata, b.Metadata)
	if a.External != b.External {
		d.add(where, "in the file vs in another file", 0, "")
		return
	}
	if a.External {
		return // where the numbers are is among the opaque fields
	}
	switch a.DataType {
	case Float, Float16, BFloat16:
		x, errX := a.Floats()
		y, errY := b.Floats()
		d.readable(where, errX, errY, func() { d.floats(where, " ", x, y) })
	case Double:
		x, errX := a.Doubles()
		y, errY := b.Doubles()
		d.readable(where, errX, errY, func() { d.doubles(where, " ", x, y) })
	case String:
		x, errX := a.Texts()
		y, errY := b.Texts()
		d.readable(where, errX, errY, func() { d.texts(where+" ", x, y) })
	case Bool, Uint8, Int8, Uint16, Int16, Uint32, Int32, Uint64, Int64:
		x, errX := a.Ints()
		y, errY := b.Ints()
		d.readable(where, errX, errY, func() { d.ints(where, " ", x, y) })
	default:
		same := bytes.Equal(a.Raw, b.Raw) && slices.Equal(a.ints32, b.ints32) && slices.EqualFunc(a.floats, b.floats, sameBits32) && slices.EqualFunc(a.doubles, b.doubles, sameBits64)
		if !same {
			d.add(where, "other bytes of "+a.DataType.String(), 0, "")
		}
	}
}

// readable calls compare where both tensors could be read. Two that are
// damaged in the same way are no difference, but never silently equal to a
// good one.
func (d *differ) readable(where string, a, b error, compare func()) {
	if a == nil && b == nil {
		compare()
		return
	}
	text := func(err error) string {
		if err == nil {
			return "readable"
		}
		return quote(err.Error())
	}
	if text(a) != text(b) {
		d.add(where, text(a)+" vs "+text(b), 0, "")
	}
}

func (d *differ) floats(where, gap string, a, b []float32) {
	numbers(d, where, gap, a, b, func(x, y float32) (bool, float64) {
		return sameBits32(x, y), math.Abs(float64(x) - float64(y))
	}, func(x float32) string { return strconv.FormatFloat(float64(x), 'g', -1, 32) })
}

func (d *differ) doubles(where, gap string, a, b []float64) {
	numbers(d, where, gap, a, b, func(x, y float64) (bool, float64) {
		return sameBits64(x, y), math.Abs(x - y)
	}, func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) })
}

// Equal bits, so that a NaN equals itself and the zeros differ.
func sameBits32(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }
func sameBits64(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }

func (d *differ) ints(where, gap string, a, b []int64) {
	numbers(d, where, gap, a, b, func(x, y int64) (bool, float64) {
		return x == y, math.Abs(float64(x) - float64(y))
	}, func(x int64) string { return strconv.FormatInt(x, 10) })
}

// numbers reports the first element that differs and the largest difference of
// all.
func numbers[T any](d *differ, where, gap string, a, b []T, compare func(x, y T) (bool, float64), format func(T) string) {
	if len(a) != len(b) {
		d.add(where, fmt.Sprintf("%d vs %d elements", len(a), len(b)), 0, "")
		return
	}
	first, count, maxAbs := -1, 0, 0.0
	for i := range a {
		same, abs := compare(a[i], b[i])
		if same {
			continue
		}
		if first < 0 {
			first = i
		}
		count++
		if abs > maxAbs && !math.IsInf(abs, 0) {
			maxAbs = abs
		}
	}
	if first < 0 {
		return
	}
	detail := format(a[first]) + " vs " + format(b[first])
	if len(a) == 1 {
		d.add(where, detail, maxAbs, "")
		return
	}
	d.add(fmt.Sprintf("%s%s[%d]", where, gap, first), fmt.Sprintf("%s (max |difference| %.3g over %d elements, %d of them differ)", detail, maxAbs, len(a), count), maxAbs, "")
}

func (d *differ) texts(where string, a, b []string) {
	if len(a) != len(b) {
		d.add(strings.TrimSuffix(where, " "), fmt.Sprintf("%d vs %d elements", len(a), len(b)), 0, "")
		return
	}
	for i := range a {
		if a[i] != b[i] {
			d.add(fmt.Sprintf("%s[%d]", where, i), quote(a[i])+" vs "+quote(b[i]), 0, "")
			return
		}
	}
}

func (d *differ) values(where string, a, b []*ValueInfo, ordered bool) {
	if ordered {
		if len(a) != len(b) {
			d.add(where+"s", fmt.Sprintf("%d vs %d", len(a), len(b)), 0, "")
		}
		for i := range min(len(a), len(b)) {
			at := fmt.Sprintf("%s %d", where, i)
			d.text(at+" name", a[i].Name, b[i].Name, "")
			d.value(at, a[i], b[i])
		}
		return
	}
	byName := func(list []*ValueInfo) map[string]*ValueInfo {
		m := map[string]*ValueInfo{}
		for _, v := range list {
			m[v.Name] = v
		}
		return m
	}
	pair(byName(a), byName(b), func(name string, x, y *ValueInfo) {
		if x == nil || y == nil {
			d.add(where+" "+quote(name), "in one model only", 0, "")
			return
		}
		d.value(where+" "+quote(name), x, y)
	})
}

func (d *differ) value(where string, a, b *ValueInfo) {
	if x, y := a.Type.String(), b.Type.String(); x != y {
		d.add(where+" type", x+" vs "+y, 0, "")
	}
	d.text(where+" doc_string", a.Doc, b.Doc, "")
	d.properties(where+" metadata", a.Metadata, b.Metadata)
}

// String is the type in short: float[N,4], seq(map(int64,float[])).
func (t *Type) String() string {
	if t == nil {
		return "unknown"
	}
	switch t.Kind {
	case KindTensor, KindSparseTensor:
		s := t.DataType.String()
		if t.Kind == KindSparseTensor {
			s = "sparse " + s
		}
		if !t.HasShape {
			return s
		}
		dims := make([]string, len(t.Shape))
		for i, dim := range t.Shape {
			switch {
			case dim.Known:
				dims[i] = strconv.FormatInt(dim.Size, 10)
			case dim.Param != "":
				dims[i] = plain(dim.Param)
			default:
				dims[i] = "?"
			}
		}
		return s + "[" + strings.Join(dims, ",") + "]"
	case KindSequence:
		return "seq(" + t.Elem.String() + ")"
	case KindMap:
		return "map(" + t.DataType.String() + "," + t.Elem.String() + ")"
	case KindOptional:
		return "optional(" + t.Elem.String() + ")"
	}
	return "unknown"
}

func (d *differ) properties(where string, a, b []Property) {
	byKey := func(list []Property) map[string]*Property {
		m := map[string]*Property{}
		for i := range list {
			m[list[i].Key] = &list[i]
		}
		return m
	}
	pair(byKey(a), byKey(b), func(key string, x, y *Property) {
		if x == nil || y == nil {
			d.add(where+" "+quote(key), "in one model only", 0, "")
			return
		}
		d.text(where+" "+quote(key), x.Value, y.Value, "")
	})
}

// opaque compares what is known by digest only.
func (d *differ) opaque(a, b []Opaque) {
	if slices.Equal(a, b) {
		return
	}
	where := "fields that this reader does not interpret"
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			d.add(where, fmt.Sprintf("field %d of %s is in the second model only", b[i].Field, b[i].Message), 0, "")
		case i >= len(b):
			d.add(where, fmt.Sprintf("field %d of %s is in the first model only", a[i].Field, a[i].Message), 0, "")
		case a[i] != b[i]:
			d.add(where, fmt.Sprintf("field %d of %s vs field %d of %s, other bytes", a[i].Field, a[i].Message, b[i].Field, b[i].Message), 0, "")
		default:
			continue
		}
		return
	}
}

// pair calls do for every key of both maps, in order.
func pair[T any](a, b map[string]*T, do func(key string, x, y *T)) {
	keys := make([]string, 0, len(a))
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if a[k] == nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		do(k, a[k], b[k])
	}
}
