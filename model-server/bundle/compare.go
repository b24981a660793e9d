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

func describe(t *tensor.Tensor) string {
	return fmt.Sprintf("%s %s %v", t.Name, t.Datatype, t.Shape)
}
