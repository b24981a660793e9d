package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/actions/runner"
)

var update = flag.Bool("update", false, "write the generated pages anew")

// actionFile is what an action.yml says.
type actionFile struct {
	Name        string
	Description string
	Inputs      yaml.MapSlice
	Outputs     yaml.MapSlice
	Runs        struct {
		Using string
		Steps []struct {
			ID, If, Shell, Run string
			Uses               string
			Env                map[string]string
			With               map[string]string
		}
	}
}

func readAction(t *testing.T, path string) actionFile {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	require.True(t, ok)
	data, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", "..", path))
	require.NoError(t, err)
	var f actionFile
	require.NoError(t, yaml.Unmarshal(data, &f), path)
	return f
}

// actionPath is where an action is described.
func actionPath(name string) string {
	if name == "run" {
		return "action.yml"
	}
	return "actions/" + name + "/action.yml"
}

func names(m yaml.MapSlice) []string {
	var list []string
	for _, item := range m {
		list = append(list, fmt.Sprint(item.Key))
	}
	return list
}

func property(item yaml.MapItem, key string) string {
	properties, _ := item.Value.(map[string]any)
	if properties[key] == nil {
		return ""
	}
	return fmt.Sprint(properties[key])
}

var (
	inputValue  = regexp.MustCompile(`^\$\{\{ inputs\.([a-z-]+) \}\}$`)
	outputValue = regexp.MustCompile(`^\$\{\{ steps\.([a-z]+)\.outputs\.([a-z-]+) \}\}$`)
	commandLine = regexp.MustCompile(`^(?:bash "\$GITHUB_ACTION_PATH/\.\./budget\.sh" )?"\$DOSIRAK" action ([a-z]+)$`)
)

// A step of a composite action gets no INPUT_ variables, and nothing checks
// that an output has a source: each is held against what the binary declares.
func TestEveryInputIsMappedAndEveryOutputIsSet(t *testing.T) {
	t.Parallel()
	declared := map[string]runner.Action{}
	for _, a := range actions() {
		declared[a.Name] = a
	}
	for _, a := range actions() {
		path := actionPath(a.Name)
		f := readAction(t, path)
		require.Equal(t, "composite", f.Runs.Using, path)
		mapped, sources := map[string]bool{}, map[string]runner.Action{}
		for _, step := range f.Runs.Steps {
			assert.Empty(t, step.Uses, "%s: an action within an action would have to be pinned by its users too", path)
			assert.Equal(t, "bash", step.Shell, path)
			assert.NotContains(t, step.Run, "${{", "%s: an expression in a script is pasted into it", path)
			found := commandLine.FindStringSubmatch(step.Run)
			if found == nil {
				assert.Regexp(t, `^bash "\$GITHUB_ACTION_PATH/(actions|\.\.)/install\.sh"$`, step.Run, path)
				assert.Equal(t, map[string]string{"GH_TOKEN": "${{ github.token }}"}, step.Env, path)
				continue
			}
			run, ok := declared[found[1]]
			require.True(t, ok, "%s runs %s", path, found[1])
			sources[step.ID] = run
			want := []string{"DOSIRAK"}
			for _, name := range run.Inputs {
				want = append(want, runner.Variable(name))
				value, ok := step.Env[runner.Variable(name)]
				assert.True(t, ok, "%s, step %s: input %s of action %s is not mapped", path, step.ID, name, run.Name)
				if input := inputValue.FindStringSubmatch(value); input != nil {
					assert.Equal(t, name, input[1], "%s, step %s maps one input to another", path, step.ID)
					mapped[input[1]] = true
				}
			}
			for name := range step.Env {
				assert.Contains(t, want, name, "%s, step %s", path, step.ID)
			}
		}
		for _, name := range names(f.Inputs) {
			used := mapped[name]
			for _, step := range f.Runs.Steps {
				used = used || strings.Contains(step.If, "inputs."+name)
			}
			assert.True(t, used, "%s: input %s reaches nothing", path, name)
		}
		for name := range mapped {
			assert.Contains(t, names(f.Inputs), name, "%s maps input %s, which it does not have", path, name)
		}
		for _, item := range f.Outputs {
			value := outputValue.FindStringSubmatch(property(item, "value"))
			require.NotNil(t, value, "%s: output %s has no source", path, item.Key)
			source, ok := sources[value[1]]
			require.True(t, ok, "%s: output %s comes from step %s, which runs nothing", path, item.Key, value[1])
			assert.Contains(t, source.Outputs, value[2], "%s: output %s", path, item.Key)
		}
		for _, name := range a.Outputs {
			assert.Contains(t, names(f.Outputs), name, "%s leaves out output %s", path, name)
		}
		if a.Name != "run" {
			assert.Equal(t, a.Inputs, names(f.Inputs), "%s: the same inputs in the same order", path)
			assert.Equal(t, a.Outputs, names(f.Outputs), "%s: the same outputs in the same order", path)
		}
		for _, item := range append(slices.Clone(f.Inputs), f.Outputs...) {
			assert.NotEmpty(t, property(item, "description"), "%s: %s", path, item.Key)
		}
	}
}

// No step that runs the change's own code has a token.
func TestNoTokenWhereTheChangeRuns(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		for _, step := range readAction(t, actionPath(a.Name)).Runs.Steps {
			found := commandLine.FindStringSubmatch(step.Run)
			if found == nil || !slices.Contains([]string{"run", "train", "compare", "smoke", "gather", "plan", "verify"}, found[1]) {
				continue
			}
			for name, value := range step.Env {
				assert.NotContains(t, strings.ToLower(name+value), "token", "%s, step %s", actionPath(a.Name), step.ID)
				assert.NotContains(t, value, "secrets.", "%s, step %s", actionPath(a.Name), step.ID)
			}
		}
	}
}

// docs/actions.md is generated from the files that GitHub reads.
func TestActionsPage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString(`# Actions

Generated from each action.yml by ` + "`go test ./cmd/dosirak -run TestActionsPage -update`" + `. How they fit together: [github.md](github.md).
`)
	for _, a := range actions() {
		f := readAction(t, actionPath(a.Name))
		uses := "dosirak-ml/dosirak"
		if a.Name != "run" {
			uses += "/actions/" + a.Name
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n`uses: %s@<commit>`\n\n| input | default | |\n|---|---|---|\n", strings.TrimPrefix(f.Name, "dosirak "), f.Description, uses)
		for _, item := range f.Inputs {
			standard := property(item, "default")
			switch {
			case property(item, "required") == "true":
				standard = "required"
			case standard != "":
				standard = "`" + standard + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", item.Key, standard, property(item, "description"))
		}
		b.WriteString("\n| output | |\n|---|---|\n")
		for _, item := range f.Outputs {
			fmt.Fprintf(&b, "| `%s` | %s |\n", item.Key, property(item, "description"))
		}
	}
	path := filepath.Join("..", "..", "docs", "actions.md")
	if *update {
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	published, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(published), "docs/actions.md is out of date: go test ./cmd/dosirak -run TestActionsPage -update")
}
