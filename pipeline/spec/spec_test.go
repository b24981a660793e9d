package spec_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spec"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	classification = []exam.Task{exam.Binary, exam.Multiclass}
	catalogue      = spec.FakeCatalogue{
		"accuracy":     {Direction: exam.Higher, Tasks: classification},
		"roc_auc":      {Direction: exam.Higher, Tasks: []exam.Task{exam.Binary}},
		"log_loss":     {Direction: exam.Lower, Tasks: classification},
		"mcc":          {Direction: exam.Higher, Tasks: classification, MayBeNonPositive: true},
		"ece":          {Direction: exam.Lower, Tasks: classification, ReportOnly: true},
		"rmse":         {Direction: exam.Lower, Tasks: []exam.Task{exam.Regression}},
		"max_error":    {Direction: exam.Lower, Tasks: []exam.Task{exam.Regression}, ReportOnly: true},
		"pinball_0.9":  {Direction: exam.Lower, Tasks: []exam.Task{exam.Regression}},
		"top_3_hits.x": {Direction: exam.Higher, Tasks: []exam.Task{exam.Multiclass}},
	}
)

// A new case is two files: testdata/bad/name.yaml and name.golden.
func TestBad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, err = spec.Parse("dosirak.yaml", data, catalogue)
			require.Error(t, err)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
			var problems *spec.Problems
			require.ErrorAs(t, err, &problems)
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			want, err2 := os.ReadFile(golden)
			require.NoError(t, err2)
			assert.Equal(t, string(want), err.Error()+"\n")
		})
	}
}

