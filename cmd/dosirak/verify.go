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
	var asJSON, acknowledged bool
	cmd := &cobra.Command{
		Use:   "verify [ENVIRONMENT]",
		Short: "Hold a manifest against what can be computed anew",
		Long: `verify reads the manifest of an environment (the first of promote.environments
when none is named).

One that the base branch has already is held against its evidence: the kept
predictions are compared again by the kept exam.

One that the base branch does not have is judged by the base branch's config,
rows and manifest: the bundles of the change and of production answer those
rows again, and what the change says of itself decides nothing. What is not
computed again (the proof, the smoke test) is marked with a dash.

Exit code 0: all of it holds; 1: something does not; 3: a person has to
acknowledge it first (another exam, an adopted model), with --acknowledged.`,
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
			o := verify.Options{Environment: environment, Acknowledged: acknowledged, Dir: temp}
			if o.Base, err = p.Base(cmd.Context(), "", filepath.Join(temp, "base")); err != nil {
				return err
			}
			v, err := verify.Run(cmd.Context(), p, o)
			if err != nil {
				return err
			}
			if err := showVerification(cmd, v, asJSON); err != nil {
				return err
			}
			return exitWith(v.Verdict())
		},
	}
	project.add(cmd)
	cmd.Flags().BoolVar(&acknowledged, "acknowledged", false, "a person has acknowledged what waits for one: another exam, an adopted model")
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
		switch {
		case !c.Holds:
			mark = "✗"
		case c.Claimed: // no tick for what nobody computed
			mark = "–"
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", mark, c.Name, c.Detail); err != nil {
			return err
		}
	}
	says := "holds"
	switch v.Verdict() {
	case verdict.Inconclusive:
		says = "waits for a person: look at it, then verify it with --acknowledged"
	case verdict.Fail:
		says = "does not hold"
	}
	shown := v.Manifest
	if shown == "" {
		shown = verdict.Inconclusive
	}
	_, err := fmt.Fprintf(w, "The manifest's %s for %s %s.\n", shown, v.Environment, says)
	return err
}
