package native

import (
	"strconv"

	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// roles follows classes through the graph, to say which output is the label
// and which columns are probabilities of what.
type roles struct {
	origin   map[int]int      // a value that is another one under a new name, type or shape
	labels   map[int][]string // by origin: a label of one of these classes
	scores   map[int][]string // by origin: one column for each of these classes
	winnerOf map[int]int      // by origin: the ArgMax of that value
	lists    map[*tensor.Tensor][]string
}

func newRoles() *roles {
	return &roles{map[int]int{}, map[int][]string{}, map[int][]string{}, map[int]int{}, map[*tensor.Tensor][]string{}}
}

func (r *roles) of(slot int) int {
	if o, ok := r.origin[slot]; ok {
		return o
	}
	return slot
}

// trace notes what a node says about classes.
func (r *roles) trace(n *op.Node, in, out []int) {
	output := func(i int) int {
		if i < len(out) {
			return out[i]
		}
		return -1
	}
	switch n.OpType {
	case "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		r.origin[out[0]] = r.of(in[0])
	case "ZipMap":
		r.origin[out[0]] = r.of(in[0])
		r.scores[r.of(in[0])] = n.Classes("classlabels_strings", "classlabels_int64s")
	case "LinearClassifier":
		classes := n.Classes("classlabels_strings", "classlabels_ints")
		r.labels[output(0)], r.scores[output(1)] = classes, classes
	case "TreeEnsembleClassifier":
		classes := n.Classes("classlabels_strings", "classlabels_int64s")
		r.labels[output(0)], r.scores[output(1)] = classes, classes
	case "Normalizer", "Softmax":
		if classes, ok := r.scores[r.of(in[0])]; ok {
			r.scores[out[0]] = classes
		}
	case "ArgMax":
		r.winnerOf[out[0]] = r.of(in[0])
	case "ArrayFeatureExtractor", "Gather":
		if winner, ok := r.winnerOf[r.of(in[1])]; ok {
			if classes := r.read(n.Constant(0)); classes != nil {
				r.labels[out[0]], r.scores[winner] = classes, classes
			}
		}
	}
}

// read is texts, once for each constant: a model may point at one many times.
func (r *roles) read(t *tensor.Tensor) []string {
	list, ok := r.lists[t]
	if !ok {
		list = texts(t)
		r.lists[t] = list
	}
	return list
}

// texts returns a constant list of classes as text, nil for anything else.
func texts(t *tensor.Tensor) []string {
	if t == nil {
		return nil
	}
	if t.Datatype == tensor.Bytes {
		return t.Strs
	}
	if !t.Datatype.Signed() {
		return nil
	}
	out := make([]string, len(t.I64))
	for i, v := range t.I64 {
		out[i] = strconv.FormatInt(v, 10)
	}
	return out
}
