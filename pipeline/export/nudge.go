package export

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

const (
	mostNudged  = 16  // rows that are asked again
	mostColumns = 256 // whose neighbouring values are asked
)

// place is where a column's values are in the inputs.
type place struct {
	input, at, wide int
	name            string
}

// nudge is one question: row i with the values of some places moved to the next
// number in single precision.
type nudge struct {
	i    int
	from int // the first place that is moved
	to   int // past the last
	up   bool
}

// atThresholds asks rows that differ again, each value moved to its neighbour
// in single precision: where that gives what was trained, the value lies at the
// threshold of a tree, and which side it is on depends on the precision.
func (x *comparison) atThresholds(ctx context.Context, differ []int) (string, []string, error) {
	var places []place
	for k, spec := range x.o.Inputs {
		for at, name := range spec.Columns {
			if spec.Datatype == tensor.FP32 || spec.Datatype == tensor.FP64 {
				places = append(places, place{k, at, len(spec.Columns), name})
			}
		}
	}
	if len(places) == 0 || len(places) > mostColumns {
		return "", nil, nil
	}
	asked := differ[:min(len(differ), mostNudged)]
	var nudges []nudge
	var rows []int
	for _, i := range asked {
		for _, up := range []bool{false, true} {
			for k := range places {
				nudges = append(nudges, nudge{i, k, k + 1, up})
			}
			nudges = append(nudges, nudge{i, 0, len(places), up})
		}
	}
	for _, n := range nudges {
		rows = append(rows, x.Rows[n.i])
	}
	served, err := x.o.Ask(ctx, rows, func(inputs []tensor.Tensor) {
		for k, n := range nudges {
			for _, p := range places[n.from:n.to] {
				move(&inputs[p.input], k*p.wide+p.at, n.up)
			}
		}
	})
	if err != nil {
		return "", nil, err
	}
	same := x.against(served)
	explained, columns := map[int]bool{}, []string{}
	for k, n := range nudges {
		if !same(n.i, k) {
			continue
		}
		if n.to-n.from == 1 {
			columns = append(columns, places[n.from].name)
		}
		explained[n.i] = true
	}
	if len(explained) < len(asked) {
		return "", nil, nil
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	where := "of several columns"
	if len(columns) > 0 {
		where = "of " + listed(columns[:min(len(columns), mostShown)])
	}
	return fmt.Sprintf("values %s lie at a threshold of the model, on one side of it in double precision and on the other in single: train on what is served, X.astype(numpy.float32)", where), columns, nil
}

// move puts a value to its neighbour in single precision. What is missing stays
// so.
func move(t *tensor.Tensor, at int, up bool) {
	to := float32(math.Inf(-1))
	if up {
		to = -to
	}
	switch t.Datatype {
	case tensor.FP32:
		t.F32[at] = math.Nextafter32(t.F32[at], to)
	case tensor.FP64:
		t.F64[at] = float64(math.Nextafter32(float32(t.F64[at]), to))
	}
}
