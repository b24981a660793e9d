package main

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/report/explain"
)

// completion offers what may stand at a place of the command line. A shell
// waits for it: nothing here asks Git or the network, and what cannot be read
// is offered no more.
type completion = cobra.CompletionFunc

// completeFlags says what may be the value of a flag, by the flag's name: one
// name means one thing in every command.
var completeFlags = map[string]completion{
	"environment": environments,
	"resume":      runs,
	"keep-run":    runs,
	"forge":       words("auto", "local", "github"),
	"task":        words(string(exam.Binary), string(exam.Multiclass), string(exam.Regression)),
	"profile":     words("quick", "full"),
	"smoke":       words("quick", "full"),
	"platform":    words("linux/amd64", "linux/arm64"),
	"log-level":   words("debug", "info", "warn", "error"),
	"for":         words("promote", "comment", "reconcile", "rollback"),
	"directory":   folders,
	"trained":     folders,
	"config":      filesNamed("yaml", "yml"),
	"archive":     filesNamed("tar"),
	"predictions": predictionFiles,
	"candidate":   predictionFiles,
	"baseline":    predictionFiles,
	"anchor":      predictionFiles,
	"data":        predictionFiles,
}

// completeFlagsOf are the flags that mean something of their own in one
// command.
var completeFlagsOf = map[string]map[string]completion{
	"dosirak report":  {"format": words(reportFormats...)},
	"dosirak compare": {"format": words(compareFormats...)},
}

// completeArguments says what may be the arguments of a command. Where nothing
// is said, a command without arguments offers nothing and any other files.
var completeArguments = map[string]completion{
	"dosirak report":    atMost(1, runs),
	"dosirak explain":   inTurn(runs, metrics),
	"dosirak promote":   atMost(1, runs),
	"dosirak runs show": atMost(1, runs),
	"dosirak runs diff": atMost(2, runs),
	"dosirak verify":    atMost(1, environments),
	"dosirak rollback":  atMost(1, environments),
	"dosirak reconcile": atMost(1, environments),
}

// completable gives all commands below root their completions.
func completable(root *cobra.Command) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if f, ok := completeArguments[cmd.CommandPath()]; ok {
			cmd.ValidArgsFunction = f
		} else if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && cmd.Args != nil && cmd.Args(cmd, []string{"x"}) != nil {
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			complete, ok := completeFlagsOf[cmd.CommandPath()][f.Name]
			if !ok {
				complete, ok = completeFlags[f.Name]
			}
			if ok {
				// It fails for a flag that has a completion already only.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
			}
		})
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(root)
}

func words(list ...string) completion {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

func filesNamed(extensions ...string) completion {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

var folders = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)

var predictionFiles = filesNamed("csv", "tsv", "parquet", "jsonl", "gz")

// atMost offers nothing once n arguments are there.
func atMost(n int, next completion) completion {
	return inTurn(slices.Repeat([]completion{next}, n)...)
}

// inTurn offers for each argument what stands at its place.
func inTurn(each ...completion) completion {
	return func(cmd *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(each) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return each[len(args)](cmd, args, start)
	}
}

// runs offers the runs of the project, the newest first, with their verdicts.
func runs(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	s, err := (&storeFlags{dir: flagOr(cmd, "directory", ".")}).open()
	if err != nil {
		return nil, directive
	}
	list, err := s.List()
	if err != nil || len(list) == 0 {
		return nil, directive
	}
	offered := []string{"latest\tthe newest run"}
	for _, run := range list {
		summary := run.Summary()
		said := string(run.Status)
		if summary.Verdict != "" {
			said = oneLine(summary.Verdict)
		}
		offered = append(offered, run.ID+"\t"+said+", "+run.Started.UTC().Format("2006-01-02 15:04"))
	}
	return offered, directive
}

// metrics offers the metrics of the run that the first argument names.
func metrics(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	path, err := reportPath(cmd, args[0], runFolder)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	r, err := readReport(path)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return explain.Known(r), cobra.ShellCompDirectiveNoFileComp
}

// environments offers promote.environments.
func environments(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	name := flagOr(cmd, "config", project.ConfigFile)
	dir, err := project.Find(flagOr(cmd, "directory", "."), name)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := config.Load(filepath.Join(dir, name), nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.Promote.Environments, cobra.ShellCompDirectiveNoFileComp
}

// flagOr returns the value of a text flag, or what stands where the command
// has no such flag.
func flagOr(cmd *cobra.Command, name, otherwise string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return otherwise
}
