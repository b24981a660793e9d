package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

func newReconcileCommand() *cobra.Command {
	var project projectFlags
	var where forgeFlag
	var o reconcile.Request
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "reconcile [ENVIRONMENT]",
		Short: "Bring what runs to what the manifest in Git says",
		Long: `reconcile reads the manifest at the head of the base branch and moves the tag
named like the environment, in the image's repository, to the image that the
manifest names; credentials are those of docker login. With --endpoint, a
running server is asked which bundle it serves and for its golden answers. Run
again, it changes nothing.

On GitHub, the deployment of the environment shows what runs, and one issue says
what is out of sync; it is closed once everything is in sync.

Exit code 0: in sync; 1: out of sync; 4: something could not be asked.`,
		Example: `  dosirak reconcile
  dosirak reconcile --plan
  dosirak reconcile production --endpoint https://models.example.org --wait 5m`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				o.Environment = args[0]
			}
			if o.Wait < 0 || o.Wait > time.Hour {
				return fault.BadValue.Usage(fmt.Errorf("--wait %s: at most 1h", o.Wait))
			}
			host, err := where.open(p)
			if err != nil {
				return err
			}
			o.Head, o.Deployments, o.Issues, o.Registries = host.head, host.deployments, host.issues, newRegistries(os.Getenv, os.Getenv("GITHUB_TOKEN"))
			if o.WorkDir, err = os.MkdirTemp("", "dosirak-reconcile-"); err != nil {
				return fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(o.WorkDir)
			r, failed := reconcile.Project(cmd.Context(), p, o)
			if r.State != "" && cmd.Context().Err() == nil {
				if err := showReconciled(cmd.OutOrStdout(), r, asJSON); err != nil {
					return errors.Join(err, failed)
				}
			}
			if failed != nil {
				return failed
			}
			if code := r.State.ExitCode(); code != 0 {
				return exit(code)
			}
			return nil
		},
	}
	project.add(cmd)
	where.add(cmd)
	cmd.Flags().StringVar(&o.Endpoint, "endpoint", "", "address of the running server")
	cmd.Flags().DurationVar(&o.Wait, "wait", 0, "how long the endpoint may take to follow")
	cmd.Flags().BoolVar(&o.Plan, "plan", false, "say what would be set, set nothing, and tell nobody")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func showReconciled(w io.Writer, r reconcile.Result, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	text := fmt.Sprintf("%s in %s: %s\n", r.Model, r.Environment, strings.ReplaceAll(string(r.State), "-", " "))
	if r.Bundle != "" {
		text += fmt.Sprintf("  Git       %s (commit %.12s)\n", r.Bundle, r.Commit)
	}
	for _, k := range r.Registries {
		did := "as it should be"
		switch {
		case k.Changed && k.Before == "":
			did = "set for the first time"
		case k.Changed:
			did = "moved from " + k.Before
		case k.Before != k.Target:
			did = "not set"
		}
		text += fmt.Sprintf("  registry  %s -> %s, %s\n", k.Alias, k.Target, did)
	}
	if s := r.Endpoint; s != nil {
		text += fmt.Sprintf("  endpoint  %s: %s\n", s.Address, s.Detail)
	}
	for _, told := range []struct {
		name string
		told *reconcile.NotifyResult
	}{{"deployment", r.Deployment}, {"issue", r.Issue}} {
		if told.told != nil {
			text += fmt.Sprintf("  %s %s %s\n", told.name, told.told.Operation, told.told.Address)
		}
	}
	for _, list := range [][]string{r.Problems, r.Notes, r.Warnings} {
		for _, line := range list {
			text += "  - " + line + "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
