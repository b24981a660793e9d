package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/report/explain"
)

// newExplainCommand explains what decided a run, or how one metric of it was
// judged. folder
// returns the folder of the run with the given id, as for the report command.
func newExplainCommand(folder func(cmd *cobra.Command, run string) (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "explain RUN|report.json [METRIC]",
		Short: "Say in plain sentences what decided a run, or how one metric was judged",
		Long: `explain says what decided a run: its verdict, the gates that it rests on, and how
the weightiest metric among them was judged.

Of a metric it says what was tested, how, with which numbers, why the verdict is
what it is, and what would change it: which margin would have passed or failed,
how much better the candidate would have to be, how many rows or groups would
tell. Slices of the metric, other seeds and the exam that promoted production are
told too.

The run is named as for dosirak report: by its id or the end of it, by "latest",
by its folder, or by the path of its report.json. The exit code is 0 whatever the
verdict is: the question was answered.`,
		Example: `  dosirak explain latest
  dosirak explain latest log_loss`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := reportPath(cmd, args[0], folder)
			if err != nil {
				return err
			}
			r, err := readReport(path)
			if err != nil {
				return err
			}
			stdout := cmd.OutOrStdout()
			text := ""
			if len(args) == 1 {
				text = explain.Run(r, width(stdout))
			} else if text, err = explain.Metric(r, args[1], width(stdout)); err != nil {
				return fault.BadValue.Usage(err)
			}
			if _, err := io.WriteString(stdout, text); err != nil {
				return fault.Environment(fmt.Errorf("writing the explanation: %w", err))
			}
			return nil
		},
	}
}
