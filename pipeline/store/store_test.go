package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// clock starts at a fixed time and goes on by a second at each look.
func clock() func() time.Time {
	var mu sync.Mutex
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Options{Now: clock()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestReadingCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	runs, err := s.List()
	require.NoError(t, err)
	assert.Empty(t, runs)
	assert.NoDirExists(t, filepath.Join(dir, store.Folder))
}

func TestRunIsRecorded(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	run, err := s.NewRun(t.Context(), "run", map[string]string{"model": "m", "commit": "abc"})
	require.NoError(t, err)
	assert.Equal(t, "20260304-050608", run.Started().Format("20060102-150405"))
	assert.Regexp(t, `^20260304-050608-[0-9a-f]{6}$`, run.ID())
	loaded, err := s.Load(run.ID())
	require.NoError(t, err)
	assert.Equal(t, store.Running, loaded.Status)
	require.NoError(t, run.WriteFile(evidence.Report, []byte(`{"verdict":"PASS"}`)))
	require.NoError(t, run.Finish(0, nil))
	loaded, err = s.Load(run.ID())
	require.NoError(t, err)
	assert.Equal(t, store.Done, loaded.Status)
	assert.Equal(t, map[string]string{"model": "m", "commit": "abc"}, loaded.Labels)
	assert.Equal(t, "PASS", loaded.Report["verdict"])
}

func TestStepsAreMadeOnceAndAgainWhenTheyMust(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	run, err := s.NewRun(t.Context(), "run", nil)
	require.NoError(t, err)
	made := 0
	step := func(key string) bool {
		_, reused, err := run.Step(t.Context(), "seal", key, func(_ context.Context, step *store.Step) error {
			made++
			require.NoError(t, step.SetResult(map[string]int{"made": made}))
			return step.WriteFile("seal/bundle.json", []byte("{}"))
		})
		require.NoError(t, err)
		return reused
	}
	assert.False(t, step("a"))
	assert.True(t, step("a"), "the same key: done")
	assert.False(t, step("b"), "another key")
	path, err := run.Path("seal/bundle.json")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("{changed}"), 0o644))
	assert.False(t, step("b"), "a file of the step was changed")
	assert.False(t, step(""), "no key: always")
	var result map[string]int
	require.NoError(t, run.Result("seal", &result))
	assert.Equal(t, 4, result["made"])
	require.ErrorIs(t, run.Result("train", &result), store.ErrNoStep)
}

func TestResumeGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	run, err := s.NewRun(t.Context(), "run", nil)
	require.NoError(t, err)
	_, _, err = run.Step(t.Context(), "train", "k", func(context.Context, *store.Step) error { return nil })
	require.NoError(t, err)
	boom := errors.New("boom")
	_, _, err = run.Step(t.Context(), "seal", "k", func(context.Context, *store.Step) error { return boom })
	require.ErrorIs(t, err, boom)

	other := open(t, dir)
	_, err = other.Resume(t.Context(), run.ID())
	require.ErrorContains(t, err, "it is going on in another process")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	require.NoError(t, run.Finish(1, boom))
	run, err = other.Resume(t.Context(), "latest")
	require.NoError(t, err)
	_, reused, err := run.Step(t.Context(), "train", "k", nil)
	require.NoError(t, err)
	assert.True(t, reused)
	_, reused, err = run.Step(t.Context(), "seal", "k", func(context.Context, *store.Step) error { return nil })
	require.NoError(t, err)
	assert.False(t, reused)
	require.NoError(t, run.Finish(0, nil))
}

func TestInterruptedStep(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	run, err := s.NewRun(t.Context(), "run", nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	record, _, err := run.Step(ctx, "train", "k", func(ctx context.Context, _ *store.Step) error {
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, store.Interrupted, record.Status)
	require.NoError(t, run.Finish(130, err))
	loaded, err := s.Load(run.ID())
	require.NoError(t, err)
	assert.Equal(t, store.Interrupted, loaded.Status)
}

func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := store.Open(dir, store.Options{Now: time.Now})
			if !assert.NoError(t, err) {
				return
			}
			defer s.Close()
			run, err := s.NewRun(t.Context(), "run", nil)
			if !assert.NoError(t, err) {
				return
			}
			_, _, err = s.PutBlob(t.Context(), strings.NewReader("shared"))
			assert.NoError(t, err)
			_, err = s.TempDir(t.Context(), "x")
			assert.NoError(t, err)
			loaded, err := s.Load(run.ID())
			assert.NoError(t, err)
			assert.Equal(t, store.Running, loaded.Status, "another run's start cleaned up a living one")
			assert.NoError(t, run.Finish(0, nil))
		})
	}
	wg.Wait()
	runs, err := open(t, dir).List()
	require.NoError(t, err)
	assert.Len(t, runs, 4)
}

func TestEnvIsBuiltOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	built := 0
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			s, err := store.Open(dir, store.Options{})
			if !assert.NoError(t, err) {
				return
			}
			defer s.Close()
			_, _, err = s.Env(t.Context(), envDigest, func(string) error {
				mu.Lock()
				defer mu.Unlock()
				built++
				return nil
			})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Equal(t, 1, built)

	s := open(t, dir)
	boom := errors.New("boom")
	other := "sha256:" + strings.Repeat("4", 64)
	_, _, err := s.Env(t.Context(), other, func(dir string) error {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "half"), nil, 0o444))
		return boom
	})
	require.ErrorIs(t, err, boom)
	assert.NoDirExists(t, filepath.Join(s.Root(), "env", strings.Repeat("4", 64)), "a failed setup leaves nothing")
}

func TestTreesGoThroughBlobs(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	require.NoError(t, os.MkdirAll(filepath.Join(from, "a", "b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(from, "a", "b", "model.onnx"), []byte("one"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(from, "params.json"), []byte("{}"), 0o600))
	files, err := s.PutTree(t.Context(), from)
	require.NoError(t, err)
	require.Len(t, files, 2)
	assert.Equal(t, "a/b/model.onnx", files[0].Path)
	require.NoError(t, s.GetTree(t.Context(), files, to))
	content, err := os.ReadFile(filepath.Join(to, "a", "b", "model.onnx"))
	require.NoError(t, err)
	assert.Equal(t, "one", string(content))

	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(from, "link")))
	_, err = s.PutTree(t.Context(), from)
	require.ErrorContains(t, err, "neither a file nor a folder")
}

func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	digest, _, err := s.PutBlob(t.Context(), strings.NewReader("content"))
	require.NoError(t, err)
	path := filepath.Join(s.Root(), "blobs", digest[7:9], digest[7:])
	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, os.WriteFile(path, []byte("c0ntent"), 0o644))
	_, err = s.ReadBlob(digest)
	require.ErrorIs(t, err, store.ErrCorrupt)
	copied := filepath.Join(t.TempDir(), "copy")
	require.ErrorIs(t, s.CopyBlob(t.Context(), digest, copied), store.ErrCorrupt)
	assert.NoFileExists(t, copied)
	_, _, err = s.PutBlob(t.Context(), strings.NewReader("content"))
	require.NoError(t, err)
	_, err = s.ReadBlob(digest)
	require.NoError(t, err, "storing it again heals it")

	run, err := s.NewRun(t.Context(), "run", nil)
	require.NoError(t, err)
	require.NoError(t, run.Finish(0, nil))
	require.NoError(t, os.WriteFile(filepath.Join(run.Dir(), "run.json"), []byte("{"), 0o644))
	runs, err := s.List()
	require.NoError(t, err)
	require.Len(t, runs, 1)
	assert.Contains(t, runs[0].Error, "changed by hand or damaged")
}

func TestGC(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	var ids, digests []string
	for i := range 3 {
		run, err := s.NewRun(t.Context(), "run", nil)
		require.NoError(t, err)
		digest, _, err := s.PutBlob(t.Context(), strings.NewReader(strings.Repeat("x", i+1)))
		require.NoError(t, err)
		require.NoError(t, run.HoldBlobs(digest))
		if i < 2 {
			require.NoError(t, run.Finish(0, nil))
		} else {
			other, err := store.Open(dir, store.Options{})
			require.NoError(t, err)
			_, err = other.GC(t.Context(), store.GCOptions{})
			require.ErrorContains(t, err, "a run is going on")
			assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
			require.NoError(t, run.Finish(0, nil))
		}
		ids, digests = append(ids, run.ID()), append(digests, digest)
	}
	require.NoError(t, s.Close())
	options := store.GCOptions{Keep: 1, Runs: []string{ids[0]}, Plan: true}
	dry, err := s.GC(t.Context(), options)
	require.NoError(t, err)
	_, err = s.ReadBlob(digests[1])
	require.NoError(t, err, "a dry run removes nothing")
	options.Plan = false
	result, err := s.GC(t.Context(), options)
	require.NoError(t, err)
	assert.Equal(t, []string{ids[1]}, result.Runs)
	assert.Equal(t, 1, result.Blobs)
	dry.Plan = false
	assert.Equal(t, dry, result, "the dry run told the truth")
	_, err = s.ReadBlob(digests[1])
	require.ErrorIs(t, err, fs.ErrNotExist)
	for _, i := range []int{0, 2} {
		_, err = s.ReadBlob(digests[i])
		require.NoError(t, err)
	}
}

func TestFindAndDiff(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var ids []string
	for _, report := range []string{
		`{"verdict":"PASS","metrics":[{"name":"auc","candidate":0.7}],"run":{"id":"x"}}`,
		`{"verdict":"FAIL","metrics":[{"name":"new","candidate":1},{"name":"auc","candidate":0.6}],"run":{"id":"y"}}`,
	} {
		run, err := s.NewRun(t.Context(), "run", nil)
		require.NoError(t, err)
		require.NoError(t, run.WriteFile(evidence.Report, []byte(report)))
		require.NoError(t, run.Finish(0, nil))
		ids = append(ids, run.ID())
	}
	for name, want := range map[string]string{"latest": ids[1], ids[0]: ids[0], ids[0][:15]: ids[0], ids[1][9:]: ids[1]} {
		got, err := s.Find(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for name, message := range map[string]string{"2026": "give more of the id", "nothing": "dosirak runs list", "": "dosirak runs list"} {
		_, err := s.Find(name)
		require.ErrorContains(t, err, message)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
	differences, err := s.Diff(ids[0], ids[1])
	require.NoError(t, err)
	assert.Equal(t, []store.Difference{
		{Path: "report.metrics[auc].candidate", A: "0.7", B: "0.6"},
		{Path: "report.metrics[new].candidate", A: "", B: "1"},
		{Path: "report.metrics[new].name", A: "", B: "new"},
		{Path: "report.verdict", A: "PASS", B: "FAIL"},
	}, differences)
}

// Bad input -> exit code -> message.
func TestBadInput(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(t *testing.T, dir string)
		do      func(s *store.Store) error
		code    int
		message string
	}{
		"a store of a newer release": {
			prepare: func(t *testing.T, dir string) {
				require.NoError(t, os.Mkdir(filepath.Join(dir, store.Folder), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, store.Folder, "store.json"), []byte(`{"schema":"dosirak/store/v9"}`), 0o644))
			},
			code: fault.CodeUsage, message: `schema "dosirak/store/v9", this release knows "dosirak/store/v1"`,
		},
		"a file where the folder should be": {
			prepare: func(t *testing.T, dir string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, store.Folder), nil, 0o644))
			},
			code: fault.CodeUsage, message: "is a file, not a folder",
		},
		"a run that is not there": {
			do:   func(s *store.Store) error { _, err := s.Resume(context.Background(), "2020"); return err },
			code: fault.CodeUsage, message: "there is no run",
		},
		"a run outside": {
			do:   func(s *store.Store) error { _, err := s.Load("../../etc"); return err },
			code: fault.CodeUsage, message: "is no run",
		},
		"a digest that is none": {
			do:   func(s *store.Store) error { _, err := s.ReadBlob("sha256:../../etc/passwd"); return err },
			code: fault.CodeUsage, message: "is not a digest",
		},
		"a negative number of runs to keep": {
			do: func(s *store.Store) error {
				_, err := s.GC(context.Background(), store.GCOptions{Keep: -1})
				return err
			},
			code: fault.CodeUsage, message: "cannot keep -1 runs",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.prepare != nil {
				test.prepare(t, dir)
			}
			s, err := store.Open(dir, store.Options{Now: clock()})
			if test.do != nil {
				require.NoError(t, err)
				err = test.do(s)
				require.NoError(t, s.Close())
			}
			require.ErrorContains(t, err, test.message)
			assert.Equal(t, test.code, fault.ExitCode(err))
		})
	}
}

// No space left, on a real file system of 512 KB.
func TestNoSpaceLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted here: %s", out)
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("umount", dir).Run()) })
	s, err := store.Open(dir, store.Options{Now: clock()})
	require.NoError(t, err)
	run, err := s.NewRun(t.Context(), "run", nil)
	require.NoError(t, err)
	tests := map[string]func() error{
		"blob": func() error {
			_, _, err := s.PutBlob(t.Context(), strings.NewReader(strings.Repeat("x", 1<<20)))
			return err
		},
		"file": func() error { return run.WriteFile("big", make([]byte, 1<<20)) },
	}
	for name, fill := range tests {
		err := fill()
		require.ErrorContains(t, err, "no space left on device", name)
		assert.ErrorContains(t, err, s.Root(), "it names the place")
		assert.ErrorContains(t, err, "dosirak gc", "it names the way out")
		assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	}
	// What was refused left nothing, so the end can be recorded.
	require.NoError(t, run.Finish(4, errors.New("no space")))
	require.NoError(t, s.Close())
	runs, err := open(t, dir).List()
	require.NoError(t, err)
	require.Len(t, runs, 1)
	assert.Equal(t, store.Failed, runs[0].Status)
}
