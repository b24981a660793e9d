package fault_test

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

var update = flag.Bool("update", false, "write docs/errors.md")

func TestCodeOfAnError(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	for _, tt := range []struct {
		name string
		err  error
		want *fault.Code
		exit int
	}{
		{"none", nil, nil, 0},
		{"unmarked", plain, nil, 2},
		{"a kind without a code", fault.Environment(plain), nil, 4},
		{"a code", fault.DiskFull.Environment(plain), fault.DiskFull, 4},
		{"wrapped with context", fmt.Errorf("training: %w", fault.TrainerFailed.Failed(plain)), fault.TrainerFailed, 1},
		{"a kind around a code", fault.Usage(fmt.Errorf("x: %w", fault.DiskFull.Environment(plain))), fault.DiskFull, 2},
		{"the outermost code counts", fault.ModelUnreadable.Failed(fmt.Errorf("x: %w", fault.DiskFull.Environment(plain))), fault.ModelUnreadable, 1},
		{"among joined ones", errors.Join(plain, fault.DiskFull.Environment(plain)), fault.DiskFull, 4},
		{"marking nothing is nothing", fault.DiskFull.Usage(nil), nil, 0},
	} {
		assert.Same(t, tt.want, fault.CodeOf(tt.err), tt.name)
		assert.Equal(t, tt.exit, fault.ExitCode(tt.err), tt.name)
	}
}

func TestMessageAndDescription(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("training: %w", fault.DiskFull.Environment(fault.At("out/model.onnx:1", errors.New("no space\n"))))
	assert.Equal(t, "training: no space (E1001)", fault.Message(err))
	assert.Equal(t, fault.Description{Code: "E1001", Message: "training: no space", Where: "out/model.onnx:1", Next: fault.DiskFull.WayOut}, fault.Describe(err))
	assert.Equal(t, "plain", fault.Message(errors.New("plain")))
	assert.Equal(t, fault.Description{Message: "plain"}, fault.Describe(errors.New("plain")))
	assert.NoError(t, fault.At("nowhere", nil))
}

func TestFind(t *testing.T) {
	t.Parallel()
	got, ok := fault.Find("e0101")
	require.True(t, ok)
	assert.Same(t, fault.ConfigAbsent, got)
	_, ok = fault.Find("E9999")
	assert.False(t, ok)
}

// Each code is complete, and its number says its area.
func TestList(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range fault.Codes() {
		assert.Regexp(t, regexp.MustCompile(`^E\d{4}$`), c.ID)
		assert.True(t, strings.HasPrefix(c.ID[1:], c.Area.Digits), "%s is not of %s", c.ID, c.Area.Name)
		assert.False(t, seen[c.ID], "%s is declared twice", c.ID)
		seen[c.ID] = true
		assert.NotEmpty(t, c.Title, c.ID)
		assert.False(t, strings.HasSuffix(c.Title, "."), "%s: a title has no full stop", c.ID)
		for _, text := range []string{c.Cause, c.WayOut} {
			assert.True(t, strings.HasSuffix(text, "."), "%s: %q is no sentence", c.ID, text)
		}
	}
}

// docs/errors.md is made from the list.
func TestDocument(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "errors.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(fault.Markdown()), 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, string(written) == fault.Markdown(), "docs/errors.md is not of today: go test ./pipeline/fault -update")
}

func TestPageIsWrapped(t *testing.T) {
	t.Parallel()
	for _, c := range fault.Codes() {
		page := c.Page(80)
		for line := range strings.SplitSeq(page, "\n") {
			assert.True(t, len([]rune(line)) <= 80 || !strings.Contains(line, " "), line)
		}
		assert.Equal(t, strings.Fields(c.ID+": "+c.Title+" "+c.Cause+" Way out: "+c.WayOut), strings.Fields(page))
	}
}

// Every code that is declared is attached to an error somewhere, and nothing
// but declared codes can be.
func TestEveryCodeIsUsed(t *testing.T) {
	t.Parallel()
	top := filepath.Join("..", "..")
	declared := map[string]bool{}
	for _, file := range parsed(t, ".") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if call, ok := spec.Values[0].(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "declare" {
					declared[spec.Names[0].Name] = false
				}
			}
			return true
		})
	}
	require.Len(t, declared, len(fault.Codes()))
	for _, room := range []string{"pipeline", "cmd", "actions", "model-server"} {
		for _, file := range parsed(t, filepath.Join(top, room)) {
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if p, ok := s.X.(*ast.Ident); ok && p.Name == "fault" {
						if _, ok := declared[s.Sel.Name]; ok {
							declared[s.Sel.Name] = true
						}
					}
				}
				return true
			})
		}
	}
	for name, used := range declared {
		assert.True(t, used, "fault.%s is declared, and no error has it", name)
	}
}

// parsed returns the Go files below a folder that are no tests.
func parsed(t *testing.T, top string) []*ast.File {
	var files []*ast.File
	require.NoError(t, filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	}))
	return files
}
