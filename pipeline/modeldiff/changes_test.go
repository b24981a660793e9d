package modeldiff

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/toolchain"
)

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func facts() provenance.Facts {
	return provenance.Facts{
		Model: "m", Bundle: digest("a"), Release: "v0.1.0", Run: "r", Command: "python train.py --seed {seed}", Seeds: []int64{1, 2, 3},
		Data:      []provenance.Digest{{Name: "train", Digest: digest("b")}, {Name: "eval", Digest: digest("c")}},
		Inputs:    []provenance.Digest{{Name: "data/train.csv.gz", Digest: digest("b")}, {Name: "train.py", Digest: digest("d")}},
		Source:    provenance.Source{Commit: strings.Repeat("1", 40)},
		Libraries: []provenance.Library{{Name: "numpy", Version: "2.0", File: "uv.lock"}, {Name: "polars", Version: "1.1", File: "uv.lock"}},
		Machine:   provenance.Machine{OS: "linux", Arch: "amd64", CPU: "One", Cores: 2},
		Runtime: &provenance.Runtime{Executor: "host", Threads: []string{"OMP_NUM_THREADS=2", "MKL_NUM_THREADS=2"}, Tools: []toolchain.Tool{
			{Name: "python", Version: "3.11.7", Packages: []toolchain.Package{{Name: "polars", Version: "1.1"}, {Name: "scipy", Version: "1.0"}}},
		}},
		Params: map[string]any{"alpha": 0.1, "model": map[string]any{"depth": 3.0, "kind": "tree"}},
	}
}

// Every fact that may differ, one at a time.
func TestChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(f *provenance.Facts)
		want   []Change
	}{
		"nothing":      {func(*provenance.Facts) {}, nil},
		"other run":    {func(f *provenance.Facts) { f.Run, f.Bundle = "s", digest("9") }, nil},
		"other commit": {func(f *provenance.Facts) { f.Source.Commit = strings.Repeat("2", 40) }, nil},
		"code":         {func(f *provenance.Facts) { f.Inputs[1].Digest = digest("e") }, []Change{{Code, "train.py", "sha256:dddddddddddd…", "sha256:eeeeeeeeeeee…"}}},
		"code came": {func(f *provenance.Facts) {
			f.Inputs = append(f.Inputs, provenance.Digest{Name: "x.py", Digest: digest("e")})
		}, []Change{{Code, "x.py", "", "sha256:eeeeeeeeeeee…"}}},
		"code went":     {func(f *provenance.Facts) { f.Inputs = f.Inputs[:1] }, []Change{{Code, "train.py", "sha256:dddddddddddd…", ""}}},
		"data, once":    {func(f *provenance.Facts) { f.Data[0].Digest, f.Inputs[0].Digest = digest("e"), digest("e") }, []Change{{Data, "data/train.csv.gz", "sha256:bbbbbbbbbbbb…", "sha256:eeeeeeeeeeee…"}}},
		"other data":    {func(f *provenance.Facts) { f.Data[1].Digest = digest("e") }, []Change{{Data, "eval", "sha256:cccccccccccc…", "sha256:eeeeeeeeeeee…"}}},
		"dirty":         {func(f *provenance.Facts) { f.Source.Dirty, f.Source.Changed = true, []string{" M train.py"} }, []Change{{Code, "(work tree)", "", "1 uncommitted change:  M train.py"}}},
		"no Git":        {func(f *provenance.Facts) { f.Source = provenance.Source{Missing: "no Git"} }, []Change{{Code, "(work tree)", "", "no commit: no Git"}}},
		"command":       {func(f *provenance.Facts) { f.Command = "x" }, []Change{{Parameter, "train.command", "python train.py --seed {seed}", "x"}}},
		"setup":         {func(f *provenance.Facts) { f.Setup = "pip install" }, []Change{{Parameter, "train.setup", "", "pip install"}}},
		"parameter":     {func(f *provenance.Facts) { f.Params["alpha"] = 0.2 }, []Change{{Parameter, "alpha", "0.1", "0.2"}}},
		"inner":         {func(f *provenance.Facts) { f.Params["model"] = map[string]any{"depth": 4.0, "kind": "tree"} }, []Change{{Parameter, "model.depth", "3", "4"}}},
		"kind of value": {func(f *provenance.Facts) { f.Params["alpha"] = "0.1" }, []Change{{Parameter, "alpha", "0.1", `"0.1"`}}},
		"null":          {func(f *provenance.Facts) { f.Params["alpha"] = nil }, []Change{{Parameter, "alpha", "0.1", "null"}}},
		"empty text":    {func(f *provenance.Facts) { f.Params["alpha"] = "" }, []Change{{Parameter, "alpha", "0.1", `""`}}},
		"gone":          {func(f *provenance.Facts) { f.Params = nil }, []Change{{Parameter, "alpha", "0.1", ""}, {Parameter, "model.depth", "3", ""}, {Parameter, "model.kind", "tree", ""}}},
		"dotted key": {func(f *provenance.Facts) { f.Params["model.depth"] = []any{1.0, "<"} }, []Change{
			{Parameter, `"model.depth"`, "", `[1,"<"]`}}},
		"version":   {func(f *provenance.Facts) { f.Libraries[0].Version = "2.1" }, []Change{{Dependency, "numpy", "2.0", "2.1"}}},
		"installed": {func(f *provenance.Facts) { f.Runtime.Tools[0].Packages[1].Version = "1.1" }, []Change{{Dependency, "scipy", "1.0", "1.1"}}},
		"installed, not what the lock file names": {func(f *provenance.Facts) { f.Runtime.Tools[0].Packages[0].Version = "1.2" }, []Change{{Dependency, "polars", "1.1", "1.1, 1.2"}}},
		"interpreter": {func(f *provenance.Facts) { f.Runtime.Tools[0].Version = "3.12.1" }, []Change{{Dependency, "python (installed)", "3.11.7", "3.12.1"}}},
		"two interpreters": {func(f *provenance.Facts) {
			f.Runtime.Tools = append(f.Runtime.Tools, toolchain.Tool{Name: "python", Version: "3.9"})
		}, []Change{{Dependency, "python (installed)", "3.11.7", "3.11.7, 3.9"}}},
		"nothing known of what was installed": {func(f *provenance.Facts) { f.Runtime = nil }, nil},
		"threads":                             {func(f *provenance.Facts) { f.Runtime.Threads = []string{"OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1"} }, []Change{{Hardware, "threads (OMP_NUM_THREADS)", "2", "1"}}},
		"threads of one":                      {func(f *provenance.Facts) { f.Runtime.Threads[1] = "MKL_NUM_THREADS=1" }, []Change{{Hardware, "MKL_NUM_THREADS", "2", "1"}}},
		"executor":                            {func(f *provenance.Facts) { f.Runtime.Executor = digest("f") }, []Change{{Hardware, "executor", "host", digest("f")}}},
		"two versions": {func(f *provenance.Facts) {
			f.Libraries = append(f.Libraries, provenance.Library{Name: "numpy", Version: "1.0"})
		}, []Change{{Dependency, "numpy", "2.0", "1.0, 2.0"}}},
		"other lock":     {func(f *provenance.Facts) { f.Libraries[0].File = "requirements.lock" }, nil},
		"library gone":   {func(f *provenance.Facts) { f.Libraries = f.Libraries[1:] }, []Change{{Dependency, "numpy", "2.0", ""}}},
		"release":        {func(f *provenance.Facts) { f.Release = "v0.2.0" }, []Change{{Dependency, "dosirak", "v0.1.0", "v0.2.0"}}},
		"processor":      {func(f *provenance.Facts) { f.Machine.CPU = "Two" }, []Change{{Hardware, "processor", "One", "Two"}}},
		"cores and arch": {func(f *provenance.Facts) { f.Machine.Cores, f.Machine.Arch = 8, "arm64" }, []Change{{Hardware, "architecture", "amd64", "arm64"}, {Hardware, "cores", "2", "8"}}},
		"seeds":          {func(f *provenance.Facts) { f.Seeds = []int64{1, 2} }, []Change{{Seed, "train.seeds", "1, 2, 3", "1, 2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := facts()
			c.change(&is)
			// Production's statement is read from a file, the candidate's is not.
			old, err := provenance.Parse(facts().Statement().Canonical())
			require.NoError(t, err)
			got := Changes(Input{Old: old, New: is.Statement(), Files: []File{{"ignored.py", "a", "b"}}})
			assert.Equal(t, c.want, got)
		})
	}
}

// Without the inputs of both trainings, and without any statement of
// production's, what Git says is all there is.
func TestChangesOfCommits(t *testing.T) {
	t.Parallel()
	is := facts()
	is.Params, is.Inputs, is.Libraries = nil, nil, nil
	got := Changes(Input{Old: facts().Statement(), New: is.Statement(), Files: []File{{"b.py", "", strings.Repeat("a", 40)}, {"a.py", strings.Repeat("b", 40), ""}}})
	assert.Equal(t, []Change{{Code, "a.py", "bbbbbbbbbbbb…", ""}, {Code, "b.py", "", "aaaaaaaaaaaa…"}}, got[:2])

	got = Changes(Input{New: facts().Statement(), Files: []File{{"b.py", "", "x"}}})
	for _, c := range got {
		assert.Empty(t, c.Old, "%v", c)
	}
	assert.Contains(t, got, Change{Code, "b.py", "", "x"})
	assert.Empty(t, Changes(Input{}))
}

func TestChangesAreBounded(t *testing.T) {
	t.Parallel()
	is := facts()
	is.Params = map[string]any{}
	for i := range 1000 {
		is.Params[fmt.Sprintf("p%04d", i)] = i
	}
	got := Changes(Input{Old: facts().Statement(), New: is.Statement()})
	require.Len(t, got, MaxChanges)
	assert.Equal(t, "alpha", got[0].Path)
	assert.Equal(t, Change{Kind: Parameter, Path: "and 954 more"}, got[MaxChanges-1])

	is.Params = map[string]any{}
	for i := range MaxChanges {
		is.Params[fmt.Sprint(i)] = i
	}
	was := facts()
	was.Params = nil
	got = Changes(Input{Old: was.Statement(), New: is.Statement()})
	require.Len(t, got, MaxChanges)
	assert.NotContains(t, got[MaxChanges-1].Path, "more", "exactly as many as are allowed")
}

func TestContrast(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("train --flag ", 30)
	old, new := contrast(long+"--rate 0.1", long+"--rate 0.2")
	assert.Equal(t, "…ain --flag --rate 0.1", old)
	assert.Equal(t, "…ain --flag --rate 0.2", new)
	old, new = contrast(long, "")
	assert.Empty(t, new)
	assert.True(t, strings.HasPrefix(old, "train"), old)
}

// Whatever two texts are: they stay different, valid and short.
func TestContrastHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		same := rapid.StringN(0, 300, -1).Draw(t, "same")
		old := same + rapid.StringN(0, 200, -1).Draw(t, "old")
		new := same + rapid.StringN(0, 200, -1).Draw(t, "new")
		a, b := contrast(old, new)
		for _, text := range []string{a, b} {
			assert.True(t, utf8.ValidString(text))
			assert.LessOrEqual(t, utf8.RuneCountInString(text), maxText)
		}
		assert.Equal(t, old == new, a == b, "%q %q", a, b)
	})
}
