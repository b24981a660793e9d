package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// exit is the error of a command that has printed all there is to say and
// only ends with a code, such as that of its verdict.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitWith ends a command with the code of v; a PASS is no error.
func exitWith(v verdict.Verdict) error {
	if code := v.ExitCode(); code != 0 {
		return exit(code)
	}
	return nil
}

// The commands of a group are told in the order in which they are used.
func init() { cobra.EnableCommandSorting = false }

// newRootCommand is the command tree.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dosirak",
		Short: "Train, prove, compare, package and promote a model",
		Long: `dosirak turns a change of a model into a decision that can be defended: it
trains with fixed seeds, proves that training is reproducible, compares the
candidate with the model in production on the same rows, builds and tests the
serving image, reports, and proposes the promotion.

Exit codes: 0 PASS or done; 1 FAIL, or a command of yours that fails; 2 bad
usage, config or data; 3 INCONCLUSIVE; 4 the environment failed and trying
again may help; 130 interrupted.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Version = releaseVersion()
	root.SetVersionTemplate("dosirak {{.Version}}\n")
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"line", "A change, from training to a proposed promotion:", []*cobra.Command{
			newRunCommand(), newTrainCommand(), newSealCommand(), newEvaluateCommand(), newCompareCommand(),
			newImageCommand(), newSmokeCommand(), ofProject(newReportCommand(runFolder)), newPromoteCommand(),
		}},
		{"look", "What was found:", []*cobra.Command{
			ofProject(newExplainCommand(runFolder)), newRunsCommand(), newMetricsCommand(), newPowerCommand(), newServeCommand(), newGCCommand(),
		}},
		{"production", "Production:", []*cobra.Command{
			newAdoptCommand(), newVerifyCommand(), newReconcileCommand(), newRollbackCommand(),
		}},
		{"setup", "Setting up:", []*cobra.Command{
			newInitCommand(), newFetchCommand(), newDoctorCommand(), newSchemaCommand(), newVersionCommand(),
		}},
		{"machines", "Several machines and workflows:", []*cobra.Command{
			newMatrixCommand(), newGatherCommand(), newActionCommand(),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
		}
		root.AddCommand(g.commands...)
	}
	root.AddCommand(newManCommand())
	root.SetHelpCommand(newHelpCommand())
	root.SetHelpCommandGroupID("setup")
	root.SetCompletionCommandGroupID("setup")
	root.InitDefaultCompletionCmd()
	root.SetGlobalNormalizationFunc(oneWord)
	completable(root)
	understandable(root)
	return root
}

// oneWord makes other tools' name for "show and change nothing" the one that
// every command here has.
func oneWord(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "dry-run" {
		name = "plan"
	}
	return pflag.NormalizedName(name)
}

// execute runs the command line and returns its exit code.
func execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	out := &counted{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	return fail(ctx, err, wantsJSON(cmd, args), out, stderr)
}

// printJSON prints the one object of --json.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fault.Environment(fmt.Errorf("printing the result: %w", err))
	}
	return nil
}

// printable keeps control characters of a file out of the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}
