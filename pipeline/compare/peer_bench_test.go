package compare

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// BenchmarkPeer measures the rows that testdata/bench.py writes, so that both
// sides compute the same intervals: DOSIRAK_BENCH names their folder.
func BenchmarkPeer(b *testing.B) {
	dir := os.Getenv("DOSIRAK_BENCH")
	if dir == "" {
		b.Skip("run by testdata/bench.py, which sets DOSIRAK_BENCH")
	}
	for _, c := range []struct {
		task    exam.Task
		metrics []string
	}{{exam.Binary, []string{"accuracy", "f1", "roc_auc", "log_loss", "mcc"}}, {exam.Regression, []string{"rmse"}}} {
		var sets [2]*predictions.Set
		for i, name := range []string{"candidate", "baseline"} {
			set, err := predictions.ReadFile(b.Context(), filepath.Join(dir, string(c.task)+"-"+name+".csv"), predictions.Options{Task: c.task})
			if err != nil {
				b.Fatal(err)
			}
			sets[i] = set
		}
		p := &pair{cand: Data(sets[0]), base: Data(sets[1])}
		for _, name := range c.metrics {
			b.Run(name, func(b *testing.B) { benchAsk(b, p, name) })
		}
	}
}
