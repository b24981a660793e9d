package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

func newPowerCommand() *cobra.Command {
	var file, replicate, configFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "power --predictions FILE [--replicate FILE]",
		Short: "Say what the evaluation data can show, before anything is trained",
		Long: `power reads the answers of one model on the evaluation rows and says, for
each metric of the config, the smallest margin at which an unchanged model
passes 4 times in 5 with these rows, twice and five times as many, and how
often an unchanged model passes all gates together.

With --replicate, the answers of the same recipe trained with another seed, it
knows how far an unchanged model is from itself; without, it assumes it.`,
		Example: "  dosirak power --predictions seed1.csv --replicate seed2.csv --config dosirak.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return fault.BadCommand.Usage(fmt.Errorf("power needs --predictions FILE"))
			}
			c, err := config.LoadCompare(configFile, project.Catalogue)
			if err != nil {
				return err
			}
			in := compare.PowerInput{Exam: c.Exam()}
			in.Exam.Slices = nil
			columns, err := in.Exam.Columns()
			if err != nil {
				return fault.Usage(err)
			}
			sets, err := predictions.ReadFiles(cmd.Context(), predictions.Options{
				Task: in.Exam.Task, Positive: in.Exam.Data.Positive, Columns: columns, Group: in.Exam.Data.Group, Weight: in.Exam.Data.Weight,
			}, file, replicate, "")
			if err != nil {
				return err
			}
			in.Model, in.Replicate = sets[0], sets[1]
			power, err := compare.PowerOf(cmd.Context(), in)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), power)
			}
			return printPower(cmd.OutOrStdout(), power)
		},
	}
	cmd.Flags().StringVar(&file, "predictions", "", "answers of the model in production, or of a first replicate")
	cmd.Flags().StringVar(&replicate, "replicate", "", "answers of the same recipe with another seed, on the same rows")
	cmd.Flags().StringVar(&configFile, "config", "dosirak.yaml", "config with task, metrics and confidence")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printPower(w io.Writer, p compare.Power) error {
	unit, n := "rows", p.N
	if p.Groups > 0 {
		unit, n = "groups", p.Groups
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "metric\tvalue\tmargin")
	for _, times := range p.Times {
		fmt.Fprintf(t, "\tmde at %.0f %s", float64(n)*times, unit)
	}
	fmt.Fprintln(t, "\tunchanged passes\tneeds")
	for _, m := range p.Metrics {
		printMetricPower(t, m, unit)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nmde: the smallest margin at which an unchanged model passes 4 times in 5. Taken from %s.\n", p.Basis)
	_, err := fmt.Fprintln(w, p.Advice())
	return err
}

func printMetricPower(w io.Writer, m compare.MetricPower, unit string) {
	number := func(v float64) string {
		if m.Scale == compare.Ratio {
			return fmt.Sprintf("%.3g %%", 100*v)
		}
		return fmt.Sprintf("%.3g", v)
	}
	value, margin, passes, needs := "-", "-", "-", "-"
	if m.Value != nil {
		value = fmt.Sprintf("%.4g", *m.Value)
	}
	if m.Margin != nil {
		margin = m.Margin.String()
	}
	if len(m.Passes) > 0 {
		passes = fmt.Sprintf("%.0f %%", 100*m.Passes[0])
	}
	if m.RowsNeeded != nil {
		needs = fmt.Sprintf("%d %s", *m.RowsNeeded, unit)
	}
	fmt.Fprintf(w, "%s\t%s\t%s", m.Name, value, margin)
	if len(m.MDE) == 0 {
		fmt.Fprintf(w, "\t%s\n", m.Reason)
		return
	}
	for _, v := range m.MDE {
		fmt.Fprintf(w, "\t%s", number(v))
	}
	fmt.Fprintf(w, "\t%s\t%s\n", passes, needs)
}
