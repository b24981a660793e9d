package train_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// project is a repository with a trainer in sh.
type project struct {
	t   *testing.T
	dir string
}

func newProject(t *testing.T, files map[string]string) project {
	t.Helper()
	all := map[string]string{"train.sh": "", "train.csv": "a,b\n1,2\n", "eval.csv": "a,b\n3,4\n"}
	for name, content := range files {
		all[name] = content
	}
	return project{t: t, dir: gittest.New(t, all).Dir}
}

// recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []train.Event
}

func (r *recorder) Observe(e train.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) notes() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	for _, e := range r.events {
		if e.State == train.Noted {
			text.WriteString(e.Text + "\n")
		}
	}
	return text.String()
}

func (r *recorder) count(part string, state train.State) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, e := range r.events {
		if e.Part == part && e.State == state {
			n++
		}
	}
	return n
}

type outcome struct {
	*train.Result
	run      *store.Run
	observer *recorder
}

func (o outcome) read(name string) string {
	data, err := os.ReadFile(filepath.Join(o.run.Dir(), name))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (p project) train(change func(*train.Options)) (outcome, error) {
	return p.trainContext(p.t.Context(), change)
}

func (p project) trainContext(ctx context.Context, change func(*train.Options)) (outcome, error) {
	p.t.Helper()
	s, err := store.Open(p.dir, store.Options{})
	require.NoError(p.t, err)
	defer func() { assert.NoError(p.t, s.Close()) }()
	run, err := s.NewRun(p.t.Context(), "train", nil)
	require.NoError(p.t, err)
	observer := &recorder{}
	o := train.Options{
		Dir: p.dir, Command: "sh train.sh --seed {seed} --data {data} --out {out}",
		Data: "train.csv", Withheld: []string{"eval.csv"}, Seeds: []int64{1, 2}, Parallel: 2,
		Grace: 5 * time.Second, Store: s, Run: run, Observer: observer,
	}
	if change != nil {
		change(&o)
	}
	result, err := train.Train(ctx, o)
	require.NoError(p.t, run.Finish(fault.ExitCode(err), err))
	p.noLeftovers(s)
	return outcome{result, run, observer}, err
}

// noLeftovers looks for working copies and processes that outlived a training.
func (p project) noLeftovers(s *store.Store) {
	p.t.Helper()
	slots, err := filepath.Glob(filepath.Join(s.Root(), "slots", "*", "*"))
	require.NoError(p.t, err)
	assert.Empty(p.t, slots, "working copies are removed")
	assert.Empty(p.t, processesWith(p.t, p.dir), "processes outlived the training")
}

// processesWith lists processes whose environment names the project.
func processesWith(t *testing.T, dir string) []string {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	var found []string
	for _, path := range environs {
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), "DOSIRAK_SLOT="+dir+"/") {
			found = append(found, path)
		}
	}
	return found
}

const goodTrainer = `
echo "training with seed $2"
printf 'model of seed %s\n' "$DOSIRAK_SEED" > "$6/model.onnx"
cat "$4" >> "$6/model.onnx"
echo '{"alpha": 0.1}' > "$6/params.json"
echo '{"auc": 0.7, "note": "x"}' > "$6/metrics.json"
echo '{"step": 1, "loss": 2}' > "$6/history.jsonl"
env | sort > "$6/env.txt"
pwd > "$6/pwd.txt"
find . -type f -o -type l | sort > "$6/files.txt"
`

func TestContract(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": goodTrainer})
	got, err := p.train(nil)
	require.NoError(t, err)
	require.Len(t, got.Replicates, 2)
	for i, r := range got.Replicates {
		seed := int64(i + 1)
		assert.Equal(t, seed, r.Seed)
		assert.False(t, r.Reused)
		assert.Equal(t, fmt.Sprintf("model of seed %d\na,b\n1,2\n", seed), got.read(r.Out+"/model.onnx"))
		assert.Equal(t, map[string]any{"alpha": 0.1}, r.Params)
		assert.Equal(t, map[string]float64{"auc": 0.7}, r.Metrics)
		assert.Contains(t, r.Notes, `metrics.json: "note" is left out: it is no number`)
		assert.Equal(t, r.Out+"/history.jsonl", r.History)
		assert.Equal(t, fmt.Sprintf("training with seed %d\n", seed), got.read(r.Log))
		env := got.read(r.Out + "/env.txt")
		for _, variable := range []string{
			fmt.Sprintf("DOSIRAK_SEED=%d\n", seed), fmt.Sprintf("PYTHONHASHSEED=%d\n", seed),
			"DOSIRAK_RUN_ID=" + got.run.ID() + "\n", "DOSIRAK_OUT=/", "DOSIRAK_DATA=/", "HOME=",
		} {
			assert.Contains(t, env, variable)
		}
		assert.Equal(t, "./train.csv\n./train.sh\n", got.read(r.Out+"/files.txt"), "tracked files without the evaluation data")
	}
	assert.NotEqual(t, got.Replicates[0].Key, got.Replicates[1].Key)
}

func TestReuse(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": goodTrainer, "README.md": "x", "requirements.lock": "a==1"})
	inputs := func(o *train.Options) { o.Inputs = []string{"train.sh"} }
	first, err := p.train(inputs)
	require.NoError(t, err)
	reused := func(o outcome) []bool {
		var all []bool
		for _, r := range o.Replicates {
			all = append(all, r.Reused)
		}
		return all
	}
	steps := []struct {
		name   string
		write  map[string]string
		change func(*train.Options)
		want   []bool
	}{
		{name: "unchanged", want: []bool{true, true}},
		{name: "a file that is no input", write: map[string]string{"README.md": "y"}, want: []bool{true, true}},
		{name: "another seed", change: func(o *train.Options) { o.Seeds = []int64{1, 3} }, want: []bool{true, false}},
		{name: "fresh", change: func(o *train.Options) { o.Fresh = true }, want: []bool{false, false}},
		{name: "an input", write: map[string]string{"train.sh": goodTrainer + "\n"}, want: []bool{false, false}},
		{name: "a lock file", write: map[string]string{"requirements.lock": "a==2"}, want: []bool{false, false}},
		{name: "the training data", write: map[string]string{"train.csv": "a,b\n5,6\n"}, want: []bool{false, false}},
		{name: "the command", change: func(o *train.Options) { o.Command += " --again" }, want: []bool{false, false}},
	}
	for _, step := range steps {
		gittest.Repository{T: t, Dir: p.dir}.Write(step.write)
		got, err := p.train(func(o *train.Options) {
			inputs(o)
			if step.change != nil {
				step.change(o)
			}
		})
		require.NoError(t, err, step.name)
		assert.Equal(t, step.want, reused(got), step.name)
		assert.Contains(t, got.read(got.Replicates[0].Out+"/model.onnx"), "model of seed 1", step.name)
		if step.name == "unchanged" {
			assert.Equal(t, first.Replicates[0].Files, got.Replicates[0].Files)
			assert.Equal(t, 2, got.observer.count("replicate", train.Reused), "reuse is said")
			assert.Contains(t, got.read(got.Replicates[0].Log), first.run.ID())
		}
	}
}

func TestDamagedReplicateIsTrainedAgain(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": goodTrainer})
	first, err := p.train(nil)
	require.NoError(t, err)
	i := slices.IndexFunc(first.Replicates[0].Files, func(f store.File) bool { return f.Path == "model.onnx" })
	digest := first.Replicates[0].Files[i].Digest[len("sha256:"):]
	path := filepath.Join(p.dir, store.Folder, "blobs", digest[:2], digest)
	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, os.WriteFile(path, []byte("damaged"), 0o644))
	got, err := p.train(nil)
	require.NoError(t, err)
	assert.False(t, got.Replicates[0].Reused)
	assert.True(t, got.Replicates[1].Reused)
	assert.Contains(t, got.observer.notes(), "seed 1: the stored replicate is damaged")
	assert.Contains(t, got.read(got.Replicates[0].Out+"/model.onnx"), "model of seed 1")
}

func TestProofIsTrainedOnceAndRemembered(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": `echo model > "$6/model.onnx"`})
	prove := func(o *train.Options) { o.Prove, o.Environment = true, "cpu" }
	got, err := p.train(prove)
	require.NoError(t, err)
	require.NotNil(t, got.Twin)
	assert.Nil(t, got.Proof)
	assert.Equal(t, got.Replicates[0].Files, got.Twin.Files)

	remember := func() {
		s, err := store.Open(p.dir, store.Options{})
		require.NoError(t, err)
		defer s.Close()
		run, err := s.NewRun(t.Context(), "train", nil)
		require.NoError(t, err)
		side := func(r train.Replicate) train.Side {
			return train.Side{Model: filepath.Join(got.run.Dir(), r.Out, "model.onnx"), Replicate: r, RunDir: got.run.Dir()}
		}
		proof, err := train.Prove(t.Context(), side(got.Replicates[0]), side(*got.Twin), nil)
		require.NoError(t, err)
		assert.Equal(t, train.Identical, proof.Kind)
		require.NoError(t, train.Remember(t.Context(), s, run, got.ProofKey, proof))
		require.NoError(t, run.Finish(0, nil))
	}
	again, err := p.train(prove)
	require.NoError(t, err)
	assert.True(t, again.Replicates[0].Reused)
	require.NotNil(t, again.Twin, "a reused replicate is no proof: it is trained, past the cache")
	assert.False(t, again.Twin.Reused)

	remember()
	again, err = p.train(prove)
	require.NoError(t, err)
	assert.Nil(t, again.Twin)
	require.NotNil(t, again.Proof)
	assert.True(t, again.Proof.Remembered)

	other, err := p.train(func(o *train.Options) { o.Prove, o.Environment = true, "another cpu" })
	require.NoError(t, err)
	assert.NotNil(t, other.Twin, "another environment needs a proof of its own")
}

func TestSetup(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{
		"train.sh":          `tool > "$6/model.onnx"; echo "$DOSIRAK_ENV" > "$6/where"`,
		"requirements.lock": "a==1",
	})
	setup := func(o *train.Options) {
		o.Setup = `mkdir {env}/bin && printf '#!/bin/sh\necho tool\n' > {env}/bin/tool && chmod +x {env}/bin/tool && cat requirements.lock`
	}
	got, err := p.train(setup)
	require.NoError(t, err)
	assert.Equal(t, "tool\n", got.read(got.Replicates[0].Out+"/model.onnx"))
	assert.Equal(t, "a==1", got.read("train/setup.log"))
	assert.Equal(t, 1, got.observer.count("setup", train.Done))
	env := strings.TrimSpace(got.read(got.Replicates[0].Out + "/where"))
	info, err := os.Stat(filepath.Join(env, "bin", "tool"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o555), info.Mode().Perm(), "replicates get it read-only")

	got, err = p.train(func(o *train.Options) { setup(o); o.Fresh = true })
	require.NoError(t, err)
	assert.Equal(t, 1, got.observer.count("setup", train.Reused), "once per lock digest")
	gittest.Repository{T: t, Dir: p.dir}.Write(map[string]string{"requirements.lock": "a==2"})
	got, err = p.train(setup)
	require.NoError(t, err)
	assert.Equal(t, 1, got.observer.count("setup", train.Done))
}

// An edit in the middle of a training reaches no replicate.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"note.txt": "before"})
	gittest.Repository{T: t, Dir: p.dir}.Write(map[string]string{
		"train.sh": `cat note.txt > "$6/model.onnx"; echo after > "` + p.dir + `/note.txt"`,
	})
	got, err := p.train(func(o *train.Options) { o.Parallel = 1; o.Seeds = []int64{1, 2, 3} })
	require.NoError(t, err)
	for _, r := range got.Replicates {
		assert.Equal(t, "before", got.read(r.Out+"/model.onnx"))
	}
}

func TestWorkingCopies(t *testing.T) {
	t.Parallel()
	const trainer = `find . \( -type f -o -type l \) -printf '%P %m %l\n' | sort > "$6/model.onnx"`
	files := func(o outcome) []string {
		return strings.Split(strings.TrimSuffix(o.read(o.Replicates[0].Out+"/model.onnx"), "\n"), "\n")
	}
	t.Run("modes, links, names, ignored training data, copies of the evaluation data", func(t *testing.T) {
		t.Parallel()
		p := newProject(t, map[string]string{
			"train.sh": trainer, ".gitignore": "*.csv\nbuild/\n", "lib/한글 name.py": "x", "leak/rows.txt": "secret rows\n",
		})
		r := gittest.Repository{T: t, Dir: p.dir}
		r.Write(map[string]string{"tool": "x", "build/out.o": "x", "eval.csv": "secret rows\n", "new.py": "x"})
		require.NoError(t, os.Chmod(filepath.Join(p.dir, "tool"), 0o750))
		require.NoError(t, os.Symlink("lib", filepath.Join(p.dir, "link")))
		require.NoError(t, os.Symlink(filepath.Join(p.dir, "tool"), filepath.Join(p.dir, "lib", "absolute")))
		got, err := p.train(func(o *train.Options) { o.Seeds = []int64{1} })
		require.NoError(t, err)
		assert.Equal(t, []string{
			".gitignore 644 ", "lib/absolute 777 ../tool", "lib/한글 name.py 644 ", "link 777 lib", "new.py 644 ", "tool 750 ", "train.csv 644 ", "train.sh 644 ",
		}, files(got))
	})
	t.Run("no Git", func(t *testing.T) {
		t.Parallel()
		p := project{t: t, dir: t.TempDir()}
		gittest.Repository{T: t, Dir: p.dir}.Write(map[string]string{"train.sh": trainer, "train.csv": "1", "eval.csv": "2", "a/b.py": "x"})
		got, err := p.train(func(o *train.Options) { o.Seeds = []int64{1} })
		require.NoError(t, err)
		assert.Equal(t, []string{"a/b.py 644 ", "train.csv 644 ", "train.sh 644 "}, files(got))
		assert.Contains(t, got.observer.notes(), "every file of the project")
	})
	t.Run("a project in a folder of the repository", func(t *testing.T) {
		t.Parallel()
		r := gittest.New(t, map[string]string{"above.txt": "x", "p/train.sh": trainer, "p/train.csv": "1", "p/eval.csv": "2", "p/gone.txt": "x"})
		require.NoError(t, os.Remove(filepath.Join(r.Dir, "p", "gone.txt")))
		p := project{t: t, dir: filepath.Join(r.Dir, "p")}
		got, err := p.train(func(o *train.Options) { o.Seeds = []int64{1} })
		require.NoError(t, err)
		assert.Equal(t, []string{"train.csv 644 ", "train.sh 644 "}, files(got))
		assert.Empty(t, r.Git("status", "--porcelain", "--", "p/.dosirak"), "the store is never committed")
	})
	t.Run("training data outside the project", func(t *testing.T) {
		t.Parallel()
		data := filepath.Join(t.TempDir(), "it's data; $(touch x).csv")
		require.NoError(t, os.WriteFile(data, []byte("outside"), 0o644))
		p := newProject(t, map[string]string{"train.sh": `cat "$4" > "$6/model.onnx"`})
		got, err := p.train(func(o *train.Options) { o.Seeds, o.Data = []int64{1}, data })
		require.NoError(t, err)
		assert.Equal(t, []string{"outside"}, files(got))
	})
	t.Run("a path with spaces and quotes", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), `a b'c"d $e`)
		require.NoError(t, os.Mkdir(dir, 0o755))
		p := project{t: t, dir: dir}
		gittest.Repository{T: t, Dir: dir}.Write(map[string]string{"train.csv": "rows", "eval.csv": "x"})
		got, err := p.train(func(o *train.Options) {
			o.Seeds = []int64{1}
			o.Command = `cat {data} > {out}/model.onnx && cat "$(echo {data})" > "{out}/second file" && printf %s 'data={data}' > {out}/third`
		})
		require.NoError(t, err)
		assert.Equal(t, "rows", got.read(got.Replicates[0].Out+"/model.onnx"))
		assert.Equal(t, "rows", got.read(got.Replicates[0].Out+"/second file"))
		assert.Regexp(t, `^data=/.*/slots/\d+/copy/train.csv$`, got.read(got.Replicates[0].Out+"/third"))
	})
}

func TestBoundedLog(t *testing.T) {
	t.Parallel()
	p := newProject(t, map[string]string{"train.sh": `
echo first line
i=0; while [ $i -lt 20000 ]; do echo "line $i of a lot"; i=$((i+1)); done
echo last line >&2
echo m > "$6/model.onnx"`})
	got, err := p.train(func(o *train.Options) { o.Seeds, o.LogHead, o.LogTail = []int64{1}, 1000, 2000 })
	require.NoError(t, err)
	log := got.read(got.Replicates[0].Log)
	assert.True(t, strings.HasPrefix(log, "first line\n"))
	assert.True(t, strings.HasSuffix(log, "line 19999 of a lot\nlast line\n"))
	assert.Regexp(t, `\n\[\.\.\. \d+ bytes of output were dropped here \.\.\.\]\n`, log)
	assert.Less(t, len(log), 3200)
	parts, err := filepath.Glob(filepath.Join(got.run.Dir(), "train", "*.part*"))
	require.NoError(t, err)
	assert.Empty(t, parts)
}

// Bad input -> exit code -> message.
func TestBadInput(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		trainer string
		files   map[string]string
		prepare func(t *testing.T, p project)
		change  func(*train.Options)
		code    int
		message []string
	}{
		"a trainer that exits 1": {
			trainer: "echo Traceback; echo 'ValueError: \x1b[31mbad\x1b[0m' >&2; exit 1", code: fault.CodeFailed,
			message: []string{"seed 1: the trainer ended with exit status 1", "log: .dosirak/runs/", "seed-1.log", "| Traceback", "| ValueError: bad"},
		},
		"a trainer that is not there": {
			change: func(o *train.Options) { o.Command = "no-such-program {seed}" }, code: fault.CodeFailed,
			message: []string{"exit status 127: the shell did not find a command"},
		},
		"a trainer that is killed": {
			trainer: "kill -9 $$", code: fault.CodeFailed, message: []string{"seed 1: the trainer", "kill", "out of memory, perhaps"},
		},
		"a trainer that hangs": {
			trainer: "echo working; sleep 1000", change: func(o *train.Options) { o.Timeout = 300 * time.Millisecond }, code: fault.CodeFailed,
			message: []string{"did not end within 300ms and was stopped", "| working"},
		},
		"a trainer that hangs and ignores SIGTERM, with a child": {
			trainer: "trap '' TERM; (trap '' TERM; sleep 1000; true) & sleep 1000; sleep 1000",
			change: func(o *train.Options) {
				o.Timeout, o.Grace = 300*time.Millisecond, 300*time.Millisecond
			},
			code: fault.CodeFailed, message: []string{"did not end within 300ms"},
		},
		"a trainer that fills its quota": {
			trainer: `while :; do head -c 100000 /dev/zero >> "$6/model.onnx"; done`, change: func(o *train.Options) { o.Quota = 1 << 20 }, code: fault.CodeFailed,
			message: []string{"wrote more than 1048576 bytes to its output folder and was stopped", "raise the quota"},
		},
		"a trainer that writes too much and ends": {
			trainer: `head -c 2000000 /dev/zero > "$6/model.onnx"`, change: func(o *train.Options) { o.Quota = 1 << 20 }, code: fault.CodeFailed,
			message: []string{"wrote more than 1048576 bytes"},
		},
		"a trainer that writes no model": {
			trainer: `echo '{}' > "$6/params.json"; echo x > "$6/predictions.csv"; echo done`, code: fault.CodeFailed,
			message: []string{"seed 1: the trainer ended well but wrote no model", "DOSIRAK_OUT", "| done"},
		},
		"a trainer that writes a pipe": {
			trainer: `mkfifo "$6/model.onnx"`, code: fault.CodeFailed, message: []string{"neither a file nor a folder"},
		},
		"a setup that fails": {
			change: func(o *train.Options) { o.Setup = "echo no such package; exit 3" }, code: fault.CodeFailed,
			message: []string{"the setup ended with exit status 3", "setup.log", "| no such package"},
		},
		"no command":             {change: func(o *train.Options) { o.Command = " " }, code: fault.CodeUsage, message: []string{"set train.command"}},
		"no seeds":               {change: func(o *train.Options) { o.Seeds = nil }, code: fault.CodeUsage, message: []string{"set train.seeds"}},
		"a seed twice":           {change: func(o *train.Options) { o.Seeds = []int64{1, 1} }, code: fault.CodeUsage, message: []string{"seed 1 stands twice"}},
		"an open quote":          {change: func(o *train.Options) { o.Command = "echo 'x" }, code: fault.CodeUsage, message: []string{"opens a quote that it does not close"}},
		"{out} in the setup":     {change: func(o *train.Options) { o.Setup = "touch {out}" }, code: fault.CodeUsage, message: []string{"{out}", "use {env}"}},
		"no training data":       {change: func(o *train.Options) { o.Data = "nothing.csv" }, code: fault.CodeUsage, message: []string{"nothing.csv does not exist", "data.fetch"}},
		"no outside data":        {change: func(o *train.Options) { o.Data = "/nonexistent/x.csv" }, code: fault.CodeUsage, message: []string{"/nonexistent/x.csv", "data.fetch"}},
		"a glob without a match": {change: func(o *train.Options) { o.Inputs = []string{"src/**"} }, code: fault.CodeUsage, message: []string{`"src/**" matches no file`}},
		"a glob that leads out":  {change: func(o *train.Options) { o.Inputs = []string{"../x"} }, code: fault.CodeUsage, message: []string{"leads out of the project"}},
		"a glob that is none":    {change: func(o *train.Options) { o.Inputs = []string{"a[b"} }, code: fault.CodeUsage, message: []string{"is no pattern"}},
		"training on the evaluation data": {
			change: func(o *train.Options) { o.Data = "eval.csv" }, code: fault.CodeUsage, message: []string{"must not be trained on the rows it is judged by"},
		},
		"training on a copy of the evaluation data": {
			files: map[string]string{"eval.csv": "a,b\n1,2\n"}, code: fault.CodeUsage, message: []string{"train.csv has the same content as withheld"},
		},
		"a link out of the project": {
			prepare: func(t *testing.T, p project) {
				require.NoError(t, os.Symlink("../../outside", filepath.Join(p.dir, "link")))
			},
			code: fault.CodeUsage, message: []string{"the link link leads to ../../outside, out of the project"},
		},
		"a link over a link out of the project": {
			prepare: func(t *testing.T, p project) {
				require.NoError(t, os.Symlink("/etc", filepath.Join(p.dir, "ignored")))
				require.NoError(t, os.Symlink("ignored/passwd", filepath.Join(p.dir, "link")))
				gittest.Repository{T: t, Dir: p.dir}.Write(map[string]string{".gitignore": "ignored\n"})
			},
			code: fault.CodeUsage, message: []string{"the link link leads to ignored/passwd, out of the project"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"train.sh": test.trainer}
			for name, content := range test.files {
				files[name] = content
			}
			p := newProject(t, files)
			if test.prepare != nil {
				test.prepare(t, p)
			}
			_, err := p.train(func(o *train.Options) {
				o.Seeds = []int64{1}
				if test.change != nil {
					test.change(o)
				}
			})
			require.Error(t, err)
			for _, message := range test.message {
				assert.ErrorContains(t, err, message)
			}
			assert.Equal(t, test.code, fault.ExitCode(err), err)
			envs, globbing := filepath.Glob(filepath.Join(p.dir, store.Folder, "env", "*", "*"))
			require.NoError(t, globbing)
			assert.Empty(t, envs, "a failed setup leaves nothing")
		})
	}
}

// The failure that stopped the others is the one that is told.
func TestOneFailureStopsTheOthers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills trainers")
	}
	p := newProject(t, map[string]string{"train.sh": `[ "$DOSIRAK_SEED" = 2 ] && exit 7; sleep 1000`})
	_, err := p.train(nil)
	require.ErrorContains(t, err, "seed 2: the trainer ended with exit status 7")
	assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
}

// Ctrl-C at every part of a training: exit code 130, nothing left, and the
// next training works.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("stops a training in every part")
	}
	type at struct {
		part  string
		state train.State
	}
	for name, when := range map[string]at{
		"before it begins": {},
		"the setup starts": {"setup", train.Started}, "the setup works": {"setup", train.Progress}, "the setup is done": {"setup", train.Done},
		"a replicate starts": {"replicate", train.Started}, "a replicate works": {"replicate", train.Progress}, "a replicate is done": {"replicate", train.Done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, map[string]string{"train.sh": `
echo ready
[ -e "$DOSIRAK_ENV/slow" ] && { [ "$DOSIRAK_SEED" = 1 ] || { sleep 1000 & wait; }; }
echo m > "$6/model.onnx"`})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if when == (at{}) {
				cancel()
			}
			setup := func(o *train.Options) { o.Setup = "echo setting up; touch {env}/slow" }
			if when.state == train.Progress {
				setup = func(o *train.Options) { o.Setup = "echo setting up; touch {env}/slow; sleep 0.2" }
			}
			_, err := p.trainContext(ctx, func(o *train.Options) {
				setup(o)
				o.Seeds = []int64{1, 2, 3}
				o.Observer = train.ObserverFunc(func(e train.Event) {
					if e.Part == when.part && e.State == when.state {
						cancel()
					}
				})
			})
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
			got, err := p.train(func(o *train.Options) { o.Seeds = []int64{1, 2, 3} })
			require.NoError(t, err)
			assert.Len(t, got.Replicates, 3)
		})
	}
}

// No space left, on a real file system of 4 MB: the snapshot fits, a working
// copy does not.
func TestNoSpaceLeft(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills a file system")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted here: %s", out)
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("umount", dir).Run()) })
	p := project{t: t, dir: dir}
	gittest.Repository{T: t, Dir: dir}.Write(map[string]string{"train.sh": goodTrainer, "train.csv": strings.Repeat("1,2\n", 300_000), "eval.csv": "x"})
	_, err := p.train(nil)
	require.ErrorContains(t, err, "no space left on device")
	assert.ErrorContains(t, err, "train.csv")
	assert.ErrorContains(t, err, "dosirak gc")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
}

// A trainer that leaves processes in other sessions is noticed, and they end.
func TestStraysAreStopped(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("leaves processes behind")
	}
	p := newProject(t, map[string]string{"train.sh": `
setsid sh -c 'sleep 1000; true' &
(setsid sh -c 'setsid sleep 1000 & exit') &
sleep 0.2
echo m > "$6/model.onnx"`})
	got, err := p.train(func(o *train.Options) { o.Seeds = []int64{1} })
	require.NoError(t, err)
	require.Len(t, got.Replicates[0].Notes, 1)
	assert.Contains(t, got.Replicates[0].Notes[0], "left processes running")
}

// A trainer has no terminal: what asks for a password fails, and does not wait.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc here")
	}
	p := newProject(t, map[string]string{"train.sh": `
read -r pid name state parent group session terminal rest < /proc/$$/stat
[ "$terminal" = 0 ] && ! (: < /dev/tty) 2> /dev/null && ! read -r answer && echo "no terminal" > "$6/model.onnx"`})
	got, err := p.train(func(o *train.Options) { o.Seeds, o.Timeout = []int64{1}, time.Minute })
	require.NoError(t, err)
	assert.Equal(t, "no terminal\n", got.read(got.Replicates[0].Out+"/model.onnx"))
}
