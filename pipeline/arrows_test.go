package pipeline_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/dosirak-ml/dosirak/"

// arrows lists for each room the rooms that it may import. A new arrow is a
// decision about the architecture: it is made here, in a change that says why.
var arrows = map[string][]string{
	// Leaves: types and rules, standard library only.
	"pipeline/verdict":  {},
	"pipeline/exam":     {"pipeline/digest", "pipeline/where"},
	"pipeline/fault":    {},
	"pipeline/where":    {},
	"pipeline/spelling": {},
	"pipeline/digest":   {},
	"pipeline/evidence": {},
	"pipeline/manifest": {"pipeline/verdict"},

	"pipeline/manifest/codec":    {"pipeline/config", "pipeline/fault", "pipeline/manifest"},
	"pipeline/git":               {},
	"pipeline/git/gittest":       {},
	"pipeline/config":            {"pipeline/exam", "pipeline/fault", "pipeline/spelling", "pipeline/verdict", "pipeline/where"},
	"pipeline/table":             {"pipeline/digest", "pipeline/fault"},
	"pipeline/dataset":           {"pipeline/digest", "pipeline/fault", "pipeline/spelling", "pipeline/table"},
	"pipeline/predictions":       {"pipeline/exam", "pipeline/fault", "pipeline/table"},
	"pipeline/metric":            {"pipeline/exam", "pipeline/predictions"},
	"pipeline/metric/command":    {"pipeline/exam", "pipeline/fault", "pipeline/predictions"},
	"pipeline/compare":           {"pipeline/exam", "pipeline/fault", "pipeline/metric", "pipeline/predictions", "pipeline/verdict", "pipeline/where"},
	"pipeline/report":            {"pipeline/verdict"},
	"pipeline/report/reporttest": {"pipeline/report", "pipeline/verdict"},
	"pipeline/report/terminal":   {"pipeline/report", "pipeline/verdict"},
	"pipeline/report/markdown":   {"pipeline/report", "pipeline/verdict"},
	"pipeline/report/page":       {"pipeline/report", "pipeline/verdict"},
	"pipeline/report/explain":    {"pipeline/report", "pipeline/report/terminal", "pipeline/spelling", "pipeline/verdict"},
	"pipeline/modeldiff":         {"pipeline/exam", "pipeline/predictions", "pipeline/provenance"},
	"pipeline/onboard":           {"pipeline/config", "pipeline/fault", "pipeline/git", "pipeline/project"},
	"pipeline/reuse":             {"pipeline/digest", "pipeline/exam", "pipeline/manifest"},
	"pipeline/project":           {"pipeline/config", "pipeline/dataset", "pipeline/digest", "pipeline/evidence", "pipeline/exam", "pipeline/fault", "pipeline/git", "pipeline/manifest", "pipeline/metric", "pipeline/provenance", "model-server/bundle", "pipeline/manifest/codec"},
	"pipeline/store":             {"pipeline/evidence", "pipeline/fault"},
	"pipeline/store/failpoint":   {},
	"pipeline/toolchain":         {},
	"pipeline/provenance":        {"pipeline/fault", "pipeline/git", "pipeline/toolchain"},
	"pipeline/train":             {"pipeline/digest", "pipeline/fault", "pipeline/git", "pipeline/store", "pipeline/toolchain", "pipeline/verdict", "model-server/bundle"},
	"pipeline/fetch":             {"pipeline/config", "pipeline/fault", "pipeline/store", "pipeline/train"},
	"pipeline/handoff":           {"pipeline/export", "pipeline/artifact", "pipeline/fault", "pipeline/provenance", "pipeline/quote", "pipeline/train", "model-server/bundle"},
	"pipeline/quote":             {},
	"pipeline/serving":           {"pipeline/fault", "pipeline/quote", "model-server/bundle", "model-server/protocol/v2", "model-server/server", "model-server/tensor"},
	"pipeline/evaluate":          {"pipeline/dataset", "pipeline/exam", "pipeline/fault", "pipeline/predictions", "pipeline/spelling", "pipeline/table", "model-server/engine", "model-server/server", "pipeline/serving", "model-server/bundle", "model-server/tensor"},
	"pipeline/export":            {"pipeline/dataset", "pipeline/exam", "pipeline/fault", "pipeline/predictions", "pipeline/spelling", "pipeline/table", "pipeline/verdict", "model-server/bundle", "model-server/tensor"},
	"pipeline/seal":              {"pipeline/dataset", "pipeline/evaluate", "pipeline/exam", "pipeline/export", "pipeline/fault", "pipeline/serving", "model-server/bundle", "model-server/engine", "model-server/server", "model-server/tensor"},
	"pipeline/image":             {"pipeline/fault", "model-server/bundle"},
	"pipeline/image/servers":     {"pipeline/fault", "pipeline/image"},
	"pipeline/smoke":             {"pipeline/exam", "pipeline/fault", "pipeline/quote", "pipeline/serving", "pipeline/verdict", "model-server/bundle", "model-server/tensor"},
	"pipeline/smoke/subject":     {"model-server/bundle", "pipeline/fault", "pipeline/image", "pipeline/serving", "pipeline/smoke"},
	"pipeline/promote":           {"pipeline/fault", "pipeline/manifest", "pipeline/verdict"},
	"pipeline/reconcile":         {"model-server/bundle", "pipeline/fault", "pipeline/manifest", "pipeline/project", "pipeline/serving"},
	"pipeline/registry/oci":      {"model-server/bundle", "pipeline/digest", "pipeline/project", "pipeline/fault", "pipeline/manifest", "pipeline/reconcile"},
	"pipeline/rollback":          {"pipeline/fault", "pipeline/manifest", "pipeline/project", "pipeline/promote", "pipeline/manifest/codec"},
	"pipeline/adopt":             {"model-server/bundle", "pipeline/dataset", "pipeline/evaluate", "pipeline/fault", "pipeline/manifest", "pipeline/project", "pipeline/promote", "pipeline/verdict", "pipeline/manifest/codec"},
	"pipeline/forge/local":       {"pipeline/fault", "pipeline/git", "pipeline/promote"},
	"pipeline/doctor":            {"pipeline/dataset", "pipeline/fault", "pipeline/git", "pipeline/image", "pipeline/project", "pipeline/promote", "pipeline/serving"},
	"pipeline/verify":            {"model-server/bundle", "model-server/engine", "model-server/server", "pipeline/dataset", "pipeline/evaluate", "pipeline/rollback", "pipeline/compare", "pipeline/config", "pipeline/digest", "pipeline/evidence", "pipeline/exam", "pipeline/fault", "pipeline/manifest", "pipeline/metric/command", "pipeline/predictions", "pipeline/project", "pipeline/report", "pipeline/verdict"},
	"pipeline/artifact":          {"pipeline/fault"},
	"pipeline/forge/github":      {"pipeline/artifact", "pipeline/digest", "pipeline/doctor", "pipeline/fault", "pipeline/promote", "pipeline/reconcile"},

	"model-server/tensor":            {},
	"model-server/bundle":            {"model-server/tensor", "model-server/bundle/onnx"},
	"model-server/bundle/onnx":       {},
	"model-server/engine":            {"model-server/bundle", "model-server/tensor"},
	"model-server/engine/enginetest": {"model-server/bundle", "model-server/engine", "model-server/tensor"},
	"model-server/engine/forest":     {},
	"model-server/engine/native":     {"model-server/bundle", "model-server/bundle/onnx", "model-server/engine", "model-server/tensor"},
	"model-server/engine/native/op":  {"model-server/bundle/onnx", "model-server/engine", "model-server/engine/forest", "model-server/tensor"},
	"model-server/inference":         {"model-server/bundle", "model-server/engine", "model-server/tensor"},
	"model-server/protocol/v2":       {"model-server/bundle", "model-server/inference", "model-server/tensor"},
	"model-server/server":            {"model-server/bundle", "model-server/engine", "model-server/engine/native", "model-server/inference", "model-server/protocol/v2", "model-server/tensor"},
	"model-server":                   {"model-server/inference", "model-server/server"},
}

// adapters are imported by cmd/dosirak/wire.go alone.
var adapters = []string{"pipeline/forge/", "pipeline/track/", "pipeline/registry/"}

// standardOnly are the leaves that need nothing but the standard library.
var standardOnly = []string{"pipeline/verdict", "pipeline/exam", "pipeline/manifest", "pipeline/fault", "pipeline/where", "pipeline/spelling", "pipeline/digest", "pipeline/evidence", "model-server/tensor"}

func TestArrows(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, file := range sources(t, "..") {
		room := path.Dir(file.path)
		seen[room] = true
		for _, imported := range file.imports {
			target, ours := strings.CutPrefix(imported, module)
			if !ours {
				outside := strings.Contains(strings.Split(imported, "/")[0], ".")
				assert.False(t, outside && slices.Contains(standardOnly, room), "%s imports %s: %s is a leaf, standard library only", file.path, imported, room)
				continue
			}
			switch {
			case strings.HasPrefix(room, "cmd/"):
				adapter := slices.ContainsFunc(adapters, func(a string) bool { return strings.HasPrefix(target, a) })
				assert.False(t, adapter && path.Base(file.path) != "wire.go", "%s imports %s: only wire.go imports adapters", file.path, target)
			case strings.HasPrefix(room, "actions/"):
				adapter := slices.ContainsFunc(adapters, func(a string) bool { return strings.HasPrefix(target, a) })
				assert.False(t, adapter || strings.HasPrefix(target, "cmd/"), "%s imports %s: an adapter is handed in by wire.go", file.path, target)
			case room == "pipeline", room == "actions", strings.HasPrefix(room, "actions/"):
				backwards := strings.HasPrefix(target, "cmd/") || room == "pipeline" && strings.HasPrefix(target, "actions/")
				assert.False(t, backwards, "%s imports %s", file.path, target)
				adapter := slices.ContainsFunc(adapters, func(a string) bool { return strings.HasPrefix(target, a) })
				assert.False(t, adapter, "%s imports %s: an adapter is handed in by wire.go", file.path, target)
			case strings.HasPrefix(room, "internal/"), strings.HasPrefix(room, "examples"):
			default:
				allowed, known := arrows[room]
				if assert.True(t, known, "%s: room %s is not in the table of arrows", file.path, room) {
					assert.True(t, slices.Contains(allowed, target) || strings.HasPrefix(target, room+"/"), "%s imports %s: no arrow from %s to there", file.path, target, room)
				}
			}
		}
	}
	for room := range arrows {
		assert.True(t, seen[room], "the table of arrows names %s, which does not exist", room)
	}
}

// The arrows of the table itself go one way.
func TestArrowsHaveNoCycle(t *testing.T) {
	t.Parallel()
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(room string, trail []string)
	visit = func(room string, trail []string) {
		require.NotEqual(t, visiting, state[room], "a cycle: %s", strings.Join(append(trail, room), " -> "))
		if state[room] == done {
			return
		}
		state[room] = visiting
		for _, next := range arrows[room] {
			visit(next, append(trail, room))
		}
		state[room] = done
	}
	for room := range arrows {
		visit(room, nil)
	}
}

type source struct {
	path    string // from the top of the repository, with slashes
	imports []string
}

// sources parses the imports of every Go file of the root module, those
// behind build tags included, tests left out.
func sources(t *testing.T, root string) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))
		if entry.IsDir() {
			// Nested modules and what is no source have rules of their own.
			skip := name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || rel == "ci" || strings.HasPrefix(rel, "examples/"))
			if skip {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		file := source{path: rel}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			file.imports = append(file.imports, imported)
		}
		files = append(files, file)
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}
