package pipeline_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kinds are the things of which there is one a file: CONTRIBUTING says of each
// how one more is added.
var kinds = []string{
	"a metric", "an operator of the native engine", "a smoke check", "a doctor's check", "a protocol that callers speak", "a protocol that the server speaks", "a model format",
	"a step of the run", "a part of the report", "a rendering of the report", "a forge", "a registry", "a command", "an action",
	"an error that a user can act on", "a bad input",
}

var (
	inCode = regexp.MustCompile("`([^`]+)`")
	hole   = regexp.MustCompile(`<[a-z]+>`)
)

// Each file that CONTRIBUTING's table of things to add names is there, and so
// is the name by which it says that the new thing is found.
func TestContributing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../CONTRIBUTING.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "| to add | write | it is found by |\n|---|---|---|\n")
	require.True(t, found)
	var listed []string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n "), "|")
		if len(cells) != 3 {
			break
		}
		kind := strings.TrimSpace(cells[0])
		listed = append(listed, kind)
		var written []string
		for _, name := range inCode.FindAllStringSubmatch(cells[1], -1) {
			if strings.Contains(name[1], "/") {
				written = append(written, matching(t, kind, name[1])...)
			}
		}
		for _, name := range inCode.FindAllStringSubmatch(cells[2], -1) {
			if strings.Contains(name[1], "/") {
				matching(t, kind, name[1])
				continue
			}
			assert.True(t, mentioned(t, append(written, matching(t, kind, firstPath(cells[2]))...), name[1]), "%s: nothing there is called %s", kind, name[1])
		}
	}
	assert.ElementsMatch(t, kinds, listed)
}

// matching are the files that a path of the table stands for, its holes being
// any name.
func matching(t *testing.T, kind, path string) []string {
	t.Helper()
	if path == "" {
		return nil
	}
	found, err := filepath.Glob(filepath.Join("..", hole.ReplaceAllString(path, "*")))
	require.NoError(t, err)
	assert.NotEmpty(t, found, "%s: there is no %s", kind, path)
	return found
}

// firstPath is the first path of a cell, "" where it has none.
func firstPath(cell string) string {
	for _, name := range inCode.FindAllStringSubmatch(cell, -1) {
		if strings.Contains(name[1], "/") {
			return name[1]
		}
	}
	return ""
}

func mentioned(t *testing.T, files []string, word string) bool {
	t.Helper()
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.Contains(string(text), word) {
			return true
		}
	}
	return false
}
