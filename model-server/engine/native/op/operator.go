package op

import "github.com/dosirak-ml/dosirak/model-server/tensor"

// ML is the domain of the operators for classical models.
const ML = "ai.onnx.ml"

// Newest is the last version of each domain's operators that is known. A later
// one may give an operator another meaning.
var Newest = map[string]int64{"": 25, ML: 4}

// Kernel computes a node's outputs. An input that the node leaves out is nil.
// Inputs are shared and must not be changed; an output may be an input.
type Kernel func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error)

// builder turns a node into a kernel. What it finds wrong with attributes is
// collected by the node; the error is for everything else.
type builder func(n *Node) (Kernel, error)

// Operator is what a name in a graph stands for.
type Operator struct {
	Min, Max int // inputs
	Outputs  int // at most
	build    builder
	types    rule
	// shaped are the inputs whose values, not their shapes, decide the shapes
	// of the outputs.
	shaped []int
}

var operators = map[[2]string]Operator{}

// register enters an operator of a domain ("" is ai.onnx) with the number of
// its inputs. It is called by init functions, one file per operator or family.
func register(domain, name string, min, max, outputs int, build builder, types rule, shaped ...int) {
	key := [2]string{domain, name}
	if _, twice := operators[key]; twice {
		panic("op: operator " + name + " is registered twice")
	}
	operators[key] = Operator{min, max, outputs, build, types, shaped}
}

// variadic is the maximum of an operator with any number of inputs.
const variadic = 1 << 20

// Find returns the operator of a domain by its name.
func Find(domain, name string) (Operator, bool) {
	o, ok := operators[[2]string{domain, name}]
	return o, ok
}

// Build makes the node's kernel.
func (o Operator) Build(n *Node) (Kernel, error) {
	kernel, err := o.build(n)
	if err == nil {
		n.unread()
	}
	if problem := n.problems(); problem != nil {
		return nil, problem
	}
	return kernel, err
}

// Types returns the datatypes of the node's outputs for those of its inputs,
// "" for one that is left out, or a *TypeError.
func (o Operator) Types(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	return o.types(n, in)
}

// ShapedBy are the inputs whose values decide the shapes of the outputs.
func (o Operator) ShapedBy() []int { return o.shaped }
