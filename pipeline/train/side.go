package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Files that a trainer may write beside the model.
const (
	ParamsFile  = "params.json"
	MetricsFile = "metrics.json"
	HistoryFile = "history.jsonl"
	// PredictionsFile is what the model that was trained said of rows (package export).
	PredictionsFile = "predictions.csv"
)

var sideFiles = []string{ParamsFile, MetricsFile, HistoryFile, PredictionsFile}

const sideLimit = 1 << 20 // bytes of params.json and metrics.json

// readSide reads what a trainer wrote beside the model. What cannot be read is
// said and left out: it decides nothing, and the training was not cheap.
func (t *training) readSide(r *Replicate, out string) error {
	var metrics map[string]any
	for _, side := range []struct {
		name string
		into *map[string]any
	}{{ParamsFile, &r.Params}, {MetricsFile, &metrics}} {
		name, into := side.name, side.into
		data, err := readLimited(filepath.Join(out, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return fault.Environment(fmt.Errorf("seed %d: reading %s: %w", r.Seed, name, err))
		case len(data) > sideLimit:
			r.say("%s is left out: it is larger than %d bytes", name, sideLimit)
			continue
		}
		if err := json.Unmarshal(data, into); err != nil {
			*into = nil
			r.say("%s is left out: it is no JSON object: %v", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		number, ok := metrics[name].(float64)
		if !ok {
			r.say("%s: %q is left out: it is no number", MetricsFile, printable(name))
			continue
		}
		if r.Metrics == nil {
			r.Metrics = map[string]float64{}
		}
		r.Metrics[name] = number
	}
	if _, err := os.Stat(filepath.Join(out, HistoryFile)); err == nil {
		r.History = r.Out + "/" + HistoryFile
	}
	return nil
}

// say adds a note once; a replicate that is reused is read again.
func (r *Replicate) say(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	if !slices.Contains(r.Notes, note) {
		r.Notes = append(r.Notes, note)
	}
}

// readLimited reads at most a byte more than sideLimit.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, sideLimit+1))
}
