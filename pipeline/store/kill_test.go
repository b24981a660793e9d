package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/store/failpoint"
)

// The test binary runs itself again as the process that gets killed.
const scenarioEnv = "DOSIRAK_TEST_SCENARIO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(scenarioEnv); dir != "" {
		if err := failpoint.FromEnvironment(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := scenario(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const envDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

var key = strings.Repeat("ab", 32)

// scenario does everything that the store can do, once.
func scenario(dir string) error {
	ctx := context.Background()
	s, err := store.Open(dir, store.Options{Now: time.Now})
	if err != nil {
		return err
	}
	defer s.Close()
	run, err := s.NewRun(ctx, "run", map[string]string{"model": "m"})
	if err != nil {
		return err
	}
	if _, _, err := s.Env(ctx, envDigest, func(env string) error {
		return os.WriteFile(filepath.Join(env, "tool"), []byte("x"), 0o644)
	}); err != nil {
		return err
	}
	if err := run.HoldEnv(envDigest); err != nil {
		return err
	}
	if _, _, err := run.Step(ctx, "train", "k", func(ctx context.Context, step *store.Step) error {
		digest, _, err := s.PutBlob(ctx, strings.NewReader("the model"))
		if err != nil {
			return err
		}
		if err := s.PutCache(ctx, "replicate", key, map[string]string{"model": digest}, digest); err != nil {
			return err
		}
		if err := run.HoldCache("replicate", key); err != nil {
			return err
		}
		slot, err := s.Slot(ctx, nil)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(slot.Dir, "copy"), []byte("x"), 0o644); err != nil {
			return err
		}
		if err := slot.Release(); err != nil {
			return err
		}
		return step.WriteFile("train/log.txt", []byte("all went well"))
	}); err != nil {
		return err
	}
	if err := run.Finish(0, nil); err != nil {
		return err
	}
	_, err = s.GC(ctx, store.GCOptions{Keep: 1})
	return err
}

// leftovers makes a store in which everything is that a scenario can find:
// an old run with a blob, a cache entry and an environment of its own for gc,
// and what processes that died left.
func leftovers(t *testing.T, dir string) {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(dir, store.Options{Now: func() time.Time { return time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC) }})
	require.NoError(t, err)
	run, err := s.NewRun(ctx, "run", nil)
	require.NoError(t, err)
	_, _, err = run.Step(ctx, "train", "k", func(ctx context.Context, step *store.Step) error {
		digest, _, err := s.PutBlob(ctx, strings.NewReader("an old model"))
		require.NoError(t, err)
		return s.PutCache(ctx, "replicate", strings.Repeat("cd", 32), 1, digest)
	})
	require.NoError(t, err)
	_, _, err = s.Env(ctx, "sha256:"+strings.Repeat("2", 64), func(string) error { return nil })
	require.NoError(t, err)
	require.NoError(t, run.Finish(0, nil))
	require.NoError(t, s.Close())

	for _, path := range []string{"tmp/p-dead/file-1", "env/" + strings.Repeat("3", 64) + "/half", "slots/7/copy"} {
		path = filepath.Join(s.Root(), path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	}
	dead := filepath.Join(s.Root(), "runs", "20200101-000000-dead00")
	require.NoError(t, os.MkdirAll(filepath.Join(dead, "steps"), 0o755))
	record := `{"schema":"dosirak/run/v1","status":"running","started":"2020-01-01T00:00:00Z",`
	require.NoError(t, os.WriteFile(filepath.Join(dead, "run.json"), []byte(record+`"id":"20200101-000000-dead00","command":"run"}`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dead, "steps", "train.json"), []byte(record+`"name":"train","key":"k"}`), 0o644))
}

func runScenario(t *testing.T, dir string, env ...string) (killed bool, output string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), scenarioEnv+"="+dir), env...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false, string(out)
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGKILL, "the scenario failed by itself: %v: %s", err, out)
	return true, string(out)
}

// everyHit kills at each hit of a point. The race detector makes processes
// start slowly; there the first hit of each point in each start is enough.
var everyHit = true

func TestKillAtEveryFailpoint(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills a process at every failpoint")
	}
	dir := t.TempDir()
	// Two starts: in an empty project, and in one full of leftovers. Together
	// they must pass every point.
	starts := map[string]func(*testing.T, string){"empty": func(*testing.T, string) {}, "leftovers": leftovers}
	hit := map[string]bool{}
	for name, prepare := range starts {
		project := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(project, 0o755))
		prepare(t, project)
		trace := filepath.Join(dir, name+".trace")
		killed, output := runScenario(t, project, failpoint.EnvTrace+"="+trace)
		require.False(t, killed, output)
		data, err := os.ReadFile(trace)
		require.NoError(t, err)
		hits := strings.Fields(string(data))
		for _, point := range hits {
			hit[point] = true
		}
		checkClean(t, project)
		for i, point := range hits {
			if !everyHit && slices.Index(hits, point) < i {
				continue
			}
			t.Run(fmt.Sprintf("%s/%03d-%s", name, i+1, strings.ReplaceAll(point, "/", "-")), func(t *testing.T) {
				t.Parallel()
				project := t.TempDir()
				prepare(t, project)
				killed, output := runScenario(t, project, failpoint.EnvKill+"="+strconv.Itoa(i+1))
				require.True(t, killed, "the process was not killed at hit %d: %s", i+1, output)
				checkReadable(t, project)
				require.NoError(t, scenario(project), "the next run")
				checkReadable(t, project)
				checkClean(t, project)
			})
		}
	}
	for _, point := range failpoint.Names() {
		assert.True(t, hit[point], "failpoint %s was never hit", point)
	}
}

// checkReadable reads everything that has a name.
func checkReadable(t *testing.T, project string) {
	t.Helper()
	s, err := store.Open(project, store.Options{})
	require.NoError(t, err)
	runs, err := s.List()
	require.NoError(t, err)
	for _, run := range runs {
		loaded, err := s.Load(run.ID)
		require.NoError(t, err)
		assert.NotEqual(t, store.Running, loaded.Status, "run %s: its process is dead", run.ID)
		for _, step := range loaded.Steps {
			assert.NotEqual(t, store.Running, step.Status)
			for _, file := range step.Files {
				assert.FileExists(t, filepath.Join(run.Dir, file.Path))
			}
		}
	}
	var value map[string]string
	found, err := s.GetCache("replicate", key, &value)
	require.NoError(t, err)
	if found {
		content, err := s.ReadBlob(value["model"])
		require.NoError(t, err, "a cache entry names a blob that is not there")
		assert.Equal(t, "the model", string(content))
	}
	err = filepath.WalkDir(filepath.Join(s.Root(), "blobs"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		_, err = s.ReadBlob("sha256:" + entry.Name())
		return err
	})
	require.NoError(t, err)
}

// checkClean looks for what a later run should have removed.
func checkClean(t *testing.T, project string) {
	t.Helper()
	s, err := store.Open(project, store.Options{})
	require.NoError(t, err)
	names := func(folder string) []string {
		entries, err := os.ReadDir(filepath.Join(s.Root(), folder))
		require.NoError(t, err)
		var names []string
		for _, entry := range entries {
			if entry.IsDir() || folder == "tmp" {
				names = append(names, entry.Name())
			}
		}
		return names
	}
	assert.Empty(t, names("tmp"), "temporary files of dead processes")
	assert.Empty(t, names("slots"), "working copies of dead processes")
	assert.Equal(t, []string{envDigest[len("sha256:"):]}, names("env"), "half and unneeded environments")
	assert.Len(t, names("runs"), 1, "gc keeps one run")
	ignore, err := os.ReadFile(filepath.Join(s.Root(), ".gitignore"))
	require.NoError(t, err)
	assert.Equal(t, "*\n", string(ignore))
	for _, id := range names("runs") {
		record, err := os.ReadFile(filepath.Join(s.Root(), "runs", id, "run.json"))
		require.NoError(t, err)
		assert.Contains(t, string(record), `"status": "done"`)
	}
	assert.ElementsMatch(t, []string{"blobs", "cache", "env", "runs", "slots", "tmp"}, names("."))
}
