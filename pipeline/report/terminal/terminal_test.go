package terminal

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got := Render(c.Report, Options{Page: ".dosirak/runs/20260801-1200-3f9a1c/report.html"})
			path := filepath.Join("testdata", c.Name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "run go test with -update once")
			assert.Equal(t, string(want), got)
		})
	}
}

var (
	ansi  = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	badge = regexp.MustCompile(`(?m)^\[([A-Z]+)\]`)
)

func TestEveryWidthHolds(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		for _, w := range []int{40, 60, 80, 100, 120} {
			out := Render(c.Report, Options{Width: w})
			for line := range strings.Lines(out) {
				if strings.Contains(line, "             dosirak ") {
					continue // a command is never broken: it is there to be copied
				}
				assert.LessOrEqual(t, Cells(strings.TrimRight(line, "\n")), w, "%s at %d: %q", c.Name, w, line)
			}
		}
	}
}

// TestColourCarriesNothingAlone: without colours the summary says the same.
func TestColourCarriesNothingAlone(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		plain := Render(c.Report, Options{})
		coloured := Render(c.Report, Options{Color: true})
		assert.NotContains(t, plain, "\x1b")
		stripped := ansi.ReplaceAllString(coloured, "")
		assert.Equal(t, badge.ReplaceAllString(plain, " $1 "), stripped, c.Name)
	}
}

// TestNoWorkflowCommand: outside text forges nothing in a job's log.
func TestNoWorkflowCommand(t *testing.T) {
	t.Parallel()
	r := reporttest.Bare()
	r.Headline = []report.Prose{
		"::error::forged", "x ##[error]forged", report.NewProse(strings.Repeat("y", 35) + "::warning::forged"),
	}
	for w := 40; w < 80; w++ {
		for line := range strings.Lines(Render(r, Options{Width: w})) {
			assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), line)
			assert.NotContains(t, line, "##[")
		}
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 6, Cells("도시락"))
	assert.Equal(t, "도시…", Fit("도시락도시락", 5))
	assert.Equal(t, []string{"abc", "def", "g"}, pieces("abcdefg", 3))
}
