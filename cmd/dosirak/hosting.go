package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

// hosting is where a project's base branch and proposals live, and where
// people are told. Without Git there is nothing.
type hosting struct {
	forge       promote.Forge
	head        project.Head
	deployments reconcile.Deployments // nil: nobody is told
	issues      reconcile.Issues
}

// forgeFlag says which forge a command uses.
type forgeFlag struct{ name string }

func (f *forgeFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "forge", "auto", "local, github, or auto: github where GITHUB_REPOSITORY and GITHUB_TOKEN are set")
}

func (f *forgeFlag) open(p *project.Project) (hosting, error) {
	switch f.name {
	case "local":
		return hosting{forge: newForge(p), head: newHead(p)}, nil
	case "github":
		return newGitHubHosting(p, os.Getenv)
	case "auto":
		if os.Getenv("GITHUB_REPOSITORY") != "" && os.Getenv("GITHUB_TOKEN") != "" {
			return newGitHubHosting(p, os.Getenv)
		}
		return hosting{forge: newForge(p), head: newHead(p)}, nil
	}
	return hosting{}, fault.BadValue.Usage(fmt.Errorf("--forge %q: use local, github or auto", f.name))
}
