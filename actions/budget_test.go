package actions_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// budgeted runs a shell script within the step's budget.
func budgeted(t *testing.T, script string, env ...string) (code int, log string) {
	t.Helper()
	cmd := exec.Command("bash", "budget.sh", "bash", "-c", script, "name with  spaces")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// The step around a stranger's model has an end, whatever the model does, and
// what it reports is the command's own otherwise.
func TestBudget(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("timeout"); err != nil || runtime.GOOS != "linux" {
		t.Skip("there is no timeout on this machine")
	}
	for _, want := range []int{0, 1, 2, 3, 4} {
		code, log := budgeted(t, "echo \"$0\"; exit "+string(rune('0'+want)))
		assert.Equal(t, want, code, log)
		assert.Equal(t, "name with  spaces\n", log, "arguments arrive as they are")
	}
	// It ignores the polite signal, and ends all the same.
	code, log := budgeted(t, "trap '' TERM; while :; do sleep 1; done", "DOSIRAK_MINUTES=0.001", "DOSIRAK_GRACE=1")
	assert.Contains(t, []int{124, 137}, code)
	assert.Contains(t, log, "::error::dosirak: nothing was judged")
	// More memory than there is: the command fails, and the machine does not.
	limit := exec.Command("bash", "budget.sh", "bash", "-c", "ulimit -v")
	out, err := limit.Output()
	require.NoError(t, err)
	assert.Regexp(t, `^[0-9]{7,}\n$`, string(out), "the address space is limited")
}

// Every step that reads what a stranger made has the budget.
func TestWhoHasABudget(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"compare", "gather", "verify"} {
		text, err := os.ReadFile(filepath.Join(name, "action.yml"))
		require.NoError(t, err)
		assert.True(t, strings.Contains(string(text), "budget.sh"), name)
	}
}
