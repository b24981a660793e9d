package main

import "math"

// marshalModel writes the encoder and the regression as one ONNX model, so
// that callers send flights as they are in the table and no second program
// has to encode them the same way:
//
//	carrier, origin     [N,1] string -> OneHotEncoder -> Reshape     \
//	dep_hour, arr_hour  [N,1] int64  -> OneHotEncoder -> Reshape      > Concat -> LinearClassifier
//	distance, temp, ... [N,1] float  -> Concat -> Imputer -> Scaler  /
//
// Outputs are label [N] int64 and probabilities [N,2] float: on time, late.
func marshalModel(e *encoder, m logistic) []byte {
	g := &graph{
		// OneHotEncoder turns [N,1] into [N,1,levels]; 0 keeps N, -1 is the rest.
		constants: []message{int64s("rows_by_levels", 0, -1)},
		outputs:   []message{value("label", elemInt64, 0), value("probabilities", elemFloat, 2)},
	}
	for _, c := range e.columns {
		g.inputs = append(g.inputs, value(c.name, map[kind]int64{
			text: elemString, integer: elemInt64, number: elemFloat,
		}[c.kind], 1))
	}

	var parts []string
	for _, c := range e.categories() {
		levels := attribute("cats_strings", c.levels)
		if c.kind == integer {
			values := make([]int64, len(c.levels))
			for i, level := range c.levels {
				values[i] = mustInt(level)
			}
			levels = attribute("cats_int64s", values)
		}
		// zeros=1: a level that was not in the training rows is all zeros,
		// not an error.
		hot := g.add(mlDomain, "OneHotEncoder", c.name+"_one_hot", []string{c.name}, levels, attribute("zeros", int64(1)))
		parts = append(parts, g.add("", "Reshape", c.name+"_encoded", []string{hot, "rows_by_levels"}))
	}
	if numeric := e.numeric(); len(numeric) > 0 {
		var names []string
		var means, scales []float32
		for _, c := range numeric {
			names = append(names, c.name)
			means = append(means, float32(c.mean))
			scales = append(scales, float32(c.scale))
		}
		joined := g.add("", "Concat", "numbers", names, attribute("axis", int64(1)))
		filled := g.add(mlDomain, "Imputer", "numbers_filled", []string{joined},
			attribute("imputed_value_floats", means), attribute("replaced_value_float", float32(math.NaN())))
		parts = append(parts, g.add(mlDomain, "Scaler", "numbers_scaled", []string{filled},
			attribute("offset", means), attribute("scale", scales)))
	}
	features := g.add("", "Concat", "features", parts, attribute("axis", int64(1)))

	// One row of coefficients for each class; the logistic function of z and
	// of -z are the two probabilities.
	n := len(m.weights)
	coefficients := make([]float32, 2*n)
	for j, w := range m.weights {
		coefficients[j], coefficients[n+j] = float32(-w), float32(w)
	}
	g.nodes = append(g.nodes, node(mlDomain, "LinearClassifier", []string{features}, []string{"label", "probabilities"},
		attribute("classlabels_ints", []int64{0, 1}),
		attribute("coefficients", coefficients),
		attribute("intercepts", []float32{float32(-m.bias), float32(m.bias)}),
		attribute("multi_class", int64(0)),
		attribute("post_transform", "LOGISTIC")))
	return g.model("flights")
}
