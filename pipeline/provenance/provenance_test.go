package provenance

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/toolchain"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestSource(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		make func(t *testing.T) string
		want func(t *testing.T, s Source)
	}{
		"clean": {
			make: func(t *testing.T) string { return gittest.New(t, map[string]string{"a": "x"}).Dir },
			want: func(t *testing.T, s Source) {
				assert.Regexp(t, "^[0-9a-f]{40}$", s.Commit)
				assert.Equal(t, "main", s.Branch)
				assert.False(t, s.Dirty)
				assert.Len(t, s.String(), 12)
			},
		},
		"dirty tree": {
			make: func(t *testing.T) string {
				r := gittest.New(t, map[string]string{"a": "x"})
				r.Write(map[string]string{"a": "y", "new": "z"})
				return r.Dir
			},
			want: func(t *testing.T, s Source) {
				assert.NotEmpty(t, s.Commit)
				assert.True(t, s.Dirty)
				assert.Equal(t, []string{" M a", "?? new"}, s.Changed)
				assert.Contains(t, s.String(), "2 changes that are not committed")
			},
		},
		"very dirty tree": {
			make: func(t *testing.T) string {
				r := gittest.New(t, nil)
				for i := range maxChanged + 7 {
					r.Write(map[string]string{fmt.Sprint(i): "x"})
				}
				return r.Dir
			},
			want: func(t *testing.T, s Source) {
				assert.Len(t, s.Changed, maxChanged)
				assert.Equal(t, 7, s.More)
			},
		},
		"detached HEAD": {
			make: func(t *testing.T) string {
				r := gittest.New(t, map[string]string{"a": "x"})
				r.Git("checkout", "--quiet", "--detach")
				return r.Dir
			},
			want: func(t *testing.T, s Source) {
				assert.NotEmpty(t, s.Commit)
				assert.Empty(t, s.Branch)
			},
		},
		"project in a folder, dirty outside of it": {
			make: func(t *testing.T) string {
				r := gittest.New(t, map[string]string{"p/a": "x"})
				r.Write(map[string]string{"outside": "y"})
				return filepath.Join(r.Dir, "p")
			},
			want: func(t *testing.T, s Source) {
				assert.NotEmpty(t, s.Commit)
				assert.False(t, s.Dirty)
			},
		},
		"empty repository": {
			make: func(t *testing.T) string {
				r := gittest.Repository{T: t, Dir: t.TempDir()}
				r.Git("init", "--quiet", "--initial-branch=main")
				r.Write(map[string]string{"a": "x"})
				return r.Dir
			},
			want: func(t *testing.T, s Source) {
				assert.Empty(t, s.Commit)
				assert.True(t, s.Dirty)
				assert.Equal(t, "the repository has no commit yet", s.Missing)
			},
		},
		"bare repository": {
			make: func(t *testing.T) string {
				r := gittest.Repository{T: t, Dir: t.TempDir()}
				r.Git("init", "--quiet", "--bare")
				return r.Dir
			},
			want: func(t *testing.T, s Source) {
				assert.Empty(t, s.Commit)
				assert.Contains(t, s.Missing, "bare repository")
			},
		},
		"no Git": {
			make: func(t *testing.T) string { return t.TempDir() },
			want: func(t *testing.T, s Source) {
				assert.Empty(t, s.Commit)
				assert.Contains(t, s.String(), "no commit: not inside a Git work tree")
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts, err := Collect(t.Context(), test.make(t))
			require.NoError(t, err)
			test.want(t, facts.Source)
			assert.NotEmpty(t, facts.Statement().Canonical())
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Collect(ctx, gittest.New(t, map[string]string{"a": "x"}).Dir)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
}

func TestLibraries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gittest.Repository{T: t, Dir: dir}.Write(map[string]string{
		"go.mod":            "module x\n\ngo 1.26.0\n\nrequire example.com/one v1.0.0 // indirect\nrequire (\n\texample.com/two v2.0.0\n)\nreplace example.com/two => ../two\n",
		"requirements.lock": "# made by a tool\nscikit-learn==1.5.0 \\\n    --hash=sha256:aa\nuvicorn[standard] == 0.3 ; python_version > '3'\nunpinned>=1\n-r other.txt\n",
		"uv.lock":           "version = 1\n[[package]]\nname = \"numpy\"\nversion = \"2.0\"\nsource = { registry = \"x\" }\n[package.metadata]\nname = \"not this\"\nversion = \"9\"\n",
	})
	libraries, err := FindLibraries(dir)
	require.NoError(t, err)
	assert.Equal(t, []Library{
		{"example.com/one", "v1.0.0", "go.mod"},
		{"example.com/two", "v2.0.0", "go.mod"},
		{"go", "1.26.0", "go.mod"},
		{"scikit-learn", "1.5.0", "requirements.lock"},
		{"uvicorn", "0.3", "requirements.lock"},
		{"numpy", "2.0", "uv.lock"},
	}, libraries)
}

func TestHardware(t *testing.T) {
	t.Parallel()
	m := Hardware()
	assert.Equal(t, runtime.GOOS, m.OS)
	assert.Equal(t, m.String(), Hardware().String())
	assert.Contains(t, Machine{OS: "linux", Arch: "amd64", Cores: 2}.String(), "unknown processor")
}

// The statement's bytes are a function of the facts.
func TestStatement(t *testing.T) {
	t.Parallel()
	digest := func(c string) string {
		text := "sha256:"
		for range 64 {
			text += c
		}
		return text
	}
	facts := Facts{
		Model: "flights-delay", Bundle: digest("a"), Release: "v0.1.0", Run: "20260304-050607-abcdef",
		Command: "go run ./train --seed {seed} --out {out}", Seeds: []int64{1, 2, 3},
		Data:   []Digest{{"train", digest("b")}, {"eval", digest("c")}},
		Inputs: []Digest{{"train/main.go", digest("d")}},
		Runtime: &Runtime{Executor: "host", Threads: []string{"OMP_NUM_THREADS=2"}, Tools: []toolchain.Tool{
			{Name: "python", Version: "3.11.7", Packages: []toolchain.Package{{Name: "numpy", Version: "2.0"}}},
		}},
		Started: time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC), Ended: time.Date(2026, 3, 4, 6, 6, 7, 8, time.FixedZone("", 3600)),
		Source:    Source{Commit: "0123456789012345678901234567890123456789", Branch: "main", Dirty: true, Changed: []string{" M train/main.go"}},
		Libraries: []Library{{"go", "1.26.0", "go.mod"}},
		Machine:   Machine{OS: "linux", Arch: "amd64", CPU: "A processor <1>", Cores: 2},
	}
	got := facts.Statement().Canonical()
	golden := filepath.Join("testdata", "statement.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestRuntimeInALine(t *testing.T) {
	t.Parallel()
	assert.Empty(t, Runtime{}.String())
	assert.Equal(t, "python 3.11.7, julia, 2 distributions installed", Runtime{Tools: []toolchain.Tool{
		{Name: "python", Version: "3.11.7", Packages: []toolchain.Package{{Name: "a"}, {Name: "b"}}}, {Name: "julia"},
	}}.String())
}
