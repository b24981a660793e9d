package train_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// listing is a trainer whose model is the list of the files that it sees.
const listing = `find . \( -type f -o -type l \) -printf '%P %l\n' | sort > "$6/model.onnx"; : $DOSIRAK_SEED`

func seen(o outcome) []string {
	return strings.Split(strings.TrimSuffix(o.read(o.Replicates[0].Out+"/model.onnx"), "\n"), "\n")
}

// own is what a project's config says of dosirak's own files.
var own = []string{"dosirak.yaml", "deploy/*.yaml", "deploy/bundles/**", ".github/**"}

// What dosirak writes at a promotion, and its config, train nothing again; any
// other file does where no inputs are named.
func TestOwnFilesAreNoInputs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("trains many times")
	}
	p := newProject(t, map[string]string{"train.sh": listing, "dosirak.yaml": "version: 1\n", "lib/a.py": "1\n", "deploy/k8s.txt": "x\n"})
	options := func(inputs ...string) func(*train.Options) {
		return func(o *train.Options) { o.Seeds, o.Own, o.Inputs = []int64{1}, own, inputs }
	}
	first, err := p.train(options())
	require.NoError(t, err)
	assert.Equal(t, []string{"deploy/k8s.txt ", "lib/a.py ", "train.csv ", "train.sh "}, seen(first))
	assert.Contains(t, first.observer.notes(), "train.inputs is not set")

	repository := gittest.Repository{T: t, Dir: p.dir}
	steps := []struct {
		name   string
		files  map[string]string
		inputs []string
		reused bool
	}{
		{"a promotion is merged", map[string]string{"deploy/production.yaml": "bundle: x\n", "deploy/bundles/aa/bundle.json": "{}"}, nil, true},
		{"the config", map[string]string{"dosirak.yaml": "version: 1\nconfidence: 0.9\n"}, nil, true},
		{"a workflow", map[string]string{".github/workflows/dosirak.yml": "on: push\n"}, nil, true},
		{"a file that somebody else put there", map[string]string{"deploy/k8s.txt": "y\n"}, nil, false},
		{"code", map[string]string{"lib/a.py": "2\n"}, nil, false},
		{"everything by a pattern", nil, []string{"**"}, true},
		{"everything by a pattern, the config changed", map[string]string{"dosirak.yaml": "version: 1\n"}, []string{"**"}, true},
		{"the config by its name, the first time", nil, []string{"dosirak.yaml", "train.sh"}, false},
		{"the config by its name, changed", map[string]string{"dosirak.yaml": "version: 1\nmode: advise\n"}, []string{"dosirak.yaml", "train.sh"}, false},
	}
	for _, step := range steps {
		repository.Commit(step.name, step.files)
		got, err := p.train(options(step.inputs...))
		require.NoError(t, err, step.name)
		assert.Equal(t, step.reused, got.Replicates[0].Reused, step.name)
		if step.reused {
			assert.NotContains(t, got.observer.notes(), "train.inputs is not set", "said when it costs something")
		}
	}
}

// Where inputs are named, a replicate sees these, the training data, lock files
// and what its links lead to: what is in no digest is in no copy.
func TestCopiesHoldTheInputsAndNothingElse(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"train.sh": listing, "src/a.py": "x", "src/deep/b.py": "x", "notes/todo.md": "x", "requirements.txt": "a==1\n", "shared/c.py": "x", ".gitignore": "secret.cfg\n",
	}
	for name, c := range map[string]struct {
		inputs []string
		want   []string
	}{
		"none":              {nil, []string{".gitignore ", "notes/todo.md ", "requirements.txt ", "shared/c.py ", "src/a.py ", "src/deep/b.py ", "src/link ../shared", "train.csv ", "train.sh "}},
		"a script":          {[]string{"train.sh"}, []string{"requirements.txt ", "train.csv ", "train.sh "}},
		"a folder":          {[]string{"train.sh", "src/deep"}, []string{"requirements.txt ", "src/deep/b.py ", "train.csv ", "train.sh "}},
		"a link":            {[]string{"train.sh", "src/**"}, []string{"requirements.txt ", "shared/c.py ", "src/a.py ", "src/deep/b.py ", "src/link ../shared", "train.csv ", "train.sh "}},
		"an ignored file":   {[]string{"train.sh", "secret.cfg"}, []string{"requirements.txt ", "secret.cfg ", "train.csv ", "train.sh "}},
		"any depth":         {[]string{"train.sh", "**/*.md"}, []string{"notes/todo.md ", "requirements.txt ", "train.csv ", "train.sh "}},
		"the data, by name": {[]string{"train.sh", "train.csv"}, []string{"requirements.txt ", "train.csv ", "train.sh "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, files)
			gittest.Repository{T: t, Dir: p.dir}.Write(map[string]string{"secret.cfg": "x"})
			require.NoError(t, os.Symlink("../shared", filepath.Join(p.dir, "src", "link")))
			got, err := p.train(func(o *train.Options) { o.Seeds, o.Inputs = []int64{1}, c.inputs })
			require.NoError(t, err)
			assert.Equal(t, c.want, seen(got))
			var inputs []string
			for _, i := range got.Inputs {
				inputs = append(inputs, i.Path)
			}
			var paths []string
			for _, line := range c.want {
				path, _, _ := strings.Cut(line, " ")
				paths = append(paths, path)
			}
			assert.Equal(t, paths, inputs, "what is in the copy is in the key")
		})
	}
	t.Run("a link that leads out and is no input", func(t *testing.T) {
		t.Parallel()
		p := newProject(t, files)
		require.NoError(t, os.Symlink("/etc", filepath.Join(p.dir, "notes", "etc")))
		_, err := p.train(func(o *train.Options) { o.Seeds, o.Inputs = []int64{1}, []string{"train.sh"} })
		require.NoError(t, err)
	})
}

// Training data may be a link, ignored by Git, to wherever it lies: DVC's cache,
// a mounted disk. It is copied and digested by its content.
func TestLinkedTrainingData(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("trains many times")
	}
	const trainer = `cat "$4"/* "$4" > "$6/model.onnx" 2>/dev/null; echo "seed $DOSIRAK_SEED" >> "$6/model.onnx"; find . -type l > "$6/links.txt"`
	outside := func(t *testing.T) string {
		dir := t.TempDir()
		gittest.Repository{T: t, Dir: dir}.Write(map[string]string{"cache/ab/cdef": "rows\n", "cache/12/34": "more rows\n", "set/x.csv": "rows\n"})
		require.NoError(t, os.Symlink("../cache/12/34", filepath.Join(dir, "set", "y.csv")))
		return dir
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, project, outside string)
		data    string
		want    string
		links   string
	}{
		"a link out of the project": {
			func(t *testing.T, p, o string) {
				require.NoError(t, os.Symlink(filepath.Join(o, "cache/ab/cdef"), filepath.Join(p, "data.csv")))
			}, "data.csv", "rows\n", "",
		},
		"a link to a link": {
			func(t *testing.T, p, o string) {
				require.NoError(t, os.Symlink(filepath.Join(o, "set/y.csv"), filepath.Join(p, "data.csv")))
			}, "data.csv", "more rows\n", "",
		},
		"a linked folder above it": {
			func(t *testing.T, p, o string) {
				require.NoError(t, os.Symlink(filepath.Join(o, "set"), filepath.Join(p, "data.csv")))
			}, "data.csv/x.csv", "rows\n", "",
		},
		"a folder of links": {
			func(t *testing.T, p, o string) {
				require.NoError(t, os.Symlink(filepath.Join(o, "set"), filepath.Join(p, "data.csv")))
			}, "data.csv", "rows\nmore rows\n", "",
		},
		"a link within the project, to an ignored folder": {
			func(t *testing.T, p, _ string) {
				gittest.Repository{T: t, Dir: p}.Write(map[string]string{"store/v1.csv": "rows\n"})
				require.NoError(t, os.Symlink("store/v1.csv", filepath.Join(p, "data.csv")))
			}, "data.csv", "rows\n", "",
		},
		"a link that Git has, to an ignored folder": {
			func(t *testing.T, p, _ string) {
				gittest.Repository{T: t, Dir: p}.Write(map[string]string{"store/v1.csv": "rows\n"})
				require.NoError(t, os.Symlink("store", filepath.Join(p, "data")))
			}, "data/v1.csv", "rows\n", "./data\n",
		},
	} {
		for _, inputs := range [][]string{nil, {"train.sh"}} {
			t.Run(fmt.Sprintf("%s, inputs %v", name, inputs), func(t *testing.T) {
				t.Parallel()
				p, o := newProject(t, map[string]string{"train.sh": trainer, ".gitignore": "data.csv\nstore/\n"}), outside(t)
				c.prepare(t, p.dir, o)
				options := func(o *train.Options) { o.Seeds, o.Data, o.Inputs = []int64{1}, c.data, inputs }
				got, err := p.train(options)
				require.NoError(t, err)
				assert.Equal(t, c.want+"seed 1\n", got.read(got.Replicates[0].Out+"/model.onnx"))
				assert.Equal(t, c.links, got.read(got.Replicates[0].Out+"/links.txt"))
				again, err := p.train(options)
				require.NoError(t, err)
				assert.True(t, again.Replicates[0].Reused)

				real, err := filepath.EvalSymlinks(filepath.Join(p.dir, c.data))
				require.NoError(t, err)
				if info, err := os.Stat(real); err == nil && info.IsDir() {
					real = filepath.Join(real, "x.csv")
				}
				require.NoError(t, os.WriteFile(real, []byte("other rows\n"), 0o644))
				again, err = p.train(options)
				require.NoError(t, err)
				assert.False(t, again.Replicates[0].Reused, "what the link leads to was changed")
			})
		}
	}
	t.Run("a link to nothing", func(t *testing.T) {
		t.Parallel()
		p := newProject(t, nil)
		require.NoError(t, os.Symlink("/nonexistent/cache", filepath.Join(p.dir, "data.csv")))
		_, err := p.train(func(o *train.Options) { o.Data = "data.csv" })
		require.ErrorContains(t, err, "the training data data.csv is a link to /nonexistent/cache, which is not there")
	})
	t.Run("a link to the evaluation data", func(t *testing.T) {
		t.Parallel()
		p := newProject(t, nil)
		require.NoError(t, os.Symlink("eval.csv", filepath.Join(p.dir, "data.csv")))
		_, err := p.train(func(o *train.Options) { o.Data = "data.csv" })
		require.ErrorContains(t, err, "must not be trained on the rows it is judged by")
	})
}

func TestSeedThatNobodyReads(t *testing.T) {
	t.Parallel()
	const remark = "reads the seed"
	for name, c := range map[string]struct {
		command string
		files   map[string]string
		seeds   []int64
		said    bool
	}{
		"by nobody":                     {"sh train.sh {data} {out}", map[string]string{"train.sh": `echo m > "$2/model.onnx"`}, []int64{1, 2}, true},
		"by the command":                {"sh train.sh {seed} {out}", map[string]string{"train.sh": `echo m > "$2/model.onnx"`}, []int64{1, 2}, false},
		"by its variable":               {"S=$DOSIRAK_SEED sh train.sh x {out}", map[string]string{"train.sh": `echo m > "$2/model.onnx"`}, []int64{1, 2}, false},
		"by a script":                   {"sh train.sh x {out}", map[string]string{"train.sh": `echo "$DOSIRAK_SEED" > "$2/model.onnx"`}, []int64{1, 2}, false},
		"by a script in a folder":       {"sh train.sh x {out}", map[string]string{"train.sh": `echo m > "$2/model.onnx"`, "src/a.py": `os.environ["DOSIRAK_SEED"]`}, []int64{1, 2}, false},
		"by nobody, and there is one":   {"sh train.sh {data} {out}", map[string]string{"train.sh": `echo m > "$2/model.onnx"`}, []int64{1}, false},
		"in another word of the config": {"sh train.sh --seed 42 {out}", map[string]string{"train.sh": `echo m > "$3/model.onnx"`}, []int64{1, 2}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, c.files)
			got, err := p.train(func(o *train.Options) { o.Command, o.Seeds = c.command, c.seeds })
			require.NoError(t, err)
			if c.said {
				assert.Contains(t, got.observer.notes(), remark)
			} else {
				assert.NotContains(t, got.observer.notes(), remark)
			}
		})
	}
}

// Two clones of one commit tell the same inputs, whatever they convert.
func TestInputsAreWhatGitStores(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": listing, "lib/a.py": "a = 1\n", ".gitattributes": "*.py text\n*.csv text\n"})
	clone := filepath.Join(t.TempDir(), "clone")
	gittest.Repository{T: t, Dir: p.dir}.Git("clone", "--quiet", "-c", "core.autocrlf=false", "-c", "core.eol=crlf", p.dir, clone)
	text, err := os.ReadFile(filepath.Join(clone, "lib", "a.py"))
	require.NoError(t, err)
	require.Equal(t, "a = 1\r\n", string(text))
	one := func(o *train.Options) { o.Seeds = []int64{1} }
	here, err := p.train(one)
	require.NoError(t, err)
	there, err := project{t: t, dir: clone}.train(one)
	require.NoError(t, err)
	assert.Equal(t, here.Inputs, there.Inputs)
	assert.NotEqual(t, here.Replicates[0].Key, there.Replicates[0].Key, "what a replicate sees is not the same")
}
