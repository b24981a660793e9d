package toolchain_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/toolchain"
)

// programs writes shell scripts that print a line, and returns their folder.
func programs(t *testing.T, lines map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, line := range lines {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+line+"\n"), 0o755))
	}
	return dir
}

func TestFind(t *testing.T) {
	t.Parallel()
	bin := programs(t, map[string]string{
		"Rscript": "echo 'Rscript (R) version 4.3.1'; echo more", "julia": "echo 'julia version 1.10.0'", "node": "echo v20.1.0", "npx": "exit 1",
		"go": `[ "$GOTOOLCHAIN $*" = "local env GOVERSION" ] && echo go1.26.0`, "cargo": "exit 3", "rustc": "exit 3", "uv": `[ "$1" = --version ] && echo 'uv 0.5.0'`,
	})
	project := programs(t, map[string]string{"tools/julia": "echo 'julia version 1.9.0'"})
	for name, c := range map[string]struct {
		command string
		files   []string
		want    []toolchain.Tool
	}{
		"R":                        {"Rscript train.R", nil, []toolchain.Tool{{Name: "r", Version: "Rscript (R) version 4.3.1"}}},
		"by its path":              {bin + "/julia train.jl", nil, []toolchain.Tool{{Name: "julia", Version: "julia version 1.10.0"}}},
		"in the project":           {"tools/julia train.jl", nil, []toolchain.Tool{{Name: "julia", Version: "julia version 1.9.0"}}},
		"npx is node":              {"npx tsx train.ts", nil, []toolchain.Tool{{Name: "node", Version: "v20.1.0"}}},
		"Go without its downloads": {"go run ./train", nil, []toolchain.Tool{{Name: "go", Version: "go1.26.0"}}},
		"one that does not tell":   {"cargo run", nil, []toolchain.Tool{{Name: "cargo"}}},
		"uv without a Python":      {"uv run train.py", nil, []toolchain.Tool{{Name: "uv", Version: "uv 0.5.0"}}},
		"two, in quotes":           {`sh -c "julia a.jl && Rscript b.R"`, nil, []toolchain.Tool{{Name: "julia", Version: "julia version 1.10.0"}, {Name: "r", Version: "Rscript (R) version 4.3.1"}}},
		"by the files":             {"make train", []string{"src/a.jl", "b.R", "c.txt"}, []toolchain.Tool{{Name: "r", Version: "Rscript (R) version 4.3.1"}, {Name: "julia", Version: "julia version 1.10.0"}}},
		"the command before files": {"julia a.jl", []string{"b.R"}, []toolchain.Tool{{Name: "julia", Version: "julia version 1.10.0"}}},
		"not there":                {"deno run a.ts", nil, nil},
		"nothing known":            {"./train", []string{"a.txt"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := toolchain.Find(t.Context(), toolchain.Command{Text: c.command, Dir: project, Env: []string{"PATH=" + bin}, Files: c.files})
			assert.Equal(t, c.want, got)
		})
	}
}

// venv makes a virtual environment with the metadata of distributions.
func venv(t *testing.T, base string, metadata ...string) string {
	t.Helper()
	path, err := exec.LookPath(base)
	if err != nil {
		t.Skipf("there is no %s here", base)
	}
	dir := filepath.Join(t.TempDir(), "venv")
	if out, err := exec.Command(path, "-m", "venv", "--without-pip", dir).CombinedOutput(); err != nil {
		t.Skipf("no virtual environment can be made here: %s", out)
	}
	sites, err := filepath.Glob(filepath.Join(dir, "lib", "python*", "site-packages"))
	require.NoError(t, err)
	require.Len(t, sites, 1)
	for _, name := range metadata {
		require.NoError(t, os.MkdirAll(filepath.Join(sites[0], name), 0o755))
	}
	return dir
}

func TestPython(t *testing.T) {
	t.Parallel()
	dir := venv(t, "python3", "Scikit_Learn-1.4.0.dist-info", "ruamel.yaml-0.18.dist-info", "old_one-2.0-py3.11.egg-info", "~umpy-1.0.dist-info", "pip-24.dist-info", "numpy", "dev.egg-info")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "conda-meta"), 0o755))
	for _, name := range []string{"libopenblas-0.3.21-h043d6bf_0.json", "scikit-learn-1.4.0-py311_0.json", "pip-24.0-py311_0.json", "history"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "conda-meta", name), nil, 0o644))
	}
	home := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(home, ".conda"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".conda", "environments.txt"), []byte("/nonexistent/venv\n"+dir+"\n"), 0o644))
	// A project cannot put its own code into the question.
	project := t.TempDir()
	for _, name := range []string{"sys.py", "site.py", "encodings.py", "json.py"} {
		require.NoError(t, os.WriteFile(filepath.Join(project, name), []byte("raise SystemExit('the project was run')\n"), 0o644))
	}
	want := []toolchain.Package{
		{Name: "conda:libopenblas", Version: "0.3.21-h043d6bf_0"}, {Name: "dev"}, {Name: "old-one", Version: "2.0"}, {Name: "ruamel-yaml", Version: "0.18"}, {Name: "scikit-learn", Version: "1.4.0"},
	}
	for name, c := range map[string]struct {
		command string
		env     []string
		files   []string
	}{
		"on the PATH":           {"python train.py", []string{"PATH=" + dir + "/bin:/bin:/usr/bin"}, nil},
		"with its version":      {"python3 -m trainer", []string{"PATH=" + dir + "/bin:/bin:/usr/bin"}, nil},
		"by its path":           {dir + "/bin/python -u train.py", nil, nil},
		"behind make":           {"make train", []string{"PATH=" + dir + "/bin"}, []string{"src/train.py"}},
		"a notebook":            {"papermill a.ipynb", []string{"PATH=" + dir + "/bin"}, []string{"a.ipynb"}},
		"conda run -n":          {"conda run -n venv train", []string{"HOME=" + home}, nil},
		"conda run -p":          {"micromamba run -p " + dir + " train", nil, nil},
		"conda, by its folders": {"mamba run --name venv train", []string{"CONDA_ENVS_PATH=/nonexistent:" + filepath.Dir(dir)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := toolchain.Find(t.Context(), toolchain.Command{Text: c.command, Dir: project, Env: c.env, Files: c.files})
			require.Len(t, got, 1)
			assert.Equal(t, "python", got[0].Name)
			assert.Regexp(t, `^3\.\d+\.\d+`, got[0].Version)
			assert.Equal(t, want, got[0].Packages)
		})
	}
}

// What the interpreter itself says of its distributions, and pip of the same.
func TestPythonSaysWhatPipSays(t *testing.T) {
	t.Parallel()
	base, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	got := toolchain.Find(t.Context(), toolchain.Command{Text: base + " x.py", Dir: t.TempDir(), Env: os.Environ()})
	require.Len(t, got, 1)
	names := map[string]string{}
	for _, p := range got[0].Packages {
		names[p.Name] = p.Version
	}
	out, err := exec.Command(base, "-c", `
import importlib.metadata as m, re
for d in m.distributions():
    print(re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(), d.version)`).Output()
	if err != nil {
		t.Skip("python3 has no importlib.metadata")
	}
	listed := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		name, version, _ := strings.Cut(line, " ")
		if name == "pip" || name == "setuptools" || name == "wheel" || name == "distribute" {
			continue
		}
		listed++
		assert.Equal(t, version, names[name], name)
	}
	assert.Equal(t, listed, len(names))
}

func BenchmarkFind(b *testing.B) {
	base, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("there is no python3 here")
	}
	dir := b.TempDir()
	for b.Loop() {
		toolchain.Find(b.Context(), toolchain.Command{Text: base + " x.py", Dir: dir, Env: os.Environ()})
	}
}
