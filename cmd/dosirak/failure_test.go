package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// What is wrong with the command line is named, with the nearest right word
// and a code.
func TestCommandLineErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		says []string
	}{
		{"command", []string{"prmote", "latest"}, []string{`no command "prmote"`, `did you mean "promote"?`, "(E0001)"}},
		{"command of a group", []string{"runs", "lsit"}, []string{`dosirak runs has no command "lsit"`, `did you mean "list"?`, "(E0001)"}},
		{"nothing like it", []string{"zzzzzz"}, []string{`no command "zzzzzz"; see`, "(E0001)"}},
		{"flag", []string{"run", "--promot"}, []string{"no flag --promot", "did you mean --promote?", "(E0001)"}},
		{"flag, nothing like it", []string{"run", "--colour"}, []string{"no flag --colour; see", "(E0001)"}},
		{"short flag", []string{"run", "-Z"}, []string{"-Z", "(E0001)"}},
		{"value of a flag", []string{"runs", "list", "--limit", "many"}, []string{"--limit", `"many"`, "(E0002)"}},
		{"flag without its value", []string{"run", "--environment"}, []string{"--environment", "(E0001)"}},
		{"too many arguments", []string{"run", "now"}, []string{"now", "dosirak run", "(E0001)"}},
		{"too few arguments", []string{"promote"}, []string{"dosirak promote RUN", "(E0001)"}},
		{"schema", []string{"schema", "confg"}, []string{"config, manifest, report", "(E0001)"}},
		{"help", []string{"help", "prmote"}, []string{`did you mean "promote"?`, "(E0001)"}},
		{"code", []string{"help", "error", "E0110X"}, []string{"the nearest is E0110", "dosirak help error", "(E0002)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := call(t, tt.args...)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			for _, text := range tt.says {
				assert.Contains(t, stderr, text)
			}
			assert.Equal(t, 1, strings.Count(strings.TrimSpace(stderr), "\n")+1, "one line: %s", stderr)
		})
	}
}

// With --json a failure is an object on stdout too, the only one there.
func TestFailuresAsJSON(t *testing.T) {
	t.Parallel()
	spoilt := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(spoilt, "dosirak.yaml"), []byte("version: 1\nmodel: m\ntask: binary\ncolour: blue\n"), 0o644))
	notYAML := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(notYAML, "dosirak.yaml"), []byte("a: [1\n"), 0o644))
	empty := t.TempDir()
	for _, tt := range []struct {
		name  string
		args  []string
		code  *fault.Code
		where string
	}{
		{"flag", []string{"run", "--json", "--colour"}, fault.BadCommand, ""},
		{"flag before", []string{"run", "--colour", "--json"}, fault.BadCommand, ""},
		{"command", []string{"rnu", "--json"}, fault.BadCommand, ""},
		{"no run", []string{"runs", "show", "latest", "--json", "-C", empty}, fault.NoSuchRun, ""},
		{"config of several kinds", []string{"run", "--json", "-C", spoilt}, fault.ConfigInvalid, filepath.Join(spoilt, "dosirak.yaml") + ":1:1"},
		{"no YAML", []string{"run", "--json", "-C", notYAML}, fault.ConfigSyntax, filepath.Join(notYAML, "dosirak.yaml") + ":1:4"},
		{"format", []string{"report", "none", "--format", "json", "-C", empty}, fault.NoSuchRun, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, stdout, stderr := call(t, tt.args...)
			var got struct{ Error *fault.Description }
			decoder := json.NewDecoder(strings.NewReader(stdout))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&got), "%s%s", stdout, stderr)
			assert.False(t, decoder.More(), "one object")
			require.NotNil(t, got.Error)
			assert.Equal(t, tt.code.ID, got.Error.Code, stderr)
			assert.Equal(t, tt.code.WayOut, got.Error.Next)
			assert.Equal(t, tt.where, got.Error.Where)
			assert.Contains(t, stderr, got.Error.Message)
			assert.Contains(t, stderr, "("+tt.code.ID+")")
		})
	}
}

func TestHelpOfCodes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"E0101", "e0101", "(E0101)", "0101"} {
		code, stdout, _ := call(t, "help", "error", text)
		assert.Equal(t, 0, code)
		assert.Equal(t, fault.ConfigAbsent.Page(80), stdout)
	}
	code, stdout, _ := call(t, "help", "error")
	assert.Equal(t, 0, code)
	for _, c := range fault.Codes() {
		assert.Contains(t, stdout, c.ID+"  "+c.Title)
	}
	code, stdout, _ = call(t, "help", "promote")
	assert.Equal(t, 0, code)
	_, same, _ := call(t, "promote", "--help")
	assert.Equal(t, same, stdout)
}
