package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

// eachCommand calls f for every command of the tree.
func eachCommand(f func(*cobra.Command)) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		f(cmd)
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(newRootCommand())
}

func TestVersionFlag(t *testing.T) {
	t.Parallel()
	_, command, _ := call(t, "version")
	for _, flag := range []string{"--version", "-v"} {
		code, stdout, _ := call(t, flag)
		assert.Equal(t, 0, code)
		assert.Equal(t, command, stdout)
	}
}

// The help of the root tells every command under the title of its group.
func TestHelpIsGrouped(t *testing.T) {
	t.Parallel()
	code, stdout, _ := call(t, "--help")
	assert.Equal(t, 0, code)
	assert.NotContains(t, stdout, "Additional Commands")
	root := newRootCommand()
	for _, g := range root.Groups() {
		assert.Contains(t, stdout, "\n"+g.Title+"\n")
	}
	for _, c := range root.Commands() {
		if !c.Hidden {
			assert.Contains(t, stdout, "\n  "+c.Name()+" ", c.Name())
			assert.NotEmpty(t, c.GroupID, c.Name())
		}
	}
	assert.NotContains(t, stdout, "\n  man ", "for packagers")
}

// One word means one thing: what shows and changes nothing is --plan, and what
// other tools call it is understood.
func TestPlanIsTheWord(t *testing.T) {
	t.Parallel()
	planned := map[string]bool{}
	eachCommand(func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			assert.NotContains(t, []string{"dry-run", "noop", "check"}, f.Name, cmd.CommandPath())
			if f.Name == "plan" {
				planned[cmd.Name()] = true
			}
		})
	})
	for _, name := range []string{"run", "promote", "adopt", "rollback", "reconcile", "gc", "init"} {
		assert.True(t, planned[name], name)
	}
	dir, ids := storedRuns(t)
	code, stdout, stderr := call(t, "gc", "-C", dir, "--keep", "0", "--dry-run")
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "would remove 2 runs")
	code, stdout, _ = call(t, "runs", "list", "-C", dir)
	assert.Equal(t, 0, code)
	for _, id := range ids {
		assert.Contains(t, stdout, id)
	}
	_, stdout, _ = call(t, "gc", "--help")
	assert.NotContains(t, stdout, "dry-run")
}

// Where proposals are made, the same flag says where.
func TestForgeFlag(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"run", "promote", "adopt", "rollback", "reconcile"} {
		cmd, _, err := newRootCommand().Find([]string{name})
		require.NoError(t, err)
		assert.NotNil(t, cmd.Flags().Lookup("forge"), name)
	}
}

func completions(t *testing.T, args ...string) (offered []string, directive string) {
	t.Helper()
	code, stdout, stderr := call(t, append([]string{"__complete"}, args...)...)
	require.Equal(t, 0, code, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines[:len(lines)-1] {
		word, _, _ := strings.Cut(line, "\t")
		offered = append(offered, word)
	}
	_, directive, _ = strings.Cut(stderr, "directive: ")
	return offered, strings.TrimSpace(directive)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	dir, ids := storedRuns(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dosirak.yaml"), []byte(`version: 1
model: m
task: regression
train: {command: "true {out}"}
data: {train: a.csv, eval: b.csv, label: y}
metrics: [{name: mae, direction: lower, margin: 0.1}]
promote: {environments: [staging, production]}
`), 0o644))
	text, err := report.Encode(reporttest.Fail())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, evidence.Report), text, 0o644))
	newestFirst := []string{"latest", ids[1], ids[0]}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"runs", []string{"promote", "-C", dir, ""}, newestFirst},
		{"runs of report", []string{"report", "-C", dir, ""}, newestFirst},
		{"runs of show", []string{"runs", "show", "-C", dir, ""}, newestFirst},
		{"a second run", []string{"runs", "diff", "-C", dir, ids[0], ""}, newestFirst},
		{"no third run", []string{"runs", "diff", "-C", dir, ids[0], ids[1], ""}, nil},
		{"runs to resume", []string{"run", "-C", dir, "--resume", ""}, newestFirst},
		{"metrics of a run", []string{"explain", "-C", dir, filepath.Join(dir, evidence.Report), ""}, []string{"roc_auc", "log_loss", "accuracy", "brier", "ece", "f1"}},
		{"environments", []string{"verify", "-C", dir, ""}, []string{"staging", "production"}},
		{"environments of a flag", []string{"run", "-C", dir, "--environment", ""}, []string{"staging", "production"}},
		{"formats", []string{"report", "--format", ""}, reportFormats},
		{"formats of compare", []string{"compare", "--format", ""}, compareFormats},
		{"tasks", []string{"metrics", "--task", ""}, []string{"binary", "multiclass", "regression"}},
		{"forges", []string{"promote", "--forge", ""}, []string{"auto", "local", "github"}},
		{"schemas", []string{"schema", ""}, []string{"config", "manifest", "report"}},
		{"nothing", []string{"run", "-C", dir, ""}, nil},
		{"folders without runs", []string{"promote", "-C", t.TempDir(), ""}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, directive := completions(t, tt.args...)
			assert.Equal(t, tt.want, got)
			assert.Contains(t, directive, "NoFileComp", "no file may stand there")
		})
	}
	for _, tt := range []struct {
		name, directive string
		args            []string
	}{
		{"files", "ShellCompDirectiveDefault", []string{"seal", ""}},
		{"files by their ending", "ShellCompDirectiveFilterFileExt", []string{"metrics", "--predictions", ""}},
		{"folders", "ShellCompDirectiveFilterDirs", []string{"run", "-C", ""}},
	} {
		_, directive := completions(t, tt.args...)
		assert.Contains(t, directive, tt.directive, tt.name)
	}
	got, _ := completions(t, "help", "error", "E01")
	assert.Contains(t, got, "E0101")
}

// A project is found from any folder below it.
func TestProjectAbove(t *testing.T) {
	t.Parallel()
	dir, ids := storedRuns(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dosirak.yaml"), nil, 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "train", "deep"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
	code, stdout, stderr := call(t, "runs", "list", "-C", filepath.Join(dir, "train", "deep"))
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, ids[0])
	code, _, stderr = call(t, "matrix", "-C", filepath.Join(dir, "train", "deep"))
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, filepath.Join(dir, "dosirak.yaml")+":1:1", "the config above is the one that is read")
}

// A package has a page for each command, the same for the same release.
func TestManualPages(t *testing.T) {
	t.Parallel()
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		code, _, stderr := call(t, "man", dir)
		require.Equal(t, 0, code, stderr)
	}
	eachCommand(func(cmd *cobra.Command) {
		if !cmd.IsAvailableCommand() || strings.HasPrefix(cmd.CommandPath(), "dosirak help") {
			return
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		first, err := os.ReadFile(filepath.Join(dirs[0], name))
		require.NoError(t, err)
		second, err := os.ReadFile(filepath.Join(dirs[1], name))
		require.NoError(t, err)
		assert.Equal(t, string(first), string(second))
		assert.Contains(t, string(first), cmd.Short)
	})
}
