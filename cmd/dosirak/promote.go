package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

func newPromoteCommand() *cobra.Command {
	var project projectFlags
	var where forgeFlag
	var asked pipeline.Request
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "promote RUN",
		Short: "Propose what a run found: one commit that changes one manifest",
		Long: `promote takes the last step of a run that passed: a branch with one commit that
changes only the manifest, and, while it is small enough for Git, adds the
bundle and the evidence. The work tree and the current branch are not touched.
Again, it changes nothing. Merging the branch is the promotion; reverting the
merge is the rollback.

What is promoted is what the run was: its config, its commit, its data. Nothing
of the run is made again or written; where the project or production has moved on
since, it is refused with what moved.`,
		Example: `  dosirak promote latest
  dosirak promote latest --plan`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := project.asRun(cmd, args[0]); err != nil {
				return err
			}
			p, env, observer, err := project.open(cmd)
			if err != nil {
				return err
			}
			defer observer.Close()
			host, err := where.open(p)
			if err != nil {
				return err
			}
			env.Forge = host.forge
			out, err := pipeline.Promote(cmd.Context(), p, env, asked, args[0])
			observer.Close()
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), map[string]any{"proposal": out.Proposal, "promotion": out.Promotion})
			} else {
				err = showPromotion(cmd.OutOrStdout(), out.Proposal, out.Promotion)
			}
			if err != nil {
				return err
			}
			switch out.Promotion.Operation {
			// Withdrawn is what a refusal does to an older proposal, once: again it is
			// skipped, and the code is the same.
			case promote.Skipped, promote.Withdrawn, promote.Stopped, promote.Declined:
				if out.Unchanged {
					return nil
				}
				return exit(fault.CodeUsage)
			}
			return nil
		},
	}
	project.add(cmd)
	where.add(cmd)
	cmd.Flags().StringVar(&asked.Environment, "environment", "", "the environment (default: the run's)")
	cmd.Flags().BoolVar(&asked.Plan, "plan", false, "print the proposal and write nothing")
	cmd.Flags().BoolVar(&asked.Again, "again", false, "promote although the environment was rolled back from this very bundle")
	cmd.Flags().BoolVar(&asked.AcknowledgeExam, "acknowledge-exam", false, "promote although the exam differs from the one that production was promoted by")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// planned prints what a plan would write.
func planned(p *promote.Proposal) string {
	text := fmt.Sprintf("\nbranch %s on %s, nothing is written:\n", p.Branch, p.Base)
	for _, path := range p.Paths() {
		text += fmt.Sprintf("  %s (%d bytes)\n", path, len(p.Files[path]))
	}
	return text + "\n" + p.Message
}
