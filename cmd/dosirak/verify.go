package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
	"github.com/dosirak-ml/dosirak/pipeline/verify"
)

func newVerifyCommand() *cobra.Command {
	var project projectFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [ENVIRONMENT]",
		Short: "Recompute a manifest's verdict from its evidence",
		Long: `verify reads the manifest of an environment (the first of promote.environments
when none is named) and the evidence that it names, compares the kept
predictions again by the kept exam, and says for each claim of the manifest
whether it holds. Exit code 0: all of it holds; 1: something does not.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			environment := ""
			if len(args) == 1 {
				environment = args[0]
			}
			environment, err = p.Environment(environment)
			if err != nil {
				return err
			}
			temp, err := os.MkdirTemp("", "dosirak-verify-")
			if err != nil {
				return fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(temp)
			v, err := verify.Run(cmd.Context(), p, environment, filepath.Join(temp, "bundle"))
			if err != nil {
				return err
			}
			if err := showVerification(cmd, v, asJSON); err != nil {
				return err
			}
			if !v.Holds {
				return exit(fault.CodeFailed)
			}
			return nil
		},
	}
	project.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func showVerification(cmd *cobra.Command, v verify.Result, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		return printJSON(w, v)
	}
	for _, c := range v.Checks {
		mark := "✓"
		if !c.Holds {
			mark = "✗"
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", mark, c.Name, c.Detail); err != nil {
			return err
		}
	}
	says := "holds"
	if !v.Holds {
		says = "does not hold"
	}
	shown := v.Manifest
	if shown == "" {
		shown = verdict.Inconclusive
	}
	_, err := fmt.Fprintf(w, "The manifest's %s for %s %s.\n", shown, v.Environment, says)
	return err
}
