package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
)

func newInitCommand() *cobra.Command {
	var o onboard.Request
	var github, asJSON bool
	cmd := &cobra.Command{
		Use:   "init --github",
		Short: "Write the workflows for GitHub into a repository",
		Long: `init --github writes dosirak's workflows into .github/workflows of the repository,
for every folder in it that has a dosirak.yaml. A file that is there is left as
it is. dosirak's actions are pinned by the commit of this release, which is
looked up on GitHub, or by --actions-commit.`,
		Example: `  dosirak init --github --plan
  dosirak init --github`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !github {
				return fault.BadCommand.Usage(errors.New("say what to write: init --github writes the workflows for GitHub. The config is yours to write; `dosirak schema config` describes it"))
			}
			o.Version, o.LookUp = releaseVersion(), onboard.LookUpActions
			made, err := onboard.GitHub(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), made)
			}
			return showInit(cmd.OutOrStdout(), made)
		},
	}
	cmd.Flags().BoolVar(&github, "github", false, "write the workflows for GitHub")
	cmd.Flags().StringVarP(&o.Dir, "directory", "C", ".", "a folder of the repository")
	cmd.Flags().StringVar(&o.Commit, "actions-commit", "", "commit of dosirak's actions (default: that of this release)")
	cmd.Flags().BoolVar(&o.Plan, "plan", false, "say what would be written and write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func showInit(w io.Writer, made onboard.Result) error {
	text, wrote := "", "wrote "
	if made.Plan {
		wrote = "would write "
	}
	for _, name := range made.Written {
		text += wrote + name + "\n"
	}
	for _, name := range made.Kept {
		text += "kept  " + name + ", which was there\n"
	}
	text += "\nModels:\n"
	var contexts []string
	for _, m := range made.Models {
		text += fmt.Sprintf("  %s in %s\n", m.Model, printable(m.Directory))
		contexts = append(contexts, m.Contexts[0])
	}
	if !made.Plan {
		text += fmt.Sprintf(`
Next:
1. Commit the workflows and merge them. dosirak-judge.yml, dosirak-main.yml and
   dosirak-reconcile.yml work only once they are on the default branch: the pull
   request that adds them is trained, and gets neither status nor comment.
2. Settings > Actions > General: allow GitHub Actions to create pull requests.
3. Require the status in the rules of the base branch:
     %s
docs/github.md in dosirak's repository says more.
`, strings.Join(contexts, "\n     "))
	}
	_, err := io.WriteString(w, text)
	return err
}
