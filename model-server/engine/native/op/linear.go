package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register(ML, "LinearClassifier", 1, 1, 2, buildLinearClassifier, linearClassifierTypes)
	register(ML, "LinearRegressor", 1, 1, 1, buildLinearRegressor, gives(numbers, tensor.FP32))
}

// linear is scores = X·Wᵀ + b, one row of W for each score.
type linear struct {
	weights    []float32
	intercepts []float32
	scores     int
	features   int
}

func newLinear(weights, intercepts []float32, scores int) (*linear, error) {
	if scores <= 0 || len(weights) == 0 || len(weights)%scores != 0 {
		return nil, fmt.Errorf("%d coefficients do not make %d rows", len(weights), scores)
	}
	if len(intercepts) == 0 {
		intercepts = make([]float32, scores)
	}
	if len(intercepts) != scores {
		return nil, fmt.Errorf("%d intercepts for %d scores", len(intercepts), scores)
	}
	return &linear{weights, intercepts, scores, len(weights) / scores}, nil
}

// rows returns the input as float32 with its number of rows.
func (l *linear) rows(c *Call, t *tensor.Tensor) ([]float32, int, error) {
	rows, columns, err := Matrix(t)
	if err != nil {
		return nil, 0, err
	}
	if columns != l.features {
		return nil, 0, fmt.Errorf("input has %d columns, the coefficients are for %d", columns, l.features)
	}
	if err := c.Spend(int64(rows) * int64(len(l.weights))); err != nil {
		return nil, 0, err
	}
	x, err := c.float32s(t)
	return x, rows, err
}

// score keeps the float64 of the sum: rounded to float32, a score of -20 would
// cost a probability its sixth digit.
func (l *linear) score(x []float32, out []float64) {
	for k := range l.scores {
		w := l.weights[k*l.features : (k+1)*l.features]
		out[k] = dot(x, w) + float64(l.intercepts[k])
	}
}

// labels picks class labels, text or integers, for a whole batch.
type labels struct {
	strings []string
	ints    []int64
}

func (n *Node) labels(strings, ints string) *labels {
	l := &labels{n.texts(strings), n.ints(ints)}
	if len(l.strings) > 0 {
		l.ints = nil
	}
	return l
}

// kind is the labels' datatype.
func (l *labels) kind() tensor.Datatype {
	if len(l.strings) > 0 {
		return tensor.Bytes
	}
	return tensor.Int64
}

func linearClassifierTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	return gives(numbers, n.labels("classlabels_strings", "classlabels_ints").kind(), tensor.FP32)(n, in)
}

func (l *labels) len() int { return len(l.strings) + len(l.ints) }

func (l *labels) tensor(winners []int32) *tensor.Tensor {
	t := &tensor.Tensor{Shape: []int64{int64(len(winners))}}
	if len(l.strings) > 0 {
		t.Datatype, t.Strs = tensor.Bytes, make([]string, len(winners))
		for i, w := range winners {
			t.Strs[i] = l.strings[w]
		}
		return t
	}
	t.Datatype, t.I64 = tensor.Int64, make([]int64, len(winners))
	for i, w := range winners {
		t.I64[i] = l.ints[w]
	}
	return t
}

// The class of the highest score wins, the first of equals; a single score
// decides between two classes by its sign.
func buildLinearClassifier(n *Node) (Kernel, error) {
	weights, intercepts := n.floats("coefficients"), n.floats("intercepts")
	classes := n.labels("classlabels_strings", "classlabels_ints")
	transform := n.postTransform()
	n.ignore("multi_class") // onnxruntime reads it and does not use it
	scores := len(intercepts)
	if scores == 0 {
		scores = classes.len()
	}
	l, err := newLinear(weights, intercepts, scores)
	if err != nil {
		return nil, err
	}
	two := scores == 1 && classes.len() == 2
	if !two && classes.len() != scores {
		return nil, fmt.Errorf("%d classes for %d scores", classes.len(), scores)
	}
	width := scores
	if two {
		width = 2
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		x, rows, err := l.rows(c, in[0])
		if err != nil {
			return nil, err
		}
		z, err := c.newTensor(tensor.FP32, []int64{int64(rows), int64(width)})
		if err != nil {
			return nil, err
		}
		winners, row := make([]int32, rows), make([]float64, scores)
		for r := range rows {
			out := z.F32[r*width : (r+1)*width]
			l.score(x[r*l.features:(r+1)*l.features], row)
			if two {
				if float32(row[0]) > 0 {
					winners[r] = 1
				}
				secondClass(transform, row[0], out)
				continue
			}
			// Of float32 scores, as onnxruntime decides: what it takes for equal
			// is equal here.
			for k, v := range row {
				if float32(v) > float32(row[winners[r]]) {
					winners[r] = int32(k)
				}
			}
			transformRow(transform, row, out)
		}
		return []*tensor.Tensor{classes.tensor(winners), z}, nil
	}, nil
}

func buildLinearRegressor(n *Node) (Kernel, error) {
	targets := n.int("targets", 1)
	if targets < 1 || targets > MaxElements {
		return nil, fmt.Errorf("%d targets", targets)
	}
	l, err := newLinear(n.floats("coefficients"), n.floats("intercepts"), int(targets))
	if err != nil {
		return nil, err
	}
	transform := n.postTransform()
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		x, rows, err := l.rows(c, in[0])
		if err != nil {
			return nil, err
		}
		z, err := c.newTensor(tensor.FP32, []int64{int64(rows), targets})
		if err != nil {
			return nil, err
		}
		row, apply := make([]float64, l.scores), transform
		if l.scores == 1 && transform != transformProbit {
			apply = transformNone // of a single score, as onnxruntime has it
		}
		for r := range rows {
			l.score(x[r*l.features:(r+1)*l.features], row)
			transformRow(apply, row, z.F32[r*l.scores:(r+1)*l.scores])
		}
		return []*tensor.Tensor{z}, nil
	}, nil
}
