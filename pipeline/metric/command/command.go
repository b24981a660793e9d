package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// mostBytesPerRow bounds what a command may print: a number is shorter.
const mostBytesPerRow = 64

// Run runs the command of a metric in folder dir ("" is the current one) on a
// file of rows predictions and returns what it printed: rows numbers, or one. A command that fails, or prints
// anything else, is the change's own failure (exit code 1).
func Run(ctx context.Context, dir, name, command, path string, rows int) ([]float64, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", strings.ReplaceAll(command, "{predictions}", `"$DOSIRAK_PREDICTIONS"`))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DOSIRAK_PREDICTIONS="+path)
	cmd.WaitDelay = 2 * time.Second
	out := &bounded{limit: (rows + 16) * mostBytesPerRow}
	errs := &bounded{limit: 4096, lossy: true}
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("running the command of metric %s: %w", name, ctx.Err())
	}
	if errors.Is(err, errTooMuch) || out.full {
		return nil, fault.MetricCommandFailed.Failed(fmt.Errorf("metric %s: the command printed more than %d rows of numbers can hold", name, rows))
	}
	if err != nil {
		return nil, fault.MetricCommandFailed.Failed(fmt.Errorf("metric %s: the command failed: %w: %s", name, err, strings.TrimSpace(errs.String())))
	}
	return parse(name, out.String(), rows)
}

// Custom asks the commands of metrics, in a folder ("" is the current one).
func Custom(ctx context.Context, folder string) func(exam.Metric, *predictions.Set) ([]float64, error) {
	return func(want exam.Metric, set *predictions.Set) ([]float64, error) {
		return Measure(ctx, folder, want.Name, want.Command, set.N, func(path string) error { return predictions.WriteFile(path, set) })
	}
}

// Measure writes the predictions of a model to a file of its own, by write,
// and runs the command on it.
func Measure(ctx context.Context, folder, name, command string, rows int, write func(path string) error) ([]float64, error) {
	dir, err := os.MkdirTemp("", "dosirak-metric-")
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("making room for metric %s: %w", name, err))
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "predictions.csv")
	if err := write(path); err != nil {
		return nil, fault.Environment(err)
	}
	return Run(ctx, folder, name, command, path, rows)
}

func parse(name, text string, rows int) ([]float64, error) {
	fields := strings.Fields(text)
	if len(fields) != 1 && len(fields) != rows {
		return nil, fault.MetricCommandFailed.Failed(fmt.Errorf("metric %s: the command printed %d numbers; it must print %d, one per row, or one for all", name, len(fields), rows))
	}
	x := make([]float64, len(fields))
	for i, f := range fields {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, fault.MetricCommandFailed.Failed(fmt.Errorf("metric %s: the command printed %q as number %d", name, f[:min(len(f), 40)], i+1))
		}
		x[i] = v
	}
	return x, nil
}

var errTooMuch = errors.New("too much output")

// bounded keeps up to limit bytes; more is an error, or dropped when lossy.
// The buffer is no embedded field: io.Copy would find its ReadFrom and fill it
// without bound.
type bounded struct {
	buf   bytes.Buffer
	limit int
	lossy bool
	full  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.limit - b.buf.Len(); len(p) > room {
		if !b.lossy {
			b.full = true
			return 0, errTooMuch
		}
		b.buf.Write(p[:room])
		return len(p), nil
	}
	return b.buf.Write(p)
}

func (b *bounded) String() string { return b.buf.String() }
