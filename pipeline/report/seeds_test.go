package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

func TestSeedsAlike(t *testing.T) {
	t.Parallel()
	digest := func(c string) report.Digest { return report.Digest("sha256:" + strings.Repeat(c, 64)) }
	replicates := func(models, answers string) []report.Replicate {
		var out []report.Replicate
		for i := range max(len(models), len(answers)) {
			r := report.Replicate{Seed: int64(i + 7)}
			if models != "" {
				r.Model = digest(models[i : i+1])
			}
			if answers != "" {
				r.Predictions = digest(answers[i : i+1])
			}
			out = append(out, r)
		}
		return out
	}
	for name, c := range map[string]struct{ models, answers, want string }{
		"five of one model":          {"aaaaa", "bbbbb", "The seed changes nothing: all 5 replicates are the same model. seeds: [7] is enough"},
		"three of one model":         {"aaa", "bbb", "all 3 replicates are the same model"},
		"two":                        {"aa", "bb", "all 2 replicates are the same model"},
		"other bytes, equal answers": {"abc", "ddd", "nothing that these rows show: the models of all 3 replicates give the same answers"},
		"folders, equal answers":     {"", "ddd", "give the same answers"},
		"models alone":               {"aaa", "", "are the same model"},
		"one differs":                {"aaab", "cccd", ""},
		"two answers":                {"abc", "ddc", ""},
		"one":                        {"a", "b", ""},
		"nothing known":              {"", "", ""},
	} {
		r := report.Report{Replicates: replicates(c.models, c.answers)}
		got := r.SeedsAlike()
		if c.want == "" {
			assert.Empty(t, got, name)
		} else {
			assert.Contains(t, got, c.want, name)
		}
	}
}
