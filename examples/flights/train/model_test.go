package main

import (
	"bytes"
	"flag"
	"math"
	"os"
	"strconv"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/model.onnx")

// TestModel writes a small model with weights set by hand. Its bytes are
// those of testdata/model.onnx, which onnx.checker accepts, and its answers
// those of onnxruntime (testdata/check.py), for rows with unknown levels and
// empty cells too.
func TestModel(t *testing.T) {
	t.Parallel()
	e := &encoder{columns: []column{
		{name: "carrier", levels: []string{"9E", "AA", "B6", "DL", "UA", "한국"}},
		{name: "origin", levels: []string{"EWR", "JFK", "LGA"}},
		{name: "distance", kind: number, mean: 1024, scale: 0.001953125},
		{name: "dep_hour", kind: integer, levels: []string{"5", "6", "10", "17", "23"}},
		{name: "temp", kind: number, mean: 56.5, scale: 0.0625},
	}}
	m := logistic{weights: make([]float64, e.width()), bias: -0.75}
	for j := range m.weights {
		m.weights[j] = float64(j*7%11-5) / 8
	}
	model := marshalModel(e, m)
	if *update {
		if err := os.WriteFile("testdata/model.onnx", model, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(model, want) {
		t.Errorf("%d bytes differ from the %d of testdata/model.onnx", len(model), len(want))
	}

	rows, err := readTable("testdata/rows.csv")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := readTable("testdata/answers.csv")
	if err != nil {
		t.Fatal(err)
	}
	x, err := e.encode(rows)
	if err != nil {
		t.Fatal(err)
	}
	if answers.rows != rows.rows {
		t.Fatalf("%d answers to %d rows", answers.rows, rows.rows)
	}
	for i := range x {
		p := m.probability(x[i])
		if label := answers.columns["label"][i]; (p > 0.5) != (label == "1") {
			t.Errorf("row %d: probability %g, onnxruntime says label %s", i+1, p, label)
		}
		for name, own := range map[string]float64{"late": p, "on_time": 1 - p} {
			theirs, err := strconv.ParseFloat(answers.columns[name][i], 64)
			if err != nil || math.Abs(own-theirs) > 1e-6 {
				t.Errorf("row %d: %s is %g, onnxruntime says %g (%v)", i+1, name, own, theirs, err)
			}
		}
	}
}
