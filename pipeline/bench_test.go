package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// stopwatch adds up the time of each step.
type stopwatch struct {
	pipeline.Silent
	began map[string]time.Time
	took  map[string]time.Duration
}

func (s *stopwatch) Start(step, _ string)         { s.began[step] = time.Now() }
func (s *stopwatch) Done(step, _ string, _ error) { s.took[step] += time.Since(s.began[step]) }

// BenchmarkLine is dosirak's own time: the flights example with 5 seeds and
// 10,000 evaluation rows against its baseline, with a trainer that only copies
// a model and the server as a process, so that neither training nor Docker
// counts. It reports the seconds of each step.
func BenchmarkLine(b *testing.B) {
	r, dir := projecttest.Flights(b)
	trainer := exec.Command("go", "run", "-trimpath", "./train", "--seed", "1", "--data", "data/train.csv.gz", "--out", filepath.Join(dir, "model"), "--features", "base")
	trainer.Dir = dir
	out, err := trainer.CombinedOutput()
	require.NoError(b, err, "%s", out)
	config, err := os.ReadFile(filepath.Join(dir, "dosirak.yaml"))
	require.NoError(b, err)
	lines := strings.Split(string(config), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  command: ") {
			lines[i] = "  command: cp model/model.onnx {out}/model.onnx"
		}
		if strings.HasPrefix(line, "  inputs: ") {
			lines[i] = "  inputs: [model/**]"
		}
	}
	r.Commit("copy instead of training", map[string]string{"p/dosirak.yaml": strings.Join(lines, "\n")})
	b.Setenv("DOCKER_HOST", "unix:///nowhere") // the server as a process

	cache, err := os.UserCacheDir()
	require.NoError(b, err)
	cache = filepath.Join(cache, "dosirak-test")
	server := image.Source{CacheDir: cache, Environ: os.Environ()}
	_, err = server.Binary(b.Context(), image.Host())
	require.NoError(b, err)
	watch := &stopwatch{began: map[string]time.Time{}, took: map[string]time.Duration{}}
	for b.Loop() {
		p, err := project.Open(b.Context(), dir, "")
		require.NoError(b, err)
		_, err = pipeline.Run(context.Background(), p, pipeline.Env{
			Now: time.Now, Release: "test", CacheDir: cache, Observer: watch, Server: server,
		}, pipeline.Request{Fresh: true})
		require.NoError(b, err)
	}
	for _, step := range steps[:len(steps)-1] {
		b.ReportMetric(watch.took[step].Seconds()/float64(b.N), fmt.Sprintf("%s-s/op", step))
	}
}
