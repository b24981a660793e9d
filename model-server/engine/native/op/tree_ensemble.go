package op

import (
	"fmt"
	"sync"

	"github.com/dosirak-ml/dosirak/model-server/engine/forest"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register(ML, "TreeEnsembleClassifier", 1, 1, 2, buildTreeClassifier, treeClassifierTypes)
	register(ML, "TreeEnsembleRegressor", 1, 1, 1, buildTreeRegressor, gives(numbers, tensor.FP32))
}

// ensemble holds a forest in the precision that the input asks for: float64
// where rows are FP64, else float32, as onnxruntime does.
type ensemble struct {
	narrow   *forest.Forest[float32]
	wideOnce func() (*forest.Forest[float64], error)
}

// What a node and a weight cost in memory, laid out in both precisions.
const bytesPerNode, bytesPerWeight = 250, 32

func newEnsemble(n *Node, l *forest.Trees, outputs int) (*ensemble, error) {
	if err := n.loading.call.Take(bytesPerNode*int64(len(l.NodeIDs)) + bytesPerWeight*int64(len(l.Weights))); err != nil {
		return nil, err
	}
	narrow, err := forest.New[float32](l, outputs)
	if err != nil {
		return nil, err
	}
	wide := sync.OnceValues(func() (*forest.Forest[float64], error) { return forest.New[float64](l, outputs) })
	return &ensemble{narrow, wide}, nil
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

func buildTreeRegressor(n *Node) (Kernel, error) {
	l, base := readTrees(n, "target")
	targets := n.int("n_targets", 1)
	aggregate := n.choice("aggregate_function", "SUM", "SUM", "AVERAGE", "MIN", "MAX")
	transform := n.postTransform()
	if targets < 1 || targets > 1<<20 {
		return nil, fmt.Errorf("has %d targets", targets)
	}
	if b := len(base); b != 0 && b != 1 && int64(b) != targets {
		return nil, fmt.Errorf("has %d base_values for %d targets", b, targets)
	}
	e, err := newEnsemble(n, l, int(targets))
	if err != nil {
		return nil, err
	}
	sum, narrowBase := aggregate == "SUM" || aggregate == "AVERAGE", convert[float32](base)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		if in[0].Datatype == tensor.FP64 {
			f, err := e.wideOnce()
			if err != nil {
				return nil, err
			}
			return regress(c, f, regression[float64]{int(targets), f.Trees(), aggregate, sum, transform, base}, in[0])
		}
		f := e.narrow
		return regress(c, f, regression[float32]{int(targets), f.Trees(), aggregate, sum, transform, narrowBase}, in[0])
	}, nil
}

func regress[T float32 | float64](c *Call, f *forest.Forest[T], r regression[T], t *tensor.Tensor) ([]*tensor.Tensor, error) {
	x, rows, columns, err := forestInput(c, f, r.outputs, t)
	if err != nil {
		return nil, err
	}
	z, err := c.newTensor(tensor.FP32, []int64{int64(rows), int64(r.outputs)})
	if err != nil {
		return nil, err
	}
	err = f.Each(rows, c.Stopped, func(from, to int) {
		scores := make([]T, (to-from)*r.outputs)
		found := make([]bool, len(scores))
		f.Visit(x[from*columns:to*columns], columns, func(row int, leaf int32) {
			for w := f.Starts[leaf]; w < f.Starts[leaf+1]; w++ {
				k := row*r.outputs + int(f.Targets[w])
				r.add(&scores[k], &found[k], f.Weights[w])
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
	if err != nil {
		return nil, err
	}
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
		scores[k] = s
	}
	if len(out) == 1 && r.transform != transformProbit {
		out[0] = float32(scores[0])
		return // of a single target onnxruntime transforms by PROBIT only
	}
	transformRow(r.transform, scores, out)
}

func buildTreeClassifier(n *Node) (Kernel, error) {
	l, base := readTrees(n, "class")
	classes := n.labels("classlabels_strings", "classlabels_int64s")
	transform := n.postTransform()
	count := classes.len()
	if count == 0 {
		return nil, fmt.Errorf("has no classlabels")
	}
	if b := len(base); b != 0 && b != 1 && b != count {
		return nil, fmt.Errorf("has %d base_values for %d classes", b, count)
	}
	e, err := newEnsemble(n, l, count)
	if err != nil {
		return nil, err
	}
	c := classification{count: count, transform: transform, positive: true}
	used := map[int64]bool{}
	for i, w := range l.Weights {
		used[l.WeightTargets[i]] = true
		c.positive = c.positive && !(w < 0)
	}
	c.binary = count == 2 && len(used) == 1
	narrowBase := convert[float32](base)
	return func(call *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		if in[0].Datatype == tensor.FP64 {
			f, err := e.wideOnce()
			if err != nil {
				return nil, err
			}
			return classify(call, f, &c, classes, base, in[0])
		}
		return classify(call, e.narrow, &c, classes, narrowBase, in[0])
	}, nil
}

func treeClassifierTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	return gives(numbers, n.labels("classlabels_strings", "classlabels_int64s").kind(), tensor.FP32)(n, in)
}

// classification finishes the scores of one row.
type classification struct {
	count     int
	transform string
	binary    bool // two classes, weights for one of them only
	positive  bool // no weight is negative
}

func classify[T float32 | float64](call *Call, f *forest.Forest[T], c *classification, classes *labels, base []T, t *tensor.Tensor) ([]*tensor.Tensor, error) {
	x, rows, columns, err := forestInput(call, f, c.count, t)
	if err != nil {
		return nil, err
	}
	z, err := call.newTensor(tensor.FP32, []int64{int64(rows), int64(c.count)})
	if err != nil {
		return nil, err
	}
	winners := make([]int32, rows)
	err = f.Each(rows, call.Stopped, func(from, to int) {
		scores := make([]T, (to-from)*c.count)
		found := make([]bool, len(scores))
		f.Visit(x[from*columns:to*columns], columns, func(row int, leaf int32) {
			for w := f.Starts[leaf]; w < f.Starts[leaf+1]; w++ {
				k := row*c.count + int(f.Targets[w])
				scores[k] += f.Weights[w]
				found[k] = true
			}
		})
		for i := from; i < to; i++ {
			at := (i - from) * c.count
			winners[i] = finishClass(c, scores[at:at+c.count], found[at:at+c.count], base, z.F32[i*c.count:(i+1)*c.count])
		}
	})
	if err != nil {
		return nil, err
	}
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
		transformRow(c.transform, scores, out)
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
		transformRow(c.transform, scores, out)
		return winner
	}
	writeSingle(c, scores[0], len(base) == 0, out)
	return winner
}

// writeSingle writes both scores of a row that has only one.
func writeSingle[T float32 | float64](c *classification, s T, noBase bool, out []float32) {
	switch {
	case c.transform == transformProbit:
		out[0], out[1] = float32(quantile(float64(s))), 0
	case !c.binary && !noBase:
		out[0], out[1] = float32(s), 0
	case c.transform == transformLogistic:
		out[0], out[1] = float32(sigmoid(-float64(s))), float32(sigmoid(float64(s)))
	case c.binary && c.positive:
		out[0], out[1] = float32(1-s), float32(s)
	default:
		out[0], out[1] = float32(-s), float32(s)
	}
}

// forestInput returns the rows of t as T.
func forestInput[T float32 | float64](c *Call, f *forest.Forest[T], outputs int, t *tensor.Tensor) (x []T, rows, columns int, err error) {
	if rows, columns, err = Matrix(t); err != nil {
		return nil, 0, 0, err
	}
	if columns < f.Features || columns == 0 {
		return nil, 0, 0, fmt.Errorf("input has %d columns, the trees look at %d", columns, f.Features)
	}
	if err := c.Spend(int64(rows) * f.Steps()); err != nil {
		return nil, 0, 0, err
	}
	// Of the rows in work: scores, whether there is one, and keys of the columns.
	if err := c.Take(int64(f.Scratch(rows)) * (9*int64(outputs) + 8*int64(f.Features))); err != nil {
		return nil, 0, 0, err
	}
	switch any(x).(type) {
	case []float32:
		var list []float32
		list, err = c.float32s(t)
		x = any(list).([]T)
	default:
		var list []float64
		list, err = c.float64s(t)
		x = any(list).([]T)
	}
	return x, rows, columns, err
}

var modes = map[string]forest.Mode{
	"BRANCH_LEQ": forest.LEQ, "BRANCH_LT": forest.LT, "BRANCH_GTE": forest.GTE,
	"BRANCH_GT": forest.GT, "BRANCH_EQ": forest.EQ, "BRANCH_NEQ": forest.NEQ, "LEAF": forest.Leaf,
}

// readTrees reads the lists of an ensemble and its base values; prefix is
// "class" or "target". Values are float attributes or, from version 3 of the
// operators on, tensors.
func readTrees(n *Node, prefix string) (*forest.Trees, []float64) {
	numbers := func(name string) []float64 {
		if list := n.floats(name); list != nil {
			return convert[float64](list)
		}
		if t := n.tensor(name + "_as_tensor"); t != nil {
			list, err := n.loading.call.float64s(t)
			if err != nil {
				n.fail("attribute %s_as_tensor: %w", name, err)
			}
			return list
		}
		return nil
	}
	n.ignore("nodes_hitrates", "nodes_hitrates_as_tensor")
	l := &forest.Trees{
		TreeIDs: n.ints("nodes_treeids"), NodeIDs: n.ints("nodes_nodeids"), FeatureIDs: n.ints("nodes_featureids"),
		YesIDs: n.ints("nodes_truenodeids"), NoIDs: n.ints("nodes_falsenodeids"),
		Missing: n.ints("nodes_missing_value_tracks_true"), Values: numbers("nodes_values"),
		WeightTrees: n.ints(prefix + "_treeids"), WeightNodes: n.ints(prefix + "_nodeids"),
		WeightTargets: n.ints(prefix + "_ids"), Weights: numbers(prefix + "_weights"),
	}
	for i, name := range n.texts("nodes_modes") {
		mode, ok := modes[name]
		if !ok {
			n.fail("node %d of the trees has the unknown mode %q", i, name)
			break
		}
		l.Modes = append(l.Modes, mode)
	}
	return l, numbers("base_values")
}
