package train_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// The test binary runs itself again as the process that gets killed.
const killedEnv = "DOSIRAK_TEST_KILLED_TRAINING"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedEnv); dir != "" {
		fmt.Fprintln(os.Stderr, killedTraining(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func killedTraining(dir string) error {
	s, err := store.Open(dir, store.Options{Now: time.Now})
	if err != nil {
		return err
	}
	run, err := s.NewRun(context.Background(), "train", nil)
	if err != nil {
		return err
	}
	_, err = train.Train(context.Background(), train.Options{
		Dir: dir, Command: "sh train.sh", Data: "train.csv", Seeds: []int64{1, 2}, Parallel: 2, Store: s, Run: run,
	})
	return err
}

// dosirak itself is killed while two trainers run, each with a process in a
// session of its own: the next training finds and ends them, and cleans up.
func TestKill9(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills a process")
	}
	p := newProject(t, map[string]string{"train.sh": `
setsid sh -c 'touch "$DOSIRAK_OUT/background"; sleep 1000; true' &
touch "$DOSIRAK_OUT/foreground"
sleep 1000; true`})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedEnv+"="+p.dir)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		started, err := filepath.Glob(filepath.Join(p.dir, store.Folder, "slots", "*", "out", "*ground"))
		return err == nil && len(started) == 4
	}, time.Minute, 5*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.NotEmpty(t, processesWith(t, p.dir), "the background processes outlive it")

	gittest.Repository{T: t, Dir: p.dir}.Write(map[string]string{"train.sh": `echo m > "$DOSIRAK_OUT/model.onnx"`})
	got, err := p.train(nil) // looks for leftovers itself
	require.NoError(t, err)
	assert.Len(t, got.Replicates, 2)
	s, err := store.Open(p.dir, store.Options{})
	require.NoError(t, err)
	runs, err := s.List()
	require.NoError(t, err)
	require.Len(t, runs, 2)
	statuses := []store.Status{runs[0].Status, runs[1].Status}
	assert.ElementsMatch(t, []store.Status{store.Done, store.Interrupted}, statuses)
}
