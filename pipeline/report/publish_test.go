package report_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/report/page"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

// What is withheld stands nowhere: not in the file, the comment, the summary or
// the page.
func TestPublish(t *testing.T) {
	t.Parallel()
	made := func() *report.Report {
		r := reporttest.Pass()
		r.Verdict = "FAIL"
		r.WhyDifferent = &report.WhyDifferent{Flips: &report.Flips{N: 2, Of: 600, Fixed: 1, Regressed: 1, Complete: true, Rows: []report.Flip{
			{ID: "patient-4711", Label: "positive-label", Baseline: "was-this", Candidate: "is-that"},
		}}}
		r.Export = &report.Export{Verdict: "FAIL", Rows: 1, Differ: 1, Differences: []report.ExportDifference{{Row: "patient-4713", Column: "score", Trained: "was-that", Served: "is-this"}}}
		r.Leakage = []report.Finding{{Kind: "ids", Count: 1, Of: 600, Detail: "shared", Examples: []report.Text{"patient-4712: line 3"}}}
		return r
	}
	for rows, says := range map[report.Rows][]string{
		report.ShowRows: {"patient-4711", "positive-label", "was-this", "is-that", "patient-4712", "patient-4713", "was-that", "is-this"},
		report.ShowIDs:  {"patient-4711", "patient-4712", "patient-4713"},
		report.HideRows: nil,
	} {
		r := made()
		r.Publish(rows)
		require.NoError(t, r.Validate())
		text, err := report.Encode(r)
		require.NoError(t, err)
		html, err := page.Render(r)
		require.NoError(t, err)
		for name, published := range map[string]string{
			"file": string(text), "page": string(html), "comment": markdown.Comment(r, markdown.Options{}), "summary": markdown.Summary(r, markdown.Options{}),
		} {
			for _, secret := range []string{"patient-4711", "positive-label", "was-this", "is-that", "patient-4712", "patient-4713", "was-that", "is-this"} {
				if name != "page" || !slices.Contains(says, secret) { // the page leaves examples out
					assert.Equal(t, slices.Contains(says, secret), strings.Contains(published, secret), "%s, %s: %s", rows, name, secret)
				}
			}
		}
		require.NotNil(t, r.WhyDifferent.Flips)
		assert.EqualValues(t, 2, r.WhyDifferent.Flips.N, "counts stay")
		assert.Equal(t, rows != report.ShowRows, r.WhyDifferent.Flips.Withheld)
	}
}
