// Package reporttest holds example reports that the tests of every rendering
// share, one for each thing a run can come to. The figures are of the size
// that the flights example gives; they are made up and prove nothing.
package reporttest

import (
	"fmt"
	"math"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Case is one example.
type Case struct {
	Name   string
	Report *report.Report
}

// Cases returns all examples, freshly built.
func Cases() []Case {
	return []Case{
		{"pass", Pass()},
		{"fail", Fail()},
		{"inconclusive", Inconclusive()},
		{"unchanged", Unchanged()},
		{"first-model", FirstModel()},
		{"irreproducible", Irreproducible()},
		{"smoke-failed", SmokeFailed()},
		{"export-failed", ExportFailed()},
		{"exam-changed", ExamChanged()},
		{"hostile", Hostile()},
		{"many-slices", ManySlices(8, 12)},
		{"bare", Bare()},
		{"grouped", Grouped()},
		{"regression", Regression()},
	}
}

func p[T any](v T) *T { return &v }

// Digest returns a digest made of one character.
func Digest(c string) report.Digest { return report.Digest("sha256:" + strings.Repeat(c, 64)) }

// metric returns a judged metric whose verdict follows from its figures.
func metric(name string, dir report.Direction, baseline, improvement, half float64, margin report.Margin, method string) report.Metric {
	delta := improvement
	if dir == report.Lower {
		delta = -improvement
	}
	m := report.Metric{
		Name: report.Name(name), Direction: dir, Margin: margin,
		Baseline: p(baseline), Candidate: p(baseline + delta), Delta: p(delta), Improvement: p(improvement),
		CI: interval(improvement-half, improvement+half, report.Difference, method),
	}
	if strings.HasSuffix(string(margin), "%") {
		m.CI = interval((improvement-half)/baseline, (improvement+half)/baseline, report.Ratio, method)
	}
	m.Improved = *m.CI.Low > 0
	if margin != "" {
		m.Verdict = judge(m.Comparison())
		mde := half * (1.645 + 0.842) / 1.645
		if m.CI.Scale == report.Ratio {
			mde /= baseline
		}
		m.MDE = p(mde)
		limit := -*m.Comparison().Limit
		m.RowsNeeded = p(int64(math.Ceil(10_000 * (mde / limit) * (mde / limit))))
	}
	return m
}

func judge(c report.Comparison) verdict.Verdict {
	switch {
	case *c.CI.Low > *c.Limit:
		return verdict.Pass
	case *c.CI.High < *c.Limit:
		return verdict.Fail
	}
	return verdict.Inconclusive
}

func interval(low, high float64, scale report.Scale, method string) *report.Interval {
	return &report.Interval{Low: p(low), High: p(high), Confidence: 0.95, Sides: 1, Scale: scale, Method: report.Prose(method)}
}

func slice(column, level string, n int, baseline, improvement, half float64, margin report.Margin) report.Slice {
	s := report.Slice{
		Column: report.NewText(column), Level: report.NewText(level), Mode: report.AlarmSlice,
		Metric: "roc_auc", Direction: report.Higher, N: n, Margin: margin,
		Baseline: p(baseline), Candidate: p(baseline + improvement), Improvement: p(improvement),
		CI: interval(improvement-half, improvement+half, report.Difference, "DeLong"),
	}
	s.Verdict = judge(s.Comparison())
	return s
}

// recipe compares two recipes over so many seeds each. The seeds' share of the
// variance is a quarter of the rows'.
func recipe(m report.Metric, candidate, baseline int, improvement, half float64) report.Recipe {
	of := metric(string(m.Name), m.Direction, *m.Baseline, improvement, half, m.Margin, "crossed variance components of seeds and rows, Satterthwaite t")
	of.CI.Source = "Satterthwaite 1946"
	se := half / 1.81
	rows := se * se * 0.85
	x := report.Recipe{
		Metric: m.Name, Direction: m.Direction, Seeds: report.RecipeSeeds{Candidate: candidate, Baseline: baseline},
		Candidate: of.Candidate, Baseline: of.Baseline, Improvement: of.Improvement, CI: of.CI, Margin: of.Margin, Verdict: of.Verdict,
		Improved: of.Improved, SE: p(se), DF: p(10.3),
		Components: &report.Components{SeedsCandidate: rows / 4, SeedsBaseline: rows / 6, Rows: rows, Interaction: rows * 0.24},
	}
	if x.CI.Scale == report.Ratio {
		x.SE = p(se / *m.Baseline)
	}
	if baseline == 1 {
		x.Components.SeedsBaseline = 0
	}
	return x
}

func base() *report.Report {
	r := &report.Report{
		Schema: report.SchemaName,
		Run: report.Run{
			ID: "20260801-1200-3f9a1c", Model: "flights-delay", Environment: "production", Task: "binary", Mode: report.Gate,
			Commit: report.Commit(strings.Repeat("4be7c019", 5)), Config: "dosirak.yaml",
			Seeds: []int64{1, 2, 3, 4, 5}, Confidence: 0.95, Dosirak: "v0.1.0", DurationMS: p(int64(14_230)),
			Data: report.Data{
				Train: &report.DataFile{Digest: Digest("7"), Rows: 20_000},
				Eval:  &report.DataFile{Digest: Digest("e"), Rows: 10_000},
			},
		},
		Verdict:   verdict.Pass,
		Candidate: report.Model{Bundle: Digest("c"), Image: report.Image("ghcr.io/acme/flights-delay@" + string(Digest("1")))},
		Baseline:  &report.Model{Bundle: Digest("b"), Image: report.Image("ghcr.io/acme/flights-delay@" + string(Digest("2")))},
		Anchor:    &report.Model{Bundle: Digest("a")},
		N:         10_000,
	}
	r.Metrics = []report.Metric{
		metric("roc_auc", report.Higher, 0.6213, 0.0338, 0.0062, "0.01", "DeLong"),
		metric("log_loss", report.Lower, 0.52184, 0.00921, 0.00174, "2%", "paired t"),
		metric("accuracy", report.Higher, 0.7713, 0.0011, 0.0038, "0.01", "Tango's score interval"),
		metric("brier", report.Lower, 0.17041, 0.00362, 0.00061, "0.005", "paired t"),
	}
	r.Metrics[0].Primary = true
	r.Metrics[2].Floor = p(0.7)
	r.Metrics[2].Value = interval(0.7654, 0.7792, report.Difference, "Wilson")
	r.Metrics = append(r.Metrics, report.Metric{
		Name: "ece", Direction: report.Lower, Baseline: p(0.01231), Candidate: p(0.01518), Delta: p(0.00287), Improvement: p(-0.00287),
		Reason: "a calibration error cannot be bounded honestly: shown, not judged",
	})
	f1 := metric("f1", report.Higher, 0.3127, 0.0193, 0.0104, "0.02", "delta method by influence functions, not narrower than the score interval")
	f1.CI.Source = "Davison and Hinkley 1997, 2.7"
	r.Metrics = append(r.Metrics, f1)
	anchor := metric("roc_auc", report.Higher, 0.6189, 0.0362, 0.0064, "0.01", "DeLong")
	anchor.Against = report.AgainstAnchor
	r.Metrics = append(r.Metrics, anchor)
	r.Slices = []report.Slice{
		slice("origin", "EWR", 3541, 0.6302, 0.0310, 0.0122, "0.02"),
		slice("origin", "JFK", 3298, 0.6147, 0.0288, 0.0131, "0.02"),
		slice("origin", "LGA", 3161, 0.6195, 0.0417, 0.0129, "0.02"),
		{Name: "long-haul", Where: "distance > 1500 and origin != 'LGA'", Mode: report.GateSlice, Metric: "roc_auc", Direction: report.Higher,
			N: 2114, Margin: "0.03", Baseline: p(0.6011), Candidate: p(0.6203), Improvement: p(0.0192),
			CI: interval(0.0012, 0.0372, report.Difference, "DeLong"), Verdict: verdict.Pass},
		{Column: "carrier", Level: "OO", Mode: report.AlarmSlice, Metric: "roc_auc", N: 11, Reason: "11 rows, fewer than min_n 100: listed, not judged"},
	}
	r.Levels = []report.Levels{{Column: "carrier", New: []report.Text{"OO"}, Vanished: []report.Text{"HA", "YV"}}}
	for i := range r.Slices {
		if s := &r.Slices[i]; s.Mode == report.AlarmSlice && s.CI != nil {
			s.MinN, s.P, s.PHolm = 100, p(0.9991), p(1.0)
		}
	}
	for i, auc := range []float64{0.6551, 0.6539, 0.6563, 0.6547, 0.6532} {
		r.Replicates = append(r.Replicates, report.Replicate{
			Seed: int64(i + 1), Reused: i > 0, DurationMS: p(int64(2100 + 37*i)),
			Metrics: map[report.Name]*float64{"roc_auc": p(auc), "log_loss": p(0.51263 + 0.0004*float64(i%3)), "accuracy": p(0.7724 - 0.0005*float64(i%2)), "brier": p(0.16679 + 0.00007*float64(i))},
		})
	}
	for i, auc := range []float64{0.6213, 0.6198, 0.6227, 0.6207, 0.6219} {
		r.BaselineReplicates = append(r.BaselineReplicates, report.Replicate{
			Seed: int64(i + 1), Metrics: map[report.Name]*float64{"roc_auc": p(auc), "log_loss": p(0.52184 + 0.0005*float64(i%2)), "accuracy": p(0.7713 - 0.0003*float64(i%2))},
		})
	}
	r.SeedPositions = []report.SeedPosition{
		{Metric: "roc_auc", Kind: report.SeedWithin, Confidence: 0.95, Value: p(0.6551), Low: p(0.6509), High: p(0.6582)},
		{Metric: "log_loss", Kind: report.SeedWithin, Value: p(0.51263), Low: p(0.5117), High: p(0.5142)},
	}
	r.Recipes = []report.Recipe{
		recipe(r.Metrics[0], 5, 5, 0.0334, 0.0071), recipe(r.Metrics[1], 5, 5, 0.00902, 0.00197), recipe(r.Metrics[2], 5, 5, 0.0012, 0.0041),
	}
	r.Determinism = &report.Determinism{
		Kind: report.Identical, Verdict: verdict.Pass, Required: "bitwise", Seed: p(int64(1)),
		First: Digest("c"), Second: Digest("c"),
	}
	r.Exams = []report.Exam{
		{Digest: Digest("d"), Role: report.Today, Verdict: verdict.Pass},
		{Digest: Digest("d"), Role: report.Promoted, Verdict: verdict.Pass},
	}
	r.Smoke = &report.Smoke{
		Target: "container", Why: "a Docker daemon answered",
		Checks: []report.Check{
			{Name: "ready", Verdict: verdict.Pass, Detail: "ready 41 ms after the process started", DurationMS: p(41.0)},
			{Name: "golden answers", Verdict: verdict.Pass, Detail: "32 rows, every answer the same", DurationMS: p(12.4)},
			{Name: "bad inputs", Verdict: verdict.Pass, Detail: "11 bad requests, 11 refusals, still serving", DurationMS: p(38.2)},
			{Name: "load", Verdict: verdict.Pass, Detail: "400 requests at 200/s", DurationMS: p(2004.0)},
			{Name: "SIGTERM", Verdict: verdict.Pass, Detail: "the request in flight was answered, exit code 0", DurationMS: p(210.0)},
		},
		Latencies: &report.Latencies{Requests: 400, Rate: p(200.0), RateSLO: p(200.0), P50: p(0.61), P90: p(0.97), P99: p(2.14), P999: p(4.02), Max: p(5.87), P99SLO: p(20.0)},
		ReadyMS:   p(41.0), ReadySLO: p(2000.0), ImageSize: p(int64(14_812_160)), ImageSLO: p(int64(50_000_000)), Compressed: p(int64(6_204_931)),
		Memory: p(int64(31_457_280)), MemorySLO: p(int64(256_000_000)),
	}
	r.Calibration = calibration()
	r.WhyDifferent = &report.WhyDifferent{
		Changes: []report.Change{
			{Kind: "code", Path: "train/features.go", Old: "91f2c1d", New: "be10a77"},
			{Kind: "parameter", Path: "features", Old: "14", New: "23"},
			{Kind: "data", Path: "data/train.csv.gz", Old: "sha256:5d0e…", New: "sha256:7777…"},
		},
		Flips: &report.Flips{N: 212, Of: 10_000, Fixed: 112, Regressed: 100, Rows: []report.Flip{
			{ID: "UA1545-2013-10-02", Label: "1", Baseline: "0", Candidate: "1"},
			{ID: "B6725-2013-10-07", Label: "0", Baseline: "0", Candidate: "1"},
		}, BySlice: []report.SliceFlip{
			{Column: "origin", Level: "EWR", N: 101, Of: 3541}, {Column: "origin", Level: "JFK", N: 61, Of: 3298}, {Column: "origin", Level: "LGA", N: 50, Of: 3161},
		}},
	}
	r.Provenance = []report.Fact{
		{Name: "trainer", Value: "go run ./train --seed {seed} --data {data} --out {out}"},
		{Name: "go", Value: "go1.26.0 linux/amd64"},
		{Name: "gonum", Value: "v0.17.0"},
		{Name: "hardware", Value: "2 cores, amd64"},
	}
	return r
}

func calibration() *report.Calibration {
	c := &report.Calibration{Class: "1"}
	for i := range 10 {
		low := float64(i) / 10
		mean := low + 0.05
		n := int64(3200 * math.Exp(-0.5*math.Pow((mean-0.22)/0.14, 2)))
		bin := report.Bin{Low: low, High: low + 0.1, N: n}
		other := bin
		if n > 0 {
			bin.Mean, bin.Observed = p(mean), p(math.Min(1, mean+0.015*math.Sin(8*mean)))
			other.Mean, other.Observed = p(mean), p(math.Max(0, math.Min(1, mean*0.86+0.03)))
		}
		c.Candidate, c.Baseline = append(c.Candidate, bin), append(c.Baseline, other)
	}
	return c
}

// Pass is a change that is better on most metrics.
func Pass() *report.Report { return base() }

// Fail wins on AUC and fails on log loss and on a slice.
func Fail() *report.Report {
	r := base()
	r.Verdict = verdict.Fail
	r.Metrics[1] = metric("log_loss", report.Lower, 0.52184, -0.01663, 0.00412, "2%", "paired t")
	r.Metrics[3] = metric("brier", report.Lower, 0.17041, -0.0021, 0.0013, "0.005", "paired t")
	r.Recipes[1] = recipe(r.Metrics[1], 5, 5, -0.0121, 0.0052)
	r.Slices[1] = slice("origin", "JFK", 3298, 0.6147, -0.0481, 0.0198, "0.02")
	r.Slices[1].P, r.Slices[1].PHolm = p(0.0097), p(0.0291)
	r.Exams[0].Verdict, r.Exams[1].Verdict = verdict.Fail, verdict.Fail
	r.SeedPositions[0] = report.SeedPosition{Metric: "roc_auc", Kind: report.SeedBetter, Value: p(0.6551), Low: p(0.6491), High: p(0.6547),
		Confidence: 0.95}
	r.Run.Dirty = true
	return r
}

// Inconclusive has too few rows to tell.
func Inconclusive() *report.Report {
	r := base()
	r.Verdict = verdict.Inconclusive
	r.N = 600
	r.Run.Data.Eval.Rows = 600
	r.Metrics = []report.Metric{
		metric("roc_auc", report.Higher, 0.6213, 0.0024, 0.0291, "0.01", "DeLong"),
		metric("log_loss", report.Lower, 0.52184, 0.0013, 0.0061, "2%", "paired t"),
		metric("accuracy", report.Higher, 0.7713, -0.0017, 0.0154, "0.01", "Tango's score interval"),
	}
	r.Metrics[0].Primary = true
	r.BaselineReplicates = nil
	r.Recipes = []report.Recipe{recipe(r.Metrics[0], 5, 1, 0.0019, 0.0302), {
		Metric: "accuracy", Direction: report.Higher, Seeds: report.RecipeSeeds{Candidate: 5, Baseline: 1}, Candidate: p(0.7719), Baseline: p(0.7713),
		Improvement: p(0.0006), Margin: "0.01", Verdict: verdict.Inconclusive, Reason: "the standard error is 0: not enough data",
	}}
	r.Slices = nil
	r.Exams[0].Verdict, r.Exams[1].Verdict = verdict.Inconclusive, verdict.Inconclusive
	r.Warnings = []report.Prose{"This is the 10th verdict on the same evaluation data: it has been used too often to be trusted."}
	return r
}

// Unchanged is the baseline's own bundle.
func Unchanged() *report.Report {
	r := base()
	r.Unchanged = true
	r.Candidate = *r.Baseline
	r.Metrics, r.Slices, r.Levels, r.WhyDifferent, r.Calibration = nil, nil, nil, nil, nil
	r.Replicates, r.BaselineReplicates, r.SeedPositions = r.Replicates[:1], nil, nil
	r.Recipes = nil
	r.Smoke = nil
	r.Determinism.Remembered = true
	return r
}

// FirstModel has no baseline; a floor decides.
func FirstModel() *report.Report {
	r := base()
	r.Baseline, r.Anchor, r.WhyDifferent, r.BaselineReplicates = nil, nil, nil, nil
	r.Calibration.Baseline, r.Recipes = nil, nil
	r.Exams = r.Exams[:1]
	for i := range r.Metrics {
		m := &r.Metrics[i]
		m.Baseline, m.Delta, m.Improvement, m.CI, m.Improved, m.MDE, m.RowsNeeded, m.Margin = nil, nil, nil, nil, false, nil, nil, ""
		if m.Floor == nil {
			m.Verdict = ""
		}
	}
	r.Metrics = r.Metrics[:5]
	r.Levels = nil
	for i := range r.Slices {
		s := &r.Slices[i]
		s.Baseline, s.Improvement, s.CI, s.P, s.PHolm, s.Margin, s.Verdict = nil, nil, nil, nil, nil, "", ""
		if s.Reason == "" {
			s.Reason = "no baseline"
		}
	}
	return r
}

// Irreproducible trains two different models from one seed.
func Irreproducible() *report.Report {
	r := base()
	r.Verdict = verdict.Fail
	r.Determinism = &report.Determinism{
		Kind: report.Different, Verdict: verdict.Fail, Required: "bitwise", Seed: p(int64(1)), First: Digest("c"), Second: Digest("9"),
		MaxDifference:     p(0.0417),
		FirstDifference:   "node LinearClassifier, attribute coefficients[3]: 0.11823 and 0.11907",
		HistoryDifference: "step 1, loss: 0.69102 and 0.69088",
		Hint:              "The losses differ at the first step: the order of the rows is not seeded. Seed the shuffle with DOSIRAK_SEED.",
	}
	return r
}

// SmokeFailed has an image that gives other answers than the sealed model.
func SmokeFailed() *report.Report {
	r := base()
	r.Verdict = verdict.Fail
	r.Smoke.Target, r.Smoke.Why = "process", "no Docker daemon answered at unix:///var/run/docker.sock"
	r.Smoke.Checks[1] = report.Check{Name: "golden answers", Verdict: verdict.Fail,
		Detail: "row 7, output probabilities: 0.4112, sealed 0.3907", DurationMS: p(9.1)}
	r.Smoke.Checks[3] = report.Check{Name: "load", Detail: "not run: golden answers failed"}
	r.Smoke.Checks[4] = report.Check{Name: "SIGTERM", Verdict: verdict.Pass, Detail: "exit code 0", DurationMS: p(210.0)}
	r.Smoke.Latencies = nil
	return r
}

// ExportFailed ships a model that is not the one that was trained.
func ExportFailed() *report.Report {
	r := base()
	r.Verdict = verdict.Fail
	r.Export = &report.Export{
		Verdict: verdict.Fail, Rows: 20_000, Of: 61_000, Relative: 1e-4, Absolute: 1e-5, Differ: 731, Largest: p(0.8421),
		Differences: []report.ExportDifference{
			{Row: "UA-17", Column: "score", Trained: "0.0347222222", Served: "0.529411793"},
			{Row: "B6-<b>", Column: "prediction", Trained: "0", Served: "1"},
		},
		Cause:   `every row that differs has a missing value (in "temp"), and all of the 19,269 rows without one agree: the converter handles missing values otherwise than training did; fill them before the model, or convert with a release that handles them`,
		Columns: []report.Text{"temp"},
	}
	return r
}

// ExamChanged passes today's exam and fails the one that promoted production.
func ExamChanged() *report.Report {
	r := base()
	r.Verdict = verdict.Fail
	r.Metrics[1].Margin = "5%"
	r.Exams = []report.Exam{
		{Digest: Digest("d"), Role: report.Today, Verdict: verdict.Pass},
		{Digest: Digest("5"), Role: report.Promoted, Verdict: verdict.Fail, Reason: "log_loss is worse than the baseline by 3.2%, beyond the margin of 2%", Changes: []report.ExamChange{
			{Path: "metrics.log_loss.margin", Old: "2%", New: "5%"},
			{Path: "data.eval", Old: "sha256:41ab…", New: "sha256:eeee…"},
			{Path: "slices.long-haul", Old: "", New: "added"},
		}},
	}
	return r
}

// HostileText is what a fork may write where text is allowed.
var HostileText = []string{
	"</code></td><script>alert(1)</script>",
	"`code` ``more`` ` | pipe \\| \\",
	"@maintainer please merge #123 GH-45 acme/x#9",
	"[link](https://evil.example/?x=1) ![img](http://evil.example/p.png) <https://evil.example>",
	"www.evil.example mail me@evil.example https://evil.example",
	"**bold** _it_ ~~no~~ # h1 - item 1. one > quote --- ***",
	"\u202Egnp.exe\u202C \u2066iso\u2069 \u200Bzero\uFEFF",
	"::set-output name=x::y ${{ secrets.TOKEN }} $(id) `id` %0A::error::x",
	"<!-- dosirak --> --> <!-- </details> </summary> <img src=x onerror=alert(1)>",
	"$\\href{https://evil.example}{x}$ :white_check_mark: PASS",
	"{{.}} {{template \"x\"}} ' onmouseover='alert(1)' \" style=\"position:fixed",
	strings.Repeat("very-long-", 40),
	"한국어 도시락 日本語 مرحبا עברית é e\u0301 👩‍👩‍👧",
}

// Hostile carries HostileText wherever text may stand.
func Hostile() *report.Report {
	r := Fail()
	next := 0
	text := func() report.Text {
		next++
		return report.NewText(HostileText[next%len(HostileText)])
	}
	prose := func() report.Prose {
		next++
		return report.NewProse(HostileText[next%len(HostileText)])
	}
	r.Run.Config = text()
	r.Headline = []report.Prose{report.NewProse(HostileText[0] + " " + HostileText[2] + " " + HostileText[3])}
	r.Warnings = []report.Prose{prose(), prose(), prose()}
	r.Slices = nil
	for _, s := range HostileText {
		sl := slice("origin", "x", 500, 0.61, -0.08, 0.02, "0.02")
		sl.Column, sl.Level, sl.Reason = report.NewText(s), text(), prose()
		r.Slices = append(r.Slices, sl)
		r.Provenance = append(r.Provenance, report.Fact{Name: report.NewText(s), Value: report.NewProse(s)})
		r.Smoke.Checks = append(r.Smoke.Checks, report.Check{Name: report.NewText(s), Detail: report.NewProse(s), Verdict: verdict.Fail})
		r.WhyDifferent.Changes = append(r.WhyDifferent.Changes, report.Change{Kind: "parameter", Path: report.NewText(s), Old: text(), New: text()})
		r.WhyDifferent.Flips.Rows = append(r.WhyDifferent.Flips.Rows, report.Flip{ID: report.NewText(s), Label: text(), Baseline: text(), Candidate: text()})
		r.Leakage = append(r.Leakage, report.Finding{Kind: "ids", Count: 3, Of: 10_000, Detail: report.NewProse(s), Examples: []report.Text{report.NewText(s)}})
	}
	for i := range r.Metrics {
		r.Metrics[i].Reason = prose()
	}
	for i := range r.Recipes {
		r.Recipes[i].Reason, r.Recipes[i].CI.Method = prose(), prose()
	}
	r.Determinism.Reason, r.Determinism.Hint, r.Determinism.FirstDifference, r.Determinism.HistoryDifference = prose(), prose(), prose(), prose()
	r.Determinism.Kind = report.EqualPredictions
	r.Smoke.Why = prose()
	r.Exams[1].Changes = []report.ExamChange{{Path: text(), Old: text(), New: text()}}
	r.Exams[1].Reason = prose()
	r.Calibration.Class = text()
	return r
}

// ManySlices has the given number of metrics and, for each metric, levels of
// one column; one in nine rings.
func ManySlices(metrics, levels int) *report.Report {
	r := base()
	r.Verdict = verdict.Fail
	r.Exams = r.Exams[:1]
	r.Exams[0].Verdict = verdict.Fail
	for i := len(r.Metrics); i < metrics; i++ {
		r.Metrics = append(r.Metrics, metric(fmt.Sprintf("pinball_0.%02d", i), report.Lower, 12.4+float64(i), 0.01*float64(i%7)-0.02, 0.09, "2%", "paired t"))
	}
	r.Slices = nil
	for i := range metrics {
		for l := range levels {
			k := i*levels + l
			s := slice(fmt.Sprintf("carrier-%d", i), fmt.Sprintf("L%03d", l), 120+17*l, 0.61, 0.012*math.Sin(float64(k)), 0.015, "0.05")
			if k%9 == 4 {
				s = slice(fmt.Sprintf("carrier-%d", i), fmt.Sprintf("L%03d", l), 120+17*l, 0.61, -0.083-0.0001*float64(k%50), 0.02, "0.05")
			}
			r.Slices = append(r.Slices, s)
		}
	}
	return r
}

// Bare is the least that a report can say: a run that ended early.
func Bare() *report.Report {
	r := base()
	return &report.Report{
		Schema: report.SchemaName, Run: r.Run, Verdict: verdict.Inconclusive, Candidate: r.Candidate, Baseline: r.Baseline,
		Metrics: []report.Metric{{Name: "roc_auc", Verdict: verdict.Inconclusive, Margin: "0.01", Reason: "the evaluation data holds one class only"}},
	}
}

// Grouped has 92 groups, too few for four of its five margins; one of these
// four metrics passes all the same.
func Grouped() *report.Report {
	r := base()
	r.Verdict = verdict.Inconclusive
	r.N, r.Groups = 4031, 92
	r.Run.Data.Eval.Rows = 4031
	r.Metrics = []report.Metric{
		metric("roc_auc", report.Higher, 0.6213, 0.0024, 0.0204, "0.01", "Obuchowski's interval, sums over groups"),
		metric("log_loss", report.Lower, 0.52184, 0.0013, 0.0101, "2%", "paired t, sums over groups, t on groups - 1"),
		metric("accuracy", report.Higher, 0.7713, -0.0017, 0.0154, "0.01", "paired t, sums over groups, t on groups - 1"),
		metric("brier", report.Lower, 0.17041, -0.0012, 0.0041, "0.005", "paired t, sums over groups, t on groups - 1"),
		metric("f1", report.Higher, 0.3127, 0.0061, 0.0101, "0.02", "delta method, sums over groups"),
	}
	r.Metrics[0].Primary = true
	for i := range r.Metrics {
		m := &r.Metrics[i]
		limit := -*m.Comparison().Limit
		m.RowsNeeded = p(int64(math.Ceil(92 * (*m.MDE / limit) * (*m.MDE / limit))))
	}
	r.Slices, r.Levels, r.WhyDifferent, r.Calibration, r.Smoke = nil, nil, nil, nil, nil
	r.Recipes = []report.Recipe{recipe(r.Metrics[0], 5, 1, 0.0019, 0.0221)}
	r.BaselineReplicates = nil
	r.Exams[0].Verdict, r.Exams[1].Verdict = verdict.Inconclusive, verdict.Inconclusive
	return r
}

// Regression predicts minutes of delay.
func Regression() *report.Report {
	r := base()
	r.Run.Task = report.Regression
	r.Metrics = []report.Metric{
		metric("rmse", report.Lower, 38.412, 0.913, 0.402, "2%", "delta method"),
		metric("mae", report.Lower, 22.087, 0.541, 0.118, "2%", "paired t"),
		{Name: "max_error", Direction: report.Lower, Baseline: p(911.4), Candidate: p(904.7), Delta: p(-6.7), Improvement: p(6.7),
			Reason: "a largest error cannot be bounded honestly: shown, not judged"},
	}
	r.Metrics[0].Primary = true
	for i := range r.Replicates {
		r.Replicates[i].Metrics = map[report.Name]*float64{"rmse": p(37.499 + 0.03*float64(i%3)), "mae": p(21.546 + 0.01*float64(i))}
	}
	r.BaselineReplicates, r.Slices, r.Levels, r.Calibration, r.Smoke, r.SeedPositions = nil, nil, nil, nil, nil, nil
	r.Recipes = []report.Recipe{recipe(r.Metrics[0], 5, 1, 0.88, 0.43)}
	r.WhyDifferent.Flips = &report.Flips{N: 1730, Of: 10_000, Fixed: 941, Regressed: 789, Moved: p(14.25), Rows: []report.Flip{
		{ID: "UA1545-2013-10-02", Label: "11", Baseline: "4.1", Candidate: "19.6"},
		{ID: "B6725-2013-10-07", Label: "-3", Baseline: "22.5", Candidate: "2.75"},
	}, BySlice: []report.SliceFlip{{Column: "origin", Level: "EWR", N: 701, Of: 3541}, {Column: "origin", Level: "JFK", N: 561, Of: 3298}}}
	return r
}
