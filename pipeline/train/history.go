package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// HistoryDifference is the first place at which two history.jsonl differ.
type HistoryDifference struct {
	Line  int    `json:"line"`           // from 1
	Step  string `json:"step,omitempty"` // "epoch 3", where the line says so
	Key   string `json:"key"`            // "" where a whole line is missing or no object
	A     string `json:"a"`
	B     string `json:"b"`
	First bool   `json:"first"` // on the first line
}

func (d HistoryDifference) String() string {
	text := fmt.Sprintf("line %d", d.Line)
	if d.Step != "" {
		text += " (" + d.Step + ")"
	}
	if d.Key != "" {
		text += ", " + d.Key
	}
	return fmt.Sprintf("%s: %s, then %s", text, orAbsent(d.A), orAbsent(d.B))
}

// wallClock are keys that differ between any two trainings and mean nothing.
var wallClock = []string{"time", "timestamp", "elapsed", "duration", "seconds", "wall_time", "runtime", "date"}

const historyLine = 1 << 20 // bytes; a longer line is compared as it is

// compareHistories finds the first difference; nil when there is none, or
// where neither training wrote a history.
func compareHistories(a, b string) (*HistoryDifference, error) {
	inA, err := exists(a)
	if err != nil {
		return nil, fault.Environment(err)
	}
	inB, err := exists(b)
	if err != nil {
		return nil, fault.Environment(err)
	}
	switch {
	case !inA && !inB:
		return nil, nil
	case inA != inB:
		d := &HistoryDifference{Line: 1, First: true}
		if inA {
			d.A = "a history"
		} else {
			d.B = "a history"
		}
		return d, nil
	}
	left, err := os.Open(a)
	if err != nil {
		return nil, fault.Environment(err)
	}
	defer left.Close()
	right, err := os.Open(b)
	if err != nil {
		return nil, fault.Environment(err)
	}
	defer right.Close()
	readA, readB := bufio.NewReaderSize(left, historyLine), bufio.NewReaderSize(right, historyLine)
	for line := 1; ; line++ {
		lineA, endA := nextLine(readA)
		lineB, endB := nextLine(readB)
		for _, err := range []error{endA, endB} {
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, fault.Environment(fmt.Errorf("reading a history: %w", err))
			}
		}
		if endA != nil && endB != nil {
			return nil, nil
		}
		if d := compareLines(lineA, lineB, line); d != nil {
			return d, nil
		}
	}
}

// nextLine returns a line, or what fits of it; io.EOF when there is none.
func nextLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || (errors.Is(err, io.EOF) && len(line) > 0) {
		err = nil
	}
	return bytes.TrimSpace(line), err
}

func compareLines(a, b []byte, line int) *HistoryDifference {
	if bytes.Equal(a, b) {
		return nil
	}
	d := &HistoryDifference{Line: line, First: line == 1}
	var objectA, objectB map[string]json.RawMessage
	if json.Unmarshal(a, &objectA) != nil || json.Unmarshal(b, &objectB) != nil || objectA == nil || objectB == nil {
		d.A, d.B = printable(string(a)), printable(string(b))
		return d
	}
	for _, name := range []string{"step", "epoch", "iteration", "round"} {
		if value, ok := objectA[name]; ok && bytes.Equal(value, objectB[name]) {
			d.Step = name + " " + printable(string(value))
			break
		}
	}
	keys := maps.Clone(objectA)
	maps.Copy(keys, objectB)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(wallClock, key) || bytes.Equal(objectA[key], objectB[key]) {
			continue
		}
		d.Key, d.A, d.B = printable(key), printable(string(objectA[key])), printable(string(objectB[key]))
		return d
	}
	return nil // the same values in another order, or only the time of day
}
