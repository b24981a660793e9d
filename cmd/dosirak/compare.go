package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/spec"
	"github.com/dosirak-ml/dosirak/pipeline/where"
)

type compareOptions struct {
	candidate, baseline, anchor, config string
	seed                                uint64
	json                                bool
}

func newCompareCommand() *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare --candidate FILE --baseline FILE --config FILE",
		Short: "Judge one model's predictions against another's",
		Long: `compare reads two files of predictions of the same rows, of any tool, and
judges the candidate by the metrics, margins, floors and slices of a config:
PASS (exit code 0), FAIL (1) or INCONCLUSIVE (3), with intervals. Rows are
paired by id. Of the config it reads task, metrics, slices, confidence, group
and weight. Without --baseline floors and ceilings decide.`,
		Example: "  dosirak compare --candidate new.csv --baseline old.csv --config dosirak.yaml --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			res, err := runCompare(cmd.Context(), o)
			if err != nil {
				return err
			}
			if o.json {
				err = printJSON(cmd.OutOrStdout(), res)
			} else {
				err = printComparison(cmd.OutOrStdout(), res)
			}
			if err != nil {
				return err
			}
			return exitWith(res.Verdict)
		},
	}
	cmd.Flags().StringVar(&o.candidate, "candidate", "", "predictions of the candidate")
	cmd.Flags().StringVar(&o.baseline, "baseline", "", "predictions of the model in production")
	cmd.Flags().StringVar(&o.anchor, "anchor", "", "predictions of the last model promoted as improved")
	cmd.Flags().StringVar(&o.config, "config", "dosirak.yaml", "config with task, metrics, slices and confidence")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of all resampling")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

func runCompare(ctx context.Context, o compareOptions) (compare.Result, error) {
	if o.candidate == "" {
		return compare.Result{}, fault.Usage(fmt.Errorf("compare needs --candidate FILE"))
	}
	config, err := spec.LoadCompare(o.config, pipeline.Catalogue)
	if err != nil {
		return compare.Result{}, err
	}
	ex := config.Exam()
	columns, err := neededColumns(ex)
	if err != nil {
		return compare.Result{}, err
	}
	in := compare.Input{Exam: ex, Seed: o.seed}
	var g errgroup.Group
	for _, f := range []struct {
		path string
		set  **predictions.Set
	}{{o.candidate, &in.Candidate}, {o.baseline, &in.Baseline}, {o.anchor, &in.Anchor}} {
		if f.path == "" {
			continue
		}
		g.Go(func() (err error) {
			*f.set, err = predictions.ReadFile(f.path, predictions.Options{
				Task: ex.Task, Positive: ex.Data.Positive, Columns: columns, Group: ex.Data.Group, Weight: ex.Data.Weight,
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return compare.Result{}, err
	}
	in.Custom = func(want exam.Metric, set *predictions.Set) ([]float64, error) {
		return command.Measure(ctx, "", want.Name, want.Command, set.N, func(path string) error { return predictions.WriteFile(path, set) })
	}
	return compare.Compare(in)
}

// neededColumns returns the columns that the exam's slices read.
func neededColumns(ex exam.Exam) ([]string, error) {
	columns := []string{}
	add := func(name string) {
		if name != "" && !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	for _, s := range ex.Slices {
		add(s.Column)
		if s.Where == "" {
			continue
		}
		expr, err := where.Parse(s.Where)
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("slice %q: %w", s.Name, err))
		}
		for _, name := range expr.Columns() {
			add(name)
		}
	}
	return columns, nil
}

// printComparison prints the verdict first, then a line a metric.
func printComparison(w io.Writer, res compare.Result) error {
	fmt.Fprintf(w, "%s on %d rows", res.Verdict, res.N)
	if res.Groups > 0 {
		fmt.Fprintf(w, " in %d groups", res.Groups)
	}
	fmt.Fprintln(w)
	if res.Reason != "" {
		fmt.Fprintf(w, "  %s\n", res.Reason)
	}
	for _, text := range res.Warnings {
		fmt.Fprintf(w, "  beware: %s\n", text)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nmetric\tbaseline\tcandidate\timprovement\tlow..high (%g %% each)\tmargin\tmde\tverdict\n", 100*res.Confidence)
	for _, m := range res.Metrics {
		name := m.Name
		if m.Against == compare.AgainstAnchor {
			name += " (anchor)"
		}
		margin := ""
		if m.Margin != nil {
			margin = m.Margin.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, number(m.Baseline), number(m.Candidate), number(m.Improvement),
			span(m.CI), margin, number(m.MDE), m.Verdict)
	}
	if len(res.Slices) > 0 {
		fmt.Fprint(t, "\nslice\trows\tmetric\timprovement\tlow..high\tmargin\tmode\tverdict\n")
		for _, s := range res.Slices {
			name := s.Name
			if s.Level != "" {
				name = strings.TrimPrefix(name+" ", " ") + s.Column + "=" + s.Level
			}
			fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(name), s.N, s.Metric, number(s.Improvement), span(s.CI), s.Margin, s.Mode, s.Verdict)
		}
	}
	if err := t.Flush(); err != nil {
		return fault.Environment(fmt.Errorf("printing the result: %w", err))
	}
	for _, m := range res.Metrics {
		if m.Reason != "" {
			fmt.Fprintf(w, "  %s: %s\n", m.Name, m.Reason)
		}
	}
	for _, s := range res.Slices {
		if s.Reason != "" {
			fmt.Fprintf(w, "  %s: %s\n", printable(strings.TrimSpace(s.Name+" "+s.Level)), s.Reason)
		}
	}
	return nil
}

// printable keeps control characters of a file out of the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g", *v)
}

func span(ci *compare.Interval) string {
	if ci == nil {
		return "-"
	}
	text := number(ci.Low) + ".." + number(ci.High)
	if ci.Scale == compare.Ratio {
		text += " (ratio)"
	}
	return text
}
