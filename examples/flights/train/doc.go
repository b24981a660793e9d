// Command train fits a logistic regression to flights and writes it as ONNX.
//
//	go run ./train --seed 1 --data data/train.csv.gz --out /tmp/out
//
// It writes four files to the output folder: model.onnx, the model;
// params.json, what it was trained with; metrics.json, how well it fits its
// own training rows; history.jsonl, one line for each pass over them.
//
// The same seed on the same kind of machine gives the same bytes: nothing
// here reads the clock, ranges over a map, or adds numbers in an order that
// the scheduler decides. The seed drives the first weights and the order of
// the rows, so that another seed gives a slightly different model.
//
// The files follow the data: table.go reads it, encoder.go turns columns into
// numbers, logistic.go fits them, model.go writes what was learned as an ONNX
// graph, with onnx.go and protobuf.go for the format. There are no
// dependencies: a machine with Go can train.
package main
