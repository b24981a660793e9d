package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := report.Encode(reporttest.Fail())
	require.NoError(t, err)
	for name, content := range map[string][]byte{"good": text, "broken": []byte("{")} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, evidence.Report), content, 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "early"), 0o755))
	folder := func(_ *cobra.Command, id string) (string, error) {
		if isFile(filepath.Join(dir, id, evidence.Report)) || id == "early" {
			return filepath.Join(dir, id), nil
		}
		return "", fault.Usage(errors.New("no run " + id))
	}
	for name, c := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"a run":           {[]string{"good", "log_loss"}, 0, "log_loss: FAIL\n", ""},
		"a folder":        {[]string{"DIR/good", "log_loss"}, 0, "The largest that still fails is 2.39%", ""},
		"a file":          {[]string{"DIR/good/report.json", "ece"}, 0, "ece: not judged\n", ""},
		"unknown metric":  {[]string{"good", "logloss"}, 2, "", `holds no metric "logloss"; did you mean "log_loss"?; it has roc_auc, log_loss,`},
		"unknown run":     {[]string{"other", "log_loss"}, 2, "", "no run other"},
		"missing file":    {[]string{"DIR/none.json", "log_loss"}, 2, "", "no such file"},
		"run that ended":  {[]string{"early", "log_loss"}, 2, "", "the run did not come that far"},
		"broken report":   {[]string{"broken", "log_loss"}, 2, "", "reading the report"},
		"no metric":       {[]string{"good"}, 0, "What decided\n  ✗ log_loss", ""},
		"no run":          {nil, 2, "", "accepts between 1 and 2 arg"},
		"too many":        {[]string{"good", "a", "b"}, 2, "", "accepts between 1 and 2 arg"},
		"a metric's case": {[]string{"good", "LOG_LOSS"}, 2, "", `did you mean "log_loss"?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := &cobra.Command{Use: "dosirak", SilenceErrors: true, SilenceUsage: true}
			root.AddCommand(newExplainCommand(folder))
			args := []string{"explain"}
			for _, arg := range c.args {
				args = append(args, strings.ReplaceAll(arg, "DIR", dir))
			}
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.code, execute(t.Context(), root, args, &stdout, &stderr), stderr.String())
			if c.code == 0 {
				assert.Contains(t, stdout.String(), c.stdout)
				assert.Empty(t, stderr.String())
				return
			}
			assert.Empty(t, stdout.String())
			assert.Contains(t, stderr.String(), c.stderr)
		})
	}
}
