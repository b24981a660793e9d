package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

// reportRun calls the report command on a folder of runs that holds "good".
func reportRun(t *testing.T, args ...string) (code int, stdout, stderr, dir string) {
	t.Helper()
	dir = t.TempDir()
	run := filepath.Join(dir, "good")
	require.NoError(t, os.Mkdir(run, 0o755))
	text, err := report.Encode(reporttest.Fail())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(run, "report.json"), text, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.json"), []byte(`{"schema":"dosirak/report/v1","Verdict":"PASS"}`), 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "early"), 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o644))
	folder := func(_ *cobra.Command, id string) (string, error) {
		if id == "good" || id == "early" {
			return filepath.Join(dir, id), nil
		}
		return "", fault.Usage(errors.New("no run " + id))
	}
	root := &cobra.Command{Use: "dosirak", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(newReportCommand(folder))
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", dir)
	}
	var out, errs bytes.Buffer
	code = execute(t.Context(), root, append([]string{"report"}, args...), &out, &errs)
	return code, out.String(), errs.String(), dir
}

func TestReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"run id":        {[]string{"good"}, "[FAIL]  flights-delay → production\n"},
		"folder":        {[]string{"DIR/good"}, "[FAIL]  flights-delay"},
		"file":          {[]string{"DIR/good/report.json"}, "[FAIL]  flights-delay"},
		"markdown":      {[]string{"good", "--format", "markdown", "--link", "https://x.example/r"}, "[run](https://x.example/r)"},
		"summary":       {[]string{"good", "--format", "summary"}, "<details open>"},
		"json":          {[]string{"good", "--json"}, "{\n  \"schema\": \"dosirak/report/v1\","},
		"html":          {[]string{"good", "--format", "html"}, "<!doctype html>"},
		"out is a dash": {[]string{"good", "--out", "-"}, "[FAIL]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr, _ := reportRun(t, c.args...)
			assert.Zero(t, code, stderr)
			assert.Contains(t, stdout, c.want)
			assert.NotContains(t, stdout, "\x1b")
			assert.Empty(t, stderr)
		})
	}
}

func TestReportToFile(t *testing.T) {
	t.Parallel()
	code, stdout, stderr, dir := reportRun(t, "good", "--format", "html", "--out", "DIR/page.html")
	require.Zero(t, code, stderr)
	assert.Empty(t, stdout)
	data, err := os.ReadFile(filepath.Join(dir, "page.html"))
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(data, []byte("<!doctype html>")))
	left, err := filepath.Glob(filepath.Join(dir, ".page*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// The page is opened by the program that BROWSER names; a report without a page
// is given one.
func TestReportOpens(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	program := filepath.Join(t.TempDir(), "browser")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nhead -c 15 \"$1\" > "+told+"\n"), 0o755))
	t.Setenv("BROWSER", program+":lynx")
	t.Setenv("TMPDIR", t.TempDir())
	code, stdout, stderr, _ := reportRun(t, "good", "--open")
	require.Zero(t, code, stderr)
	text, err := os.ReadFile(told)
	require.NoError(t, err)
	assert.Equal(t, "<!doctype html>", string(text))
	assert.FileExists(t, strings.TrimSpace(stdout))

	t.Setenv("BROWSER", filepath.Join(t.TempDir(), "none"))
	code, _, stderr, _ = reportRun(t, "good", "--open")
	assert.Equal(t, 4, code)
	assert.Contains(t, stderr, "by hand")
	assert.Contains(t, stderr, "(E1006)")
	assert.Equal(t, "open", browser(func(string) string { return "" }, "darwin"))
	assert.Equal(t, "xdg-open", browser(func(string) string { return "" }, "linux"))
}

func TestReportBadInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown run":      {[]string{"other"}, "no run other"},
		"missing file":     {[]string{"DIR/none.json"}, "no such file"},
		"run that ended":   {[]string{"early"}, "the run did not come that far"},
		"not a report":     {[]string{"DIR/broken.json"}, "Verdict: unknown field"},
		"a pipe":           {[]string{"DIR/pipe.json"}, "not a regular file"},
		"unknown format":   {[]string{"good", "--format", "pdf"}, `--format "pdf" is none of text, markdown, summary, json, html`},
		"two formats":      {[]string{"good", "--format", "html", "--json"}, "contradict each other"},
		"no such folder":   {[]string{"good", "--out", "DIR/none/x.html"}, "writing "},
		"missing argument": {nil, "accepts 1 arg"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr, _ := reportRun(t, c.args...)
			assert.Equal(t, 2, code, stderr)
			if slices.Contains(c.args, "--json") {
				assert.Contains(t, stdout, `"error": {`)
			} else {
				assert.Empty(t, stdout)
			}
			assert.Contains(t, stderr, c.want)
		})
	}
}
