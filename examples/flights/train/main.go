package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// config is what the command line can change. Its JSON form is params.json;
// the seed, the data and the folder are the caller's and not in it.
type config struct {
	Features  string  `json:"features"`
	Balance   bool    `json:"balance"`
	Calibrate bool    `json:"calibrate"`
	Epochs    int     `json:"epochs"`
	Batch     int     `json:"batch"`
	Rate      float64 `json:"rate"`
	L2        float64 `json:"l2"`

	seed      uint64
	unseeded  bool
	data, out string
}

func parse(args []string) (config, error) {
	var c config
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	f.Uint64Var(&c.seed, "seed", 1, "seed of the first weights and of the order of the rows")
	f.StringVar(&c.data, "data", "data/train.csv.gz", "training rows, CSV or CSV in gzip")
	f.StringVar(&c.out, "out", "", "folder to write to (required)")
	f.StringVar(&c.Features, "features", "base", "columns to learn from: first, base or weather")
	f.BoolVar(&c.Balance, "balance", false, "weigh the rows so that both classes count the same")
	f.BoolVar(&c.Calibrate, "calibrate", false, "fit the probabilities to the training rows afterwards (Platt scaling)")
	f.BoolVar(&c.unseeded, "unseeded", false, "shuffle with a fresh random state instead of the seed")
	f.IntVar(&c.Epochs, "epochs", 20, "passes over the rows")
	f.IntVar(&c.Batch, "batch", 32, "rows for each step")
	f.Float64Var(&c.Rate, "rate", 0.05, "size of the first steps; it falls to 0 over the training")
	f.Float64Var(&c.L2, "l2", 1e-4, "weight of the L2 penalty")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	switch {
	case f.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case c.out == "":
		return c, fmt.Errorf("--out is missing: the folder to write the model to")
	case featureSets[c.Features] == nil:
		return c, fmt.Errorf("--features %q: want first, base or weather", c.Features)
	case c.Epochs < 1 || c.Batch < 1:
		return c, fmt.Errorf("--epochs %d --batch %d: both must be at least 1", c.Epochs, c.Batch)
	case !(c.Rate > 0) || !(c.L2 >= 0) || math.IsInf(c.Rate, 0) || math.IsInf(c.L2, 0):
		return c, fmt.Errorf("--rate %g --l2 %g: want finite numbers, rate above 0, l2 at least 0", c.Rate, c.L2)
	}
	return c, nil
}

func run(args []string) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	t, err := readTable(c.data)
	if err != nil {
		return err
	}
	enc, err := fitEncoder(t, featureSets[c.Features])
	if err != nil {
		return err
	}
	x, err := enc.encode(t)
	if err != nil {
		return err
	}
	y, err := t.labels(labelColumn)
	if err != nil {
		return err
	}

	initial := rand.New(rand.NewPCG(c.seed, 1))
	shuffle := rand.New(rand.NewPCG(c.seed, 2))
	if c.unseeded {
		shuffle = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	weights := make([]float64, len(y))
	for i := range weights {
		weights[i] = 1
	}
	if c.Balance {
		weights = balanced(y)
	}

	var history bytes.Buffer
	m := fit(x, y, weights, c, initial, shuffle, func(s step) {
		line, _ := json.Marshal(s) // numbers always encode
		history.Write(append(line, '\n'))
	})
	if c.Calibrate {
		m = calibrate(m, x, y)
	}
	loss := m.logLoss(x, y)
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("training diverged (log loss %g): try a smaller --rate than %g", loss, c.Rate)
	}

	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{
		"model.onnx":    marshalModel(enc, m),
		"params.json":   indented(c),
		"metrics.json":  indented(map[string]any{"rows": len(y), "train_log_loss": loss}),
		"history.jsonl": history.Bytes(),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(c.out, name), content, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("trained on %d rows and %d numbers a row: log loss %.4f\n", len(y), len(m.weights), loss)
	return nil
}

func indented(v any) []byte {
	b, _ := json.MarshalIndent(v, "", "  ") // only strings, booleans and finite numbers
	return append(b, '\n')
}
