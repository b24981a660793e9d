package onboard

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write this repository's workflows anew")

// own are the settings of this repository.
var own = Settings{Actions: "./", Source: true, Directories: []string{"examples/flights"}, Branches: []string{"main"}}

// What users get is what this repository runs.
func TestWorkflowsOfThisRepository(t *testing.T) {
	t.Parallel()
	files, err := Workflows(own)
	require.NoError(t, err)
	require.Len(t, files, 5)
	for name, text := range files {
		path := filepath.Join("..", "..", ".github", "workflows", name)
		if *update {
			require.NoError(t, os.WriteFile(path, text, 0o644))
		}
		there, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(there), "%s is out of date: go test ./pipeline/onboard -update", name)
	}
}

func TestWorkflowsOfAUser(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("a", 40)
	files, err := Workflows(Settings{Actions: commit, Version: "v1.2.3", Branches: []string{"main", "develop", "main"}})
	require.NoError(t, err)
	for name, text := range files {
		assert.NotContains(t, string(text), "[[", name)
		assert.NotContains(t, string(text), "setup-go", "%s: a release needs no Go", name)
		for _, line := range strings.Split(string(text), "\n") {
			step := strings.TrimPrefix(strings.TrimSpace(line), "- ")
			if uses, ok := strings.CutPrefix(step, "uses: "); ok {
				assert.Regexp(t, `^[a-z-]+/[a-z/-]+@[0-9a-f]{40} # v\d`, uses, "%s: pinned by commit", name)
			}
			if strings.HasPrefix(line, "        run:") || strings.HasPrefix(step, "git ") || strings.HasPrefix(step, "echo ") {
				assert.NotContains(t, line, "${{", name)
			}
		}
		assert.Contains(t, string(text), "\npermissions: {}\n", name)
		assert.Contains(t, string(text), "\nconcurrency:\n", name)
	}
	assert.Contains(t, string(files["dosirak-main.yml"]), "branches: [develop, main]")
}

func TestWorkflowsFollowTheRepository(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("a", 40)
	write := func(s Settings) map[string]string {
		files, err := Workflows(s)
		require.NoError(t, err)
		out := map[string]string{}
		for name, text := range files {
			out[name] = string(text)
		}
		return out
	}
	// A commit that is no release is built, once for all jobs.
	files := write(Settings{Actions: commit, Source: true, Go: "1.25.1", Branches: []string{"trunk"}, Base: "trunk", Push: true, Registries: []string{"ghcr.io", "registry.example.org:5000"}})
	for name, text := range files {
		assert.Contains(t, text, "go-version: '1.25.1'\n          cache-dependency-path: .github/workflows/dosirak.yml\n", name)
		assert.Contains(t, text, "env:\n  DOSIRAK_BASE: trunk", name)
		assert.Equal(t, strings.Count(text, "actions/setup-go@"), strings.Count(text, "runs-on:"), name)
	}
	for _, name := range []string{"dosirak-main.yml", "dosirak-reconcile.yml"} {
		assert.Contains(t, files[name], "      packages: write", name)
		assert.Contains(t, files[name], "# Log in to registry.example.org:5000 here", name)
		assert.Contains(t, files[name], "branches: [trunk]", name)
	}
	for _, name := range []string{"dosirak.yml", "dosirak-judge.yml", "dosirak-queue.yml"} {
		assert.NotContains(t, files[name], "packages:", "%s: what reads a change writes no image", name)
	}
	assert.Equal(t, 1, strings.Count(files["dosirak-reconcile.yml"], "runs-on:"), "one job")

	files = write(Settings{Actions: commit, Version: "v1.2.3", Branches: []string{"main"}, Push: true})
	for name, text := range files {
		assert.NotContains(t, text, "packages:", name)
		assert.NotContains(t, text, "DOSIRAK_BASE", name)
		assert.NotContains(t, text, "push: 'false'", name)
	}
	for name, change := range map[string]func(*Settings){
		"Go": func(s *Settings) { s.Go = "1'\n" }, "base": func(s *Settings) { s.Base = "x y" }, "registry": func(s *Settings) { s.Registries = []string{"a b"} },
	} {
		s := Settings{Actions: commit, Branches: []string{"main"}}
		change(&s)
		_, err := Workflows(s)
		assert.ErrorContains(t, err, "writing the workflows", name)
	}
}

// Every kind of workflow that others get is written where linters find it;
// .ci/run lets actionlint and zizmor look at them.
func TestWorkflowsOfOthersCanBeLinted(t *testing.T) {
	t.Parallel()
	top := os.Getenv("DOSIRAK_WRITTEN")
	if top == "" {
		top = t.TempDir()
	}
	commit := strings.Repeat("a", 40)
	for name, s := range map[string]Settings{
		"release": {Actions: commit, Version: "v1.2.3", Branches: []string{"main"}, Push: true, Registries: []string{"ghcr.io"}},
		"commit":  {Actions: commit, Source: true, Go: "1.25.1", Branches: []string{"trunk", "v2"}, Base: "trunk", Push: true, Registries: []string{"registry.example.org"}},
		"folders": {Actions: commit, Version: "v1.2.3", Branches: []string{"master"}, Base: "master", Directories: []string{"a", "b/c"}},
	} {
		files, err := Workflows(s)
		require.NoError(t, err)
		folder := filepath.Join(top, name, ".github", "workflows")
		require.NoError(t, os.MkdirAll(folder, 0o755))
		for file, text := range files {
			require.NoError(t, os.WriteFile(filepath.Join(folder, file), text, 0o644))
			var any map[string]any
			require.NoError(t, yaml.Unmarshal(text, &any), "%s/%s", name, file)
			assert.Contains(t, any, "jobs", "%s/%s", name, file)
		}
	}
}

func TestSettingsThatCouldBreakOut(t *testing.T) {
	t.Parallel()
	good := Settings{Actions: "./", Branches: []string{"main"}}
	for name, change := range map[string]func(*Settings){
		"commit": func(s *Settings) { s.Actions = "main" }, "version": func(s *Settings) { s.Version = "v1\nname: x" },
		"branch": func(s *Settings) { s.Branches = []string{"main]\njobs: {}"} }, "expression": func(s *Settings) { s.Branches = []string{"${{ secrets.X }}"} },
		"folder": func(s *Settings) { s.Directories = []string{"a b\n- run: id"} }, "no branch": func(s *Settings) { s.Branches = nil },
	} {
		s := good
		change(&s)
		_, err := Workflows(s)
		assert.ErrorContains(t, err, "writing the workflows", name)
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{".", "a/b", "c"}, Discover([]string{"c/dosirak.yaml", "dosirak.yaml", "a/b/dosirak.yaml", "a/not-dosirak.yaml", "x/testdata/y/dosirak.yaml", "c/train.py"}))
	assert.Empty(t, Discover(nil))
}

func TestClassify(t *testing.T) {
	t.Parallel()
	manifests := []string{"deploy/staging.yaml", "deploy/production.yaml"}
	for _, tt := range []struct {
		changed []string
		want    Change
	}{
		{nil, None},
		{[]string{"train.py"}, Model},
		{[]string{"deploy/production.yaml"}, Manifest},
		{[]string{"deploy/production.yaml", "deploy/bundles/abc/model.onnx", "deploy/evidence/production/abc/report.json"}, Manifest},
		{[]string{"deploy/production.yaml", "train.py"}, Model},
		{[]string{"deploy/other.yaml"}, Model},
		{[]string{"deploy/bundles"}, Model},
		{[]string{"deploy/bundles-of-mine/x"}, Model},
		{[]string{"README.md"}, None},
		{[]string{"README.md", "deploy/production.yaml"}, Manifest},
		{[]string{"deploy/production.yaml", "README.md", "train.py"}, Model},
	} {
		assert.Equal(t, tt.want, Classify(tt.changed, manifests, func(file string) bool { return !Documentation(file) }), "%v", tt.changed)
	}
}

func TestDocumentation(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"README.md", "README", "docs/README.rst", "LICENSE", ".github/workflows/ci.yml", ".github/CODEOWNERS", "changelog.md", "a/.gitignore"} {
		assert.True(t, Documentation(file), file)
	}
	for _, file := range []string{"train.py", "readme.py", "notes.md", "data/README.csv", "docs/model.md", "dosirak.yaml", "github/x", "LICENSE.onnx", "requirements.txt"} {
		assert.False(t, Documentation(file), file)
	}
}
