package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
)

func newTrainCommand() *cobra.Command {
	var project projectFlags
	var asked pipeline.Request
	var seeds []int64
	var asJSON bool
	var out string
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train the replicates and prove that the first one reproduces",
		Long: `train makes the first two steps of a run: a replicate for each seed, and the
proof that the first seed gives the same model again. With --seed it trains only
the seeds named, for one replicate a machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, env, observer, err := project.open(cmd)
			if err != nil {
				return err
			}
			defer observer.Close()
			t, err := pipeline.Train(cmd.Context(), p, env, asked, seeds)
			observer.Close()
			if err != nil {
				return err
			}
			if out != "" {
				if err := pipeline.Carry(p, t, out); err != nil {
					return err
				}
			}
			if err := showTraining(cmd, t, asJSON); err != nil {
				return err
			}
			return exitWith(t.Verdict)
		},
	}
	project.add(cmd)
	cmd.Flags().Int64SliceVar(&seeds, "seed", nil, "train these seeds only")
	cmd.Flags().BoolVar(&asked.Fresh, "fresh", false, "train although nothing changed")
	cmd.Flags().StringVar(&out, "out", "", "write models and training record into this `folder`, for gather or run --trained on another machine")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func showTraining(cmd *cobra.Command, t pipeline.Training, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		return printJSON(w, t)
	}
	for _, s := range t.Seeds {
		reused := ""
		if s.Reused {
			reused = " (reused)"
		}
		if _, err := fmt.Fprintf(w, "seed %d: %s%s\n", s.Seed, s.Model, reused); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", t.Verdict, t.Reason)
	return err
}
