package native

import (
	"fmt"
	"sync"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register(ml, "TreeEnsembleClassifier", 1, 1, 2, buildTreeClassifier)
	register(ml, "TreeEnsembleRegressor", 1, 1, 1, buildTreeRegressor)
}

// ensemble holds a forest in the precision that the input asks for: float64
// where rows are FP64, else float32, as onnxruntime does.
type ensemble struct {
	list     *treeList
	outputs  int
	narrow   *forest[float32]
	wideOnce func() (*forest[float64], error)
}

func newEnsemble(l *treeList, outputs int) (*ensemble, error) {
	narrow, err := newForest[float32](l, outputs)
	if err != nil {
		return nil, err
	}
	wide := sync.OnceValues(func() (*forest[float64], error) { return newForest[float64](l, outputs) })
	return &ensemble{l, outputs, narrow, wide}, nil
}

// regression finishes the scores of one row.
type regression[T float32 | float64] struct {
	outputs   int
	trees     int
	aggregate string
	sum       bool // SUM or AVERAGE
	transform string
	base      []T
}

func buildTreeRegressor(n *node) (kernel, error) {
	l := readTrees(n, "target")
	targets := n.int("n_targets", 1)
	aggregate := n.choice("aggregate_function", "SUM", "SUM", "AVERAGE", "MIN", "MAX")
	transform := n.postTransform()
	if targets < 1 || targets > 1<<20 {
		return nil, fmt.Errorf("has %d targets", targets)
	}
	if b := len(l.base); b != 0 && b != 1 && int64(b) != targets {
		return nil, fmt.Errorf("has %d base_values for %d targets", b, targets)
	}
	e, err := newEnsemble(l, int(targets))
	if err != nil {
		return nil, err
	}
	sum, narrowBase := aggregate == "SUM" || aggregate == "AVERAGE", convert[float32](l.base)
	return func(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		if in[0].Datatype == tensor.FP64 {
			f, err := e.wideOnce()
			if err != nil {
				return nil, err
			}
			return regress(f, regression[float64]{int(targets), len(f.roots), aggregate, sum, transform, l.base}, in[0])
		}
		f := e.narrow
		return regress(f, regression[float32]{int(targets), len(f.roots), aggregate, sum, transform, narrowBase}, in[0])
	}, nil
}

func regress[T float32 | float64](f *forest[T], r regression[T], t *tensor.Tensor) ([]*tensor.Tensor, error) {
	x, rows, columns, err := f.input(t)
	if err != nil {
		return nil, err
	}
	z, err := newTensor(tensor.FP32, []int64{int64(rows), int64(r.outputs)})
	if err != nil {
		return nil, err
	}
	f.each(rows, func(from, to int) {
		scores := make([]T, (to-from)*r.outputs)
		found := make([]bool, len(scores))
		f.visit(x[from*columns:to*columns], columns, func(row int, leaf int32) {
			for w := f.starts[leaf]; w < f.starts[leaf+1]; w++ {
				k := row*r.outputs + int(f.targets[w])
				r.add(&scores[k], &found[k], f.weights[w])
				if r.outputs == 1 {
					break // onnxruntime takes the first weight of a single target
				}
			}
		})
		for i := from; i < to; i++ {
			at := (i - from) * r.outputs
			r.finish(scores[at:at+r.outputs], found[at:at+r.outputs], z.F32[i*r.outputs:(i+1)*r.outputs])
		}
	})
	return []*tensor.Tensor{z}, nil
}

func (r *regression[T]) add(score *T, found *bool, w T) {
	switch {
	case r.sum:
		*score += w
	case r.aggregate == "MIN":
		if !*found || w < *score {
			*score = w
		}
	default: // MAX
		if !*found || w > *score {
			*score = w
		}
	}
	*found = true
}

// finish adds the base values. A target of several that no leaf scored stays
// 0 without its base value, as in onnxruntime.
func (r *regression[T]) finish(scores []T, found []bool, out []float32) {
	for k, s := range scores {
		if r.aggregate == "AVERAGE" {
			s /= T(r.trees)
		}
		switch {
		case len(scores) == 1 && len(r.base) == 1:
			s += r.base[0]
		case len(r.base) == len(scores) && found[k]:
			s += r.base[k]
		}
		out[k] = float32(s)
	}
	if len(out) == 1 && r.transform != transformProbit {
		return // of a single target onnxruntime transforms by PROBIT only
	}
	transformRow(r.transform, out)
}

func buildTreeClassifier(n *node) (kernel, error) {
	l := readTrees(n, "class")
	classes := n.labels("classlabels_strings", "classlabels_int64s")
	transform := n.postTransform()
	count := classes.len()
	if count == 0 {
		return nil, fmt.Errorf("has no classlabels")
	}
	if b := len(l.base); b != 0 && b != 1 && b != count {
		return nil, fmt.Errorf("has %d base_values for %d classes", b, count)
	}
	e, err := newEnsemble(l, count)
	if err != nil {
		return nil, err
	}
	c := classification{count: count, transform: transform, positive: true}
	used := map[int64]bool{}
	for i, w := range l.weights {
		used[l.weightTargets[i]] = true
		c.positive = c.positive && !(w < 0)
	}
	c.binary = count == 2 && len(used) == 1
	narrowBase := convert[float32](l.base)
	return func(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		if in[0].Datatype == tensor.FP64 {
			f, err := e.wideOnce()
			if err != nil {
				return nil, err
			}
			return classify(f, &c, classes, l.base, in[0])
		}
		return classify(e.narrow, &c, classes, narrowBase, in[0])
	}, nil
}

// classification finishes the scores of one row.
type classification struct {
	count     int
	transform string
	binary    bool // two classes, weights for one of them only
	positive  bool // no weight is negative
}

func classify[T float32 | float64](f *forest[T], c *classification, classes *labels, base []T, t *tensor.Tensor) ([]*tensor.Tensor, error) {
	x, rows, columns, err := f.input(t)
	if err != nil {
		return nil, err
	}
	z, err := newTensor(tensor.FP32, []int64{int64(rows), int64(c.count)})
	if err != nil {
		return nil, err
	}
	winners := make([]int32, rows)
	f.each(rows, func(from, to int) {
		scores := make([]T, (to-from)*c.count)
		found := make([]bool, len(scores))
		f.visit(x[from*columns:to*columns], columns, func(row int, leaf int32) {
			for w := f.starts[leaf]; w < f.starts[leaf+1]; w++ {
				k := row*c.count + int(f.targets[w])
				scores[k] += f.weights[w]
				found[k] = true
			}
		})
		for i := from; i < to; i++ {
			at := (i - from) * c.count
			winners[i] = finishClass(c, scores[at:at+c.count], found[at:at+c.count], base, z.F32[i*c.count:(i+1)*c.count])
		}
	})
	return []*tensor.Tensor{classes.tensor(winners), z}, nil
}

// finishClass adds the base values, picks the winner and writes the row's
// scores. The cases are onnxruntime's, where the specification is silent about
// two classes (a class that no leaf scored is written as 0, base value or
// not). In one it is not followed: where both of two classes have weights it
// answers 0 or 1 whatever the labels are, here it is the label at that place.
// https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/providers/cpu/ml/tree_ensemble_aggregator.h
func finishClass[T float32 | float64](c *classification, scores []T, found []bool, base []T, out []float32) int32 {
	if c.count != 2 {
		for k := range base {
			if k < len(scores) {
				scores[k] += base[k]
				found[k] = true
			}
		}
		winner := int32(-1)
		for k, s := range scores {
			if found[k] && (winner < 0 || s > scores[winner]) {
				winner = int32(k)
			}
		}
		narrow(scores, out)
		transformRow(c.transform, out)
		return max(winner, 0)
	}
	both := true
	switch {
	case len(base) == 2 && found[1]:
		scores[1] = base[1] + scores[0]
		scores[0] = -scores[1]
	case len(base) == 2:
		scores[1] += base[1]
		scores[0] += base[0]
	case len(base) == 1:
		scores[0] += base[0]
		both = found[1]
	default:
		both = found[1]
	}
	deciding := scores[0]
	if both && found[1] {
		deciding = scores[1]
	}
	winner := int32(0)
	if c.binary && c.positive && deciding > 0.5 || !(c.binary && c.positive) && deciding > 0 {
		winner = 1
	}
	if both {
		for k := range scores {
			if !found[k] {
				scores[k] = 0
			}
		}
		narrow(scores, out)
		transformRow(c.transform, out)
		return winner
	}
	writeSingle(c, scores[0], len(base) == 0, out)
	return winner
}

// writeSingle writes both scores of a row that has only one.
func writeSingle[T float32 | float64](c *classification, s T, noBase bool, out []float32) {
	switch {
	case c.transform == transformProbit:
		out[0], out[1] = probit(float32(s)), 0
	case !c.binary && !noBase:
		out[0], out[1] = float32(s), 0
	case c.transform == transformLogistic:
		out[0], out[1] = logistic(float32(-s)), logistic(float32(s))
	case c.binary && c.positive:
		out[0], out[1] = float32(1-s), float32(s)
	default:
		out[0], out[1] = float32(-s), float32(s)
	}
}

func narrow[T float32 | float64](from []T, to []float32) {
	for i, v := range from {
		to[i] = float32(v)
	}
}
