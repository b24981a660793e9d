package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// runsCommand runs `dosirak runs ...` or `dosirak gc ...` and returns its exit
// code and outputs.
func runsCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	root := &cobra.Command{Use: "dosirak", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(newRunsCommand(), newGCCommand())
	var out, err bytes.Buffer
	code = execute(t.Context(), root, args, &out, &err)
	return code, out.String(), err.String()
}

// storedRuns makes a project with two runs, a minute apart.
func storedRuns(t *testing.T) (dir string, ids []string) {
	t.Helper()
	dir = t.TempDir()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s, err := store.Open(dir, store.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	defer s.Close()
	for i, report := range []string{
		`{"verdict":"PASS","run":{"model":"flights"},"candidate":{"bundle":"sha256:aa"},"metrics":[{"name":"log_loss","candidate":0.5,"baseline":0.51},{"name":"roc_auc","primary":true,"candidate":0.7123456,"baseline":0.7,"verdict":"PASS"},{"name":"roc_auc","against":"anchor","candidate":0.7123456,"baseline":0.6}]}`,
		``,
	} {
		run, err := s.NewRun(t.Context(), "run", map[string]string{"model": "fli\x1b[31mghts"})
		require.NoError(t, err)
		var failure error
		if report != "" {
			require.NoError(t, run.WriteFile(evidence.Report, []byte(report)))
		} else {
			failure = errors.New("seed 1: the trainer ended with exit status 1\n  | Traceback")
		}
		now = now.Add(time.Minute)
		require.NoError(t, run.Finish(i, failure))
		ids = append(ids, run.ID())
	}
	return dir, ids
}

func TestRunsList(t *testing.T) {
	t.Parallel()
	dir, ids := storedRuns(t)
	code, out, _ := runsCommand(t, "runs", "list", "-C", dir)
	assert.Equal(t, 0, code)
	assert.Equal(t, `RUN                     STARTED (UTC)        COMMAND  STATUS  VERDICT  MODEL        PRIMARY METRIC
`+ids[1]+`  2026-03-04 05:07:07  run      failed  -        fli[31mghts  -
`+ids[0]+`  2026-03-04 05:06:07  run      done    PASS     flights      roc_auc 0.71235 (production 0.7)
`, out)
	_, out, _ = runsCommand(t, "runs", "list", "-C", dir, "--limit", "1")
	assert.Contains(t, out, "1 older runs are not shown")

	code, out, _ = runsCommand(t, "runs", "list", "-C", dir, "--json")
	assert.Equal(t, 0, code)
	var list struct {
		Total int
		Runs  []struct {
			ID      string
			Status  string
			Summary store.Summary
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	assert.Equal(t, 2, list.Total)
	assert.Equal(t, "PASS", list.Runs[1].Summary.Verdict)
	assert.Len(t, list.Runs[1].Summary.Metrics, 2, "once, whatever it was compared with")

	code, out, _ = runsCommand(t, "runs", "list", "-C", t.TempDir())
	assert.Equal(t, 0, code)
	assert.Contains(t, out, "no runs yet")
}

func TestRunsShow(t *testing.T) {
	t.Parallel()
	dir, ids := storedRuns(t)
	code, out, _ := runsCommand(t, "runs", "show", "-C", dir, "latest")
	assert.Equal(t, 0, code)
	assert.Contains(t, out, "failed, exit code 1")
	assert.Contains(t, out, "seed 1: the trainer ended with exit status 1   | Traceback")
	assert.Contains(t, out, "dosirak run --resume "+ids[1])
	code, out, _ = runsCommand(t, "runs", "show", "-C", dir, ids[0][9:])
	assert.Equal(t, 0, code)
	assert.Contains(t, out, "verdict  PASS")
	assert.Regexp(t, `roc_auc +0.71235 +0.7 +PASS`, out)
	code, out, _ = runsCommand(t, "runs", "show", "-C", dir, ids[0], "--json")
	assert.Equal(t, 0, code)
	assert.True(t, json.Valid([]byte(out)))
}

func TestRunsDiff(t *testing.T) {
	t.Parallel()
	dir, ids := storedRuns(t)
	code, out, _ := runsCommand(t, "runs", "diff", "-C", dir, ids[0], ids[1])
	assert.Equal(t, 0, code)
	assert.Regexp(t, `report.verdict +PASS +-`, out)
	_, out, _ = runsCommand(t, "runs", "diff", "-C", dir, ids[0], ids[0])
	assert.Contains(t, out, "are the same")
}

func TestGCCommand(t *testing.T) {
	t.Parallel()
	dir, ids := storedRuns(t)
	code, out, _ := runsCommand(t, "gc", "-C", dir, "--keep", "1", "--plan")
	assert.Equal(t, 0, code)
	assert.Contains(t, out, "would remove 1 runs")
	code, out, _ = runsCommand(t, "gc", "-C", dir, "--keep", "0", "--keep-run", ids[0], "--json")
	assert.Equal(t, 0, code)
	var result store.GCResult
	require.NoError(t, json.Unmarshal([]byte(out), &result))
	assert.Equal(t, []string{ids[1]}, result.Runs)
	assert.DirExists(t, filepath.Join(dir, store.Folder, "runs", ids[0]))
	assert.NoDirExists(t, filepath.Join(dir, store.Folder, "runs", ids[1]))
}

// Bad input -> exit code -> message.
func TestRunsBadInput(t *testing.T) {
	t.Parallel()
	dir, _ := storedRuns(t)
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, store.Folder), nil, 0o644))
	for name, test := range map[string]struct {
		args    []string
		code    int
		message string
	}{
		"a run that is not there": {[]string{"runs", "show", "-C", dir, "nope"}, fault.CodeUsage, "dosirak runs list"},
		"a name of several runs":  {[]string{"runs", "show", "-C", dir, "2026"}, fault.CodeUsage, "give more of the id"},
		"no run at all":           {[]string{"runs", "diff", "-C", t.TempDir(), "a", "b"}, fault.CodeUsage, "there is no run in"},
		"a file for a store":      {[]string{"runs", "list", "-C", broken}, fault.CodeUsage, "is a file, not a folder"},
		"a negative limit":        {[]string{"runs", "list", "-C", dir, "--limit", "-1"}, fault.CodeUsage, "--limit -1"},
		"a negative keep":         {[]string{"gc", "-C", dir, "--keep", "-2"}, fault.CodeUsage, "cannot keep -2 runs"},
		"an unknown run to keep":  {[]string{"gc", "-C", dir, "--keep-run", "nope"}, fault.CodeUsage, "there is no run \"nope\""},
	} {
		code, _, stderr := runsCommand(t, test.args...)
		assert.Equal(t, test.code, code, name)
		assert.Contains(t, stderr, test.message, name)
	}
}
