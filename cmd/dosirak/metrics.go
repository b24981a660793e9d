package main

import (
	"context"
	"fmt"
	"io"
	"sort"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// metricsObject is the object of `dosirak metrics --json`.
type metricsObject struct {
	N         int                          `json:"n"`
	Metrics   map[string]*float64          `json:"metrics"`   // null: undefined
	Undefined map[string]string            `json:"undefined"` // why
	Intervals map[string]*compare.Interval `json:"intervals"` // of the value; null: none
	Unbounded map[string]string            `json:"unbounded"` // why there is no interval
}

func newMetricsCommand() *cobra.Command {
	var task, file, positive string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "metrics --task binary|multiclass|regression --predictions FILE",
		Short: "Compute all metrics of a file of predictions",
		Long: `metrics reads a file of predictions of any tool (.csv, .csv.gz, .parquet,
.jsonl, .jsonl.gz; columns id, label, prediction, score or p_<class>, weight)
and prints every metric of the task with the bounds of its value, each of which
holds with 95 % confidence. What is undefined is null, with the reason.`,
		Example: "  dosirak metrics --task binary --predictions candidate.csv --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return fault.BadCommand.Usage(fmt.Errorf("metrics needs --predictions FILE"))
			}
			t, err := parseTask(task)
			if err != nil {
				return err
			}
			set, err := predictions.ReadFile(cmd.Context(), file, predictions.Options{Task: t, Positive: positive, Columns: []string{}})
			if err != nil {
				return err
			}
			obj, err := computeMetrics(cmd.Context(), set)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), obj)
			}
			return printMetrics(cmd.OutOrStdout(), obj)
		},
	}
	cmd.Flags().StringVar(&task, "task", "", "binary, multiclass or regression")
	cmd.Flags().StringVar(&file, "predictions", "", "file of predictions")
	cmd.Flags().StringVar(&positive, "positive", "", "positive class of a binary task (default: the later of the two, such as 1 or true)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func parseTask(s string) (exam.Task, error) {
	switch t := exam.Task(s); t {
	case exam.Binary, exam.Multiclass, exam.Regression:
		return t, nil
	}
	return "", fault.BadValue.Usage(fmt.Errorf("--task is %q; it must be binary, multiclass or regression", s))
}

// metricsConfidence is that of each bound.
const metricsConfidence = 0.95

func computeMetrics(ctx context.Context, set *predictions.Set) (metricsObject, error) {
	obj := metricsObject{
		N: set.N, Metrics: map[string]*float64{}, Undefined: map[string]string{},
		Intervals: map[string]*compare.Interval{}, Unbounded: map[string]string{},
	}
	values, err := compare.Values(ctx, set, metricsConfidence)
	if err != nil {
		return obj, err
	}
	for name, v := range values {
		obj.Metrics[name], obj.Intervals[name] = nil, v.Interval
		if !v.Value.Defined() {
			obj.Undefined[name] = v.Value.Reason
			continue
		}
		obj.Metrics[name] = &v.Value.V
		if v.Interval == nil {
			obj.Unbounded[name] = v.Reason
		}
	}
	return obj, nil
}

func printMetrics(w io.Writer, obj metricsObject) error {
	names := make([]string, 0, len(obj.Metrics))
	for name := range obj.Metrics {
		names = append(names, name)
	}
	sort.Strings(names)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "rows\t%d\n", obj.N)
	for _, name := range names {
		v, ci := obj.Metrics[name], obj.Intervals[name]
		switch {
		case v == nil:
			fmt.Fprintf(t, "%s\tundefined: %s\n", name, obj.Undefined[name])
		case ci == nil || ci.Low == nil || ci.High == nil:
			fmt.Fprintf(t, "%s\t%.6g\tno interval: %s\n", name, *v, obj.Unbounded[name])
		default:
			fmt.Fprintf(t, "%s\t%.6g\t%.6g .. %.6g\n", name, *v, *ci.Low, *ci.High)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nEach bound holds with %.0f %% confidence, so that low .. high is a %.0f %% interval.\n", 100*metricsConfidence, 100*(2*metricsConfidence-1))
	return err
}
