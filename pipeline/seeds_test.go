package pipeline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/report/page"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
)

// A trainer that the seed does not change is told so everywhere, and its
// replicates prove nothing about other seeds.
func TestSeedsThatChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	for name, c := range map[string]struct {
		command, seeds, want string
	}{
		"three of one model": {"cp models/1.onnx {out}/model.onnx && : {seed}", "[1, 2, 3]", "The seed changes nothing: all 3 replicates are the same model. seeds: [1] is enough"},
		"five of one model":  {"cp models/1.onnx {out}/model.onnx", "[5, 6, 7, 8, 9]", "all 5 replicates are the same model. seeds: [5] is enough"},
		// A field of notes (doc_string, field 6 of ModelProto) holds the seed.
		"other bytes, the same answers": {`{ cat models/1.onnx; printf '2\001%d' {seed}; } > {out}/model.onnx`, "[1, 2, 3]", "The seed changes nothing that these rows show: the models of all 3 replicates give the same answers"},
		"two models":                    {"cp models/{seed}.onnx {out}/model.onnx", "[1, 2]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			config := strings.Replace(projecttest.MiniConfig, "command: cp models/{seed}.onnx {out}/model.onnx", "command: >-\n    "+c.command, 1)
			r.Commit("seeds", map[string]string{"dosirak.yaml": strings.Replace(config, "seeds: [1, 2]", "seeds: "+c.seeds, 1)})
			began := time.Now()
			out, err := run(t.Context(), t, r, pipeline.Request{})
			require.NoError(t, err)
			html, err := page.Render(&out.Report)
			require.NoError(t, err)
			plain := strings.Join(strings.Fields(terminal.Render(&out.Report, terminal.Options{Width: 80})), " ")
			shown := map[string]string{"terminal": plain, "markdown": markdown.Summary(&out.Report, markdown.Options{}), "page": string(html)}
			for where, text := range shown {
				if c.want == "" {
					assert.NotContains(t, text, "The seed changes nothing", where)
				} else {
					assert.Contains(t, text, strings.TrimSuffix(strings.SplitN(c.want, "seeds:", 2)[0], " "), where)
				}
			}
			said := ""
			for _, w := range out.Report.Warnings {
				said += string(w)
			}
			assert.Contains(t, said, c.want)
			if c.want != "" {
				assert.Empty(t, out.Report.SeedPositions, "no spread is not stability")
				assert.Empty(t, out.Report.Recipes)
				assert.Contains(t, said, "0 libraries are named by lock files")
			}

			text, err := os.ReadFile(filepath.Join(out.Dir, "candidate", provenance.File))
			require.NoError(t, err)
			s, err := provenance.Parse(text)
			require.NoError(t, err)
			times := s.Predicate.RunDetails.Metadata
			require.NotNil(t, times.StartedOn)
			require.NotNil(t, times.FinishedOn)
			assert.WithinRange(t, *times.StartedOn, began.Add(-2*time.Second), *times.FinishedOn)
			runtime := s.Predicate.BuildDefinition.InternalParameters.Runtime
			require.NotNil(t, runtime)
			assert.Equal(t, "host", runtime.Executor)
			assert.NotEmpty(t, runtime.Threads)
			for _, fact := range out.Report.Provenance {
				if fact.Name == report.NewText("threads") {
					assert.Regexp(t, `^\d+ for each replicate$`, string(fact.Value))
				}
			}
		})
	}
}
