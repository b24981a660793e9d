package op

import (
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// rule tells the datatypes of a node's outputs from those of its inputs; an
// input that is left out is "". Datatypes never depend on values, so that what
// a rule refuses can answer no request.
type rule func(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error)

// TypeError says that an operator does not take the datatypes of its inputs.
type TypeError struct {
	Expected string // "one type", "FP32 or FP64"
}

func (e *TypeError) Error() string { return "expected " + e.Expected }

// kinds is a set of datatypes with a name for messages.
type kinds struct {
	name string
	list []tensor.Datatype
}

func (k kinds) has(d tensor.Datatype) bool { return slices.Contains(k.list, d) }

func kindsOf(name string, sets ...[]tensor.Datatype) kinds {
	k := kinds{name, slices.Concat(sets...)}
	if name == "" {
		var names []string
		for _, d := range k.list {
			names = append(names, string(d))
		}
		k.name = strings.Join(names, " or ")
	}
	return k
}

var (
	signedTypes   = []tensor.Datatype{tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64}
	unsignedTypes = []tensor.Datatype{tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64}
	floatTypes    = []tensor.Datatype{tensor.FP32, tensor.FP64}

	floats       = kindsOf("", floatTypes)
	bools        = kindsOf("", []tensor.Datatype{tensor.Bool})
	texts        = kindsOf("", []tensor.Datatype{tensor.Bytes})
	integers     = kindsOf("a signed integer", signedTypes)
	signed       = kindsOf("a float or a signed integer", floatTypes, signedTypes)
	numbers      = kindsOf("numbers", floatTypes, signedTypes, unsignedTypes)
	numbersBools = kindsOf("numbers or BOOL", floatTypes, signedTypes, unsignedTypes, []tensor.Datatype{tensor.Bool})
	anything     = kindsOf("any type", tensor.Datatypes)
)

// typed checks the inputs one by one and all together; the outputs have the
// types that gives lists, "" for the type of the first input.
type typed struct {
	in    []kinds // the last counts for all that follow
	equal int     // so many of the first have one type; -1: all
	gives []tensor.Datatype
}

func (t typed) rule(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	for i, d := range in {
		if d == "" {
			continue
		}
		if k := t.in[min(i, len(t.in)-1)]; !k.has(d) {
			if len(in) == 1 {
				return nil, &TypeError{k.name}
			}
			return nil, &TypeError{ordinal(i) + " to be " + k.name}
		}
		if (t.equal < 0 || i < t.equal) && d != in[0] {
			return nil, &TypeError{"one type"}
		}
	}
	out := slices.Clone(t.gives)
	for i, d := range out {
		if d == "" {
			out[i] = in[0]
		}
	}
	return out, nil
}

func ordinal(i int) string {
	if names := []string{"the first", "the second", "the third"}; i < len(names) {
		return names[i]
	}
	return "the last"
}

// sameType: one input of k, or several of one type in k, give that type.
func sameType(k kinds) rule {
	return typed{[]kinds{k}, -1, []tensor.Datatype{""}}.rule
}

// keeps: the first input, of k, has its type kept; the others are of rest.
func keeps(k kinds, rest ...kinds) rule {
	return typed{append([]kinds{k}, rest...), 1, []tensor.Datatype{""}}.rule
}

// gives: an input of k gives out, whatever its type.
func gives(k kinds, out ...tensor.Datatype) rule {
	return typed{[]kinds{k}, 1, out}.rule
}

// compares: inputs of one type in k give out.
func compares(k kinds, out tensor.Datatype) rule {
	return typed{[]kinds{k}, -1, []tensor.Datatype{out}}.rule
}
