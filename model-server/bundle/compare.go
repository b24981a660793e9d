package bundle

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Mismatch is one place where an answer is not the expected one. Row and
// Element are -1 where the output as a whole differs (name, type or shape).
type Mismatch struct {
	Output  string
	Row     int
	Element int // index within the row
	Got     any
	Want    any
}

func (m Mismatch) String() string {
	if m.Row < 0 {
		return fmt.Sprintf("output %q: got %v, want %v", m.Output, m.Got, m.Want)
	}
	return fmt.Sprintf("output %q row %d element %d: got %v, want %v", m.Output, m.Row, m.Element, m.Got, m.Want)
}

// CompareOutputs returns every place where got is not want within tolerance;
// outputs are matched by position. Integers, text and booleans must be equal,
// a NaN matches a NaN and an infinity itself.
func CompareOutputs(want, got []tensor.Tensor, tolerance Tolerance) []Mismatch {
	var out []Mismatch
	if len(want) != len(got) {
		return append(out, Mismatch{"", -1, -1, fmt.Sprintf("%d outputs", len(got)), fmt.Sprintf("%d outputs", len(want))})
	}
	for i := range want {
		out = append(out, compareTensor(&want[i], &got[i], tolerance)...)
	}
	return out
}

func compareTensor(want, got *tensor.Tensor, tolerance Tolerance) []Mismatch {
	if w, g := describe(want), describe(got); w != g || want.Len() != got.Len() {
		return []Mismatch{{want.Name, -1, -1, g, w}}
	}
	width := 1
	if rows := want.Rows(); rows > 0 {
		width = max(1, want.Len()/rows)
	}
	var out []Mismatch
	for i := range want.Len() {
		w, g := want.At(i), got.At(i)
		if w == g {
			continue
		}
		if want.Datatype.Float() {
			a, _ := want.Float(i)
			b, _ := got.Float(i)
			if within(a, b, tolerance) {
				continue
			}
		}
		out = append(out, Mismatch{want.Name, i / width, i % width, g, w})
	}
	return out
}

func within(want, got float64, tolerance Tolerance) bool {
	if math.IsNaN(want) || math.IsNaN(got) {
		return math.IsNaN(want) && math.IsNaN(got)
	}
	if math.IsInf(want, 0) || math.IsInf(got, 0) {
		return want == got
	}
	return math.Abs(got-want) <= tolerance.Absolute+tolerance.Relative*math.Abs(want)
}

// Arithmetic names how this release computes what its engines leave to it: the
// order of sums, the form of a function. It changes where answers change in
// their last digits, such as by a sigmoid that keeps the digits of its tail. A
// bundle holds the one that gave its golden answers, as the hint
// ArithmeticHint; the first had no name.
const (
	Arithmetic     = "2"
	ArithmeticHint = "arithmetic"
)

// rounding is what two arithmetics may differ by: some units in the last place
// of single precision (2^-23), of sums over many terms.
const rounding = 0x1p-20

// rounded widens a tolerance by what two arithmetics may differ by: of each
// value, and of one where the values are of that size, as probabilities are.
func (t Tolerance) rounded(outputs []tensor.Tensor) Tolerance {
	size := 1.0
	for i := range outputs {
		largest := 0.0
		for k := range outputs[i].Len() {
			if v, ok := outputs[i].Float(k); ok && outputs[i].Datatype.Float() && !math.IsInf(v, 0) && !math.IsNaN(v) {
				largest = max(largest, math.Abs(v))
			}
		}
		if largest > 0 {
			size = min(size, largest)
		}
	}
	return Tolerance{Absolute: max(t.Absolute, rounding*size), Relative: max(t.Relative, rounding)}
}

func describe(t *tensor.Tensor) string {
	return fmt.Sprintf("%s %s %v", t.Name, t.Datatype, t.Shape)
}
