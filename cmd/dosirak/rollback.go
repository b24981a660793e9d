package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/rollback"
)

func newRollbackCommand() *cobra.Command {
	var project projectFlags
	var where forgeFlag
	var o rollback.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rollback [ENVIRONMENT]",
		Short: "Propose the return to a model that ran before",
		Long: `rollback proposes one commit that puts an earlier version of the environment's
manifest back, as the history of the base branch has it: the version before
today's, or the newest that names the bundle of --to. The bundle has to be there
still. The work tree and the current branch are not touched; again, it changes
nothing. Merging the branch is the rollback.

The base branch still trains the model that goes: revert its change too.`,
		Example: `  dosirak rollback
  dosirak rollback production --to 84144ddc4c4d --plan`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				o.Environment = args[0]
			}
			host, err := where.open(p)
			if err != nil {
				return err
			}
			o.Forge, o.Head = host.forge, host.head
			if o.WorkDir, err = os.MkdirTemp("", "dosirak-rollback-"); err != nil {
				return fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(o.WorkDir)
			r, err := rollback.Run(cmd.Context(), p, o)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				for _, warning := range r.Warnings {
					fmt.Fprintf(cmd.ErrOrStderr(), "dosirak: %s\n", warning)
				}
				err = showProposed(cmd.OutOrStdout(), r.Proposal, r.Outcome)
			}
			return proposed(r.Outcome, err)
		},
	}
	project.add(cmd)
	where.add(cmd)
	cmd.Flags().StringVar(&o.To, "to", "", "the bundle that comes back: its digest, or at least 6 digits of it (default: the one before)")
	cmd.Flags().BoolVar(&o.Plan, "plan", false, "print the proposal and write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// showProposed prints a proposal that a human asked for and what became of it.
func showProposed(w io.Writer, p *promote.Proposal, out promote.Outcome) error {
	if p == nil || out.Operation == promote.Unchanged && out.Commit == "" {
		_, err := fmt.Fprintf(w, "Nothing is proposed: %s.\n", out.Reason)
		return err
	}
	if out.Operation == promote.Stopped {
		_, err := fmt.Fprintf(w, "The proposal stopped: %s.\n", out.Reason)
		return err
	}
	if out.Operation == promote.Planned {
		_, err := fmt.Fprintf(w, "%s\n# %s\n\n%s", planned(p), p.Title, p.Body)
		return err
	}
	_, err := fmt.Fprintf(w, "%s\n%s", p.Title, proposedAt(out, "merge"))
	return err
}

// proposed ends a command with the code of what became of its proposal.
func proposed(out promote.Outcome, err error) error {
	if err == nil && out.Operation == promote.Stopped {
		return exit(fault.CodeUsage)
	}
	return err
}
