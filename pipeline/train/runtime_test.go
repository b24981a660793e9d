package train_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// environ is this process's environment without what limits threads, and more.
func environ(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.Contains(v, "THREADS=") && !strings.HasPrefix(v, "GOMAXPROCS=") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}

// Each of the replicates that run side by side gets its share of the cores,
// unless the user said something else; the number is part of the key.
func TestThreads(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("trains many times")
	}
	p := newProject(t, map[string]string{"train.sh": `echo "$OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $MKL_NUM_THREADS $PYTHON_CPU_COUNT $DOSIRAK_SEED" > "$6/model.onnx"`})
	all := runtime.NumCPU()
	for name, c := range map[string]struct {
		env      []string
		parallel int
		want     string
	}{
		"one at a time":      {nil, 1, fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", all)},
		"two at a time":      {nil, 2, fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", max(1, all/2))},
		"more than cores":    {nil, 100, fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", max(1, all/2))}, // there are two replicates
		"OMP by the user":    {[]string{"OMP_NUM_THREADS=7"}, 2, "7 7 7 7"},
		"levels by the user": {[]string{"OMP_NUM_THREADS=5,2"}, 2, "5,2 5 5 5"},
		"MKL by the user":    {[]string{"OMP_NUM_THREADS=3", "MKL_NUM_THREADS=9"}, 2, "3 3 9 3"},
	} {
		got, err := p.train(func(o *train.Options) { o.Env, o.Parallel = environ(c.env...), c.parallel })
		require.NoError(t, err, name)
		assert.Equal(t, c.want+" 1\n", got.read(got.Replicates[0].Out+"/model.onnx"), name)
		assert.Contains(t, got.Runtime.Threads, "OMP_NUM_THREADS="+strings.Fields(c.want)[0], name)
	}
	got, err := p.train(func(o *train.Options) { o.Env = environ("OMP_NUM_THREADS=7") })
	require.NoError(t, err)
	assert.True(t, got.Replicates[0].Reused, "the same number as before")
	got, err = p.train(func(o *train.Options) { o.Env, o.Prove = environ("OMP_NUM_THREADS=8"), true })
	require.NoError(t, err)
	assert.False(t, got.Replicates[0].Reused, "another number is another training")
	other, err := p.train(func(o *train.Options) { o.Env, o.Prove = environ("OMP_NUM_THREADS=9"), true })
	require.NoError(t, err)
	assert.NotEqual(t, got.ProofKey, other.ProofKey, "and needs a proof of its own")
}

// python makes a virtual environment without pip, and returns its bin.
func python(t *testing.T, distributions ...string) (bin, site string) {
	t.Helper()
	base, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	dir := filepath.Join(t.TempDir(), "venv")
	out, err := exec.Command(base, "-m", "venv", "--without-pip", dir).CombinedOutput()
	if err != nil {
		t.Skipf("no virtual environment can be made here: %s", out)
	}
	sites, err := filepath.Glob(filepath.Join(dir, "lib", "python*", "site-packages"))
	require.NoError(t, err)
	require.Len(t, sites, 1)
	for _, name := range distributions {
		require.NoError(t, os.Mkdir(filepath.Join(sites[0], name+".dist-info"), 0o755))
	}
	return filepath.Join(dir, "bin"), sites[0]
}

// An upgrade of a library, or of the interpreter, trains again.
func TestUpgradeTrainsAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a virtual environment")
	}
	bin, site := python(t, "scikit_learn-1.4.0", "pip-24.0")
	p := newProject(t, map[string]string{"train.py": `import os; open(os.environ["DOSIRAK_OUT"] + "/model.onnx", "w").write(os.environ["DOSIRAK_SEED"])`})
	options := func(o *train.Options) {
		o.Command = "python train.py"
		o.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		o.Seeds = []int64{1}
	}
	first, err := p.train(options)
	require.NoError(t, err)
	require.Len(t, first.Runtime.Tools, 1)
	tool := first.Runtime.Tools[0]
	assert.Equal(t, "python", tool.Name)
	assert.Regexp(t, `^3\.\d+\.\d+`, tool.Version)
	require.Len(t, tool.Packages, 1, "pip changes no number")
	assert.Equal(t, "scikit-learn", tool.Packages[0].Name)
	assert.Equal(t, "1.4.0", tool.Packages[0].Version)

	again, err := p.train(options)
	require.NoError(t, err)
	assert.True(t, again.Replicates[0].Reused)
	require.NoError(t, os.Rename(filepath.Join(site, "scikit_learn-1.4.0.dist-info"), filepath.Join(site, "scikit_learn-1.5.0.dist-info")))
	again, err = p.train(options)
	require.NoError(t, err)
	assert.False(t, again.Replicates[0].Reused, "scikit-learn was upgraded")
	require.NoError(t, os.Rename(filepath.Join(site, "pip-24.0.dist-info"), filepath.Join(site, "pip-25.0.dist-info")))
	again, err = p.train(options)
	require.NoError(t, err)
	assert.True(t, again.Replicates[0].Reused)
}

// recording is an executor that runs on the host and says what it was given.
type recording struct {
	train.Host
	name string
	jobs *[]train.Job
}

func (r recording) Identity() string { return r.name }

func (r recording) Run(ctx context.Context, j train.Job) (train.Ending, error) {
	*r.jobs = append(*r.jobs, j)
	return r.Host.Run(ctx, j)
}

// Training asks an executor, and in what it runs is part of the key.
func TestExecutor(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": goodTrainer})
	var jobs []train.Job
	in := func(name string) func(*train.Options) {
		return func(o *train.Options) {
			o.Seeds, o.Parallel, o.Setup = []int64{1}, 1, "mkdir {env}/bin"
			o.Executor = recording{name: name, jobs: &jobs}
		}
	}
	first, err := p.train(in("image@sha256:1"))
	require.NoError(t, err)
	require.Len(t, jobs, 2, "the setup and a replicate")
	assert.True(t, jobs[0].Network)
	assert.False(t, jobs[1].Network)
	assert.Len(t, jobs[1].Write, 1)
	assert.Equal(t, []string{jobs[0].Write[0]}, jobs[1].Read, "a replicate reads what the setup wrote")
	assert.Equal(t, "image@sha256:1", first.Runtime.Executor)
	assert.Empty(t, first.Runtime.Tools, "the image says what is in it")

	again, err := p.train(in("image@sha256:1"))
	require.NoError(t, err)
	assert.True(t, again.Replicates[0].Reused)
	again, err = p.train(in("image@sha256:2"))
	require.NoError(t, err)
	assert.False(t, again.Replicates[0].Reused)
	assert.NotEqual(t, first.Env, again.Env, "another image, another setup")
}
