package explain_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/explain"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

func p[T any](v T) *T { return &v }

// floors misses a floor, and cannot tell a ceiling.
func floors() *report.Report {
	r := reporttest.Pass()
	r.Verdict = verdict.Fail
	accuracy, brier := &r.Metrics[2], &r.Metrics[3]
	accuracy.Floor, accuracy.Verdict = p(0.8), verdict.Fail
	brier.Ceiling, brier.Verdict = p(0.167), verdict.Inconclusive
	brier.Value = &report.Interval{Low: p(0.1651), High: p(0.1685), Confidence: 0.95, Sides: 1, Scale: report.Difference, Method: "t", Source: "Student 1908"}
	return r
}

// shares is a relative margin that cannot be told, on groups, with its
// standard error.
func shares() *report.Report {
	r := reporttest.Inconclusive()
	r.Groups = 120
	m := &r.Metrics[1]
	m.CI.Low, m.CI.High = p(-0.031), p(0.012)
	m.Improvement, m.Delta, m.Candidate = p(-0.0049), p(0.0049), p(0.52674)
	m.SE, m.MDE, m.RowsNeeded = p(0.0131), p(0.0325), p(int64(317))
	m.CI.Method, m.CI.Source = "paired t, sums over groups, t on groups - 1", "Student 1908; Liang and Zeger 1986"
	m.Verdict, m.Improved = verdict.Inconclusive, false
	return r
}

// undecided has bounds that pass, and a reason not to believe them.
func undecided() *report.Report {
	r := reporttest.Pass()
	r.Verdict = verdict.Inconclusive
	m := &r.Metrics[5]
	m.Verdict, m.Reason = verdict.Inconclusive, "the bound is nearer to the limit than its Monte Carlo error, 0.0002"
	return r
}

func cases() []reporttest.Case {
	return append(reporttest.Cases(),
		reporttest.Case{Name: "floors", Report: floors()},
		reporttest.Case{Name: "shares", Report: shares()},
		reporttest.Case{Name: "undecided", Report: undecided()})
}

// explained names the metrics whose text is kept, by case.
var explained = map[string][]string{
	"pass":           {"roc_auc", "brier", "ece", "f1"},
	"fail":           {"log_loss", "roc_auc"},
	"inconclusive":   {"roc_auc", "accuracy"},
	"unchanged":      {"roc_auc"},
	"first-model":    {"accuracy", "roc_auc"},
	"irreproducible": {"roc_auc"},
	"smoke-failed":   {"accuracy"},
	"export-failed":  {"accuracy"},
	"exam-changed":   {"log_loss"},
	"hostile":        {"log_loss"},
	"many-slices":    {"roc_auc"},
	"bare":           {"roc_auc"},
	"floors":         {"accuracy", "brier"},
	"shares":         {"log_loss"},
	"undecided":      {"f1"},
	"regression":     {"rmse"},
	"grouped":        {"roc_auc", "log_loss", "brier"},
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		names := explained[c.Name]
		require.NotEmpty(t, names, "case %s has no metric to explain", c.Name)
		_, err := report.Encode(c.Report)
		require.NoError(t, err, c.Name)
		for _, name := range names {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				got, err := explain.Metric(c.Report, name, 0)
				require.NoError(t, err)
				path := filepath.Join("testdata", c.Name+"."+name+".txt")
				if *update {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err, "run go test with -update once")
				assert.Equal(t, string(want), got)
			})
		}
	}
}

func TestEveryMetricAndWidthHolds(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		for _, name := range explain.Known(c.Report) {
			for _, width := range []int{1, 40, 63, 80, 1000} {
				text, err := explain.Metric(c.Report, name, width)
				require.NoError(t, err)
				assert.True(t, strings.HasPrefix(text, name+": "), text)
				assert.True(t, strings.HasSuffix(text, "\n"))
				for line := range strings.Lines(text) {
					line = strings.TrimSuffix(line, "\n")
					assert.LessOrEqual(t, terminal.Cells(line), min(max(width, 40), 100), "%s, %s: %q", c.Name, name, line)
					assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), "a workflow command: %q", line)
					assert.NotContains(t, line, "##[")
					assert.NotContains(t, line, "\x1b")
					assert.NotContains(t, line, "%!", "a broken format")
					assert.NotContains(t, line, "NaN")
				}
			}
		}
	}
}

func TestUnknownMetric(t *testing.T) {
	t.Parallel()
	_, err := explain.Metric(reporttest.Pass(), "roc_acu", 0)
	assert.EqualError(t, err, `the report of run 20260801-1200-3f9a1c holds no metric "roc_acu"; did you mean "roc_auc"?; it has roc_auc, log_loss, accuracy, brier, ece, f1`)
	_, err = explain.Metric(reporttest.Pass(), "\x1b]0;x\u202e", 0)
	assert.NotContains(t, err.Error(), "\x1b")
	assert.NotContains(t, err.Error(), "\u202e")
	none := reporttest.Bare()
	none.Metrics = nil
	_, err = explain.Metric(none, "x", 0)
	assert.ErrorContains(t, err, "holds no metrics")
	many := reporttest.ManySlices(100, 1)
	_, err = explain.Metric(many, "zzz", 0)
	assert.ErrorContains(t, err, "and 69 more")
}

// A warning about another metric does not stand above this one's explanation.
func TestWarningsOfOtherMetricsAreLeftOut(t *testing.T) {
	t.Parallel()
	r := reporttest.Pass()
	r.Warnings = []report.Prose{"roc_auc (baseline): too few", "f1_macro and brier: too few", "the disk is nearly full"}
	for name, want := range map[string][]bool{"roc_auc": {true, false, true}, "brier": {false, true, true}, "f1": {false, false, true}} {
		text, err := explain.Metric(r, name, 0)
		require.NoError(t, err)
		for i, w := range r.Warnings {
			assert.Equal(t, want[i], strings.Contains(text, "! "+string(w)), "%s: %s", name, w)
		}
	}
}

// A metric that only slices are judged by can be explained too.
func TestMetricOfSlicesAlone(t *testing.T) {
	t.Parallel()
	r := reporttest.Fail()
	r.Metrics = r.Metrics[1:4]
	text, err := explain.Metric(r, "roc_auc", 0)
	require.NoError(t, err)
	assert.Contains(t, text, "The whole of the rows is not judged by roc_auc")
	assert.Contains(t, text, "✗ origin = JFK, 3,298 rows: -0.048 (-0.068..-0.028), margin 0.02; p 0.029\n")
}

// What the text says would have passed or failed does pass or fail.
func TestMarginsThatAreNamedHold(t *testing.T) {
	t.Parallel()
	intervals := [][2]float64{{-0.0341, -0.0227}, {-0.0201, 0.0399}, {0.0267, 0.0409}, {-0.01, -0.0099}, {0, 0.02}, {-0.05, 0}, {-1.3, -0.7}, {-0.1, -0.1}, {-3e-9, 2e-9}, {-0.30000000000000004, -0.1}, {-271828.1828, -3.14}}
	for _, scale := range []report.Scale{report.Difference, report.Ratio} {
		for _, ci := range intervals {
			for _, margin := range []string{"0.01", "0.02", "0.5", "0.000001", "0"} {
				text := margin
				if scale == report.Ratio {
					var v float64
					fmt.Sscan(margin, &v)
					text = fmt.Sprintf("%g%%", v*100)
				}
				r := reporttest.Bare()
				m := report.Metric{Name: "mae", Direction: report.Lower, Baseline: p(2.0), Candidate: p(2.0), Delta: p(0.0), Improvement: p((ci[0] + ci[1]) / 2), Margin: report.Margin(text),
					CI: &report.Interval{Low: p(ci[0]), High: p(ci[1]), Confidence: 0.95, Sides: 1, Scale: scale}}
				limit := *m.Comparison().Limit
				m.Verdict = judge(ci, -limit)
				r.Metrics, r.Verdict = []report.Metric{m}, m.Verdict
				got, err := explain.Metric(r, "mae", 100)
				require.NoError(t, err)
				flat := strings.Join(strings.Fields(got), " ")
				for phrase, want := range map[string]verdict.Verdict{
					"The smallest that still passes is ": verdict.Pass, "The largest that still fails is ": verdict.Fail,
					" or more would have passed": verdict.Pass, " or less would have failed": verdict.Fail,
				} {
					named, ok := marginAt(flat, phrase)
					if !ok {
						continue
					}
					assert.Equal(t, want, judge(ci, named), "%v, margin %s: %q names %v", ci, text, phrase, named)
					switch {
					case strings.HasPrefix(phrase, "The smallest"):
						assert.LessOrEqual(t, named, -limit, "%v, margin %s", ci, text)
					case strings.HasPrefix(phrase, "The largest"):
						assert.GreaterOrEqual(t, named, -limit, "%v, margin %s", ci, text)
					}
				}
			}
		}
	}
}

func judge(ci [2]float64, margin float64) verdict.Verdict {
	switch {
	case ci[0] > -margin:
		return verdict.Pass
	case ci[1] < -margin:
		return verdict.Fail
	}
	return verdict.Inconclusive
}

// marginAt finds the margin beside a phrase.
func marginAt(text, phrase string) (float64, bool) {
	before, after, ok := strings.Cut(text, phrase)
	if !ok {
		return 0, false
	}
	word, _, _ := strings.Cut(after, ";")
	if strings.HasPrefix(phrase, " ") {
		words := strings.Fields(before)
		word = words[len(words)-1]
	}
	var v float64
	if _, err := fmt.Sscan(word, &v); err != nil {
		return 0, false
	}
	if strings.HasSuffix(word, "%") {
		v /= 100
	}
	return v, true
}

// What decided a run is told without naming a metric, and the weightiest metric
// among its gates is explained.
func TestRunGolden(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got := explain.Run(c.Report, 80)
			path := filepath.Join("testdata", c.Name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
			for line := range strings.SplitSeq(got, "\n") {
				assert.LessOrEqual(t, terminal.Cells(line), 80)
			}
		})
	}
}
