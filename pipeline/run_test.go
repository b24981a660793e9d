package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/local"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
	"github.com/dosirak-ml/dosirak/pipeline/verify"
)

// steps of the line, in order.
var steps = []string{"train", "prove", "seal", "export", "evaluate", "compare", "image", "smoke", "report", "promote"}

// watcher calls a function when a step starts.
type watcher struct {
	pipeline.Silent
	started func(step string)
}

func (w watcher) Start(step, _ string) { w.started(step) }

// run walks the line of the project in r.
func run(ctx context.Context, t *testing.T, r gittest.Repository, asked pipeline.Request) (pipeline.Outcome, error) {
	t.Helper()
	return watched(ctx, t, r, pipeline.Silent{}, asked)
}

// watched walks the line and tells an observer.
func watched(ctx context.Context, t *testing.T, r gittest.Repository, observer pipeline.Observer, asked pipeline.Request) (pipeline.Outcome, error) {
	t.Helper()
	p, err := project.Open(context.WithoutCancel(ctx), r.Dir, "")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	env := pipeline.Env{Now: time.Now, Release: "test", CacheDir: filepath.Join(cache, "dosirak-test"), Observer: observer}
	env.Server = image.Source{CacheDir: env.CacheDir, Environ: os.Environ()}
	if p.Repo != nil {
		env.Forge = &local.Forge{Repo: p.Repo}
	}
	return pipeline.Run(ctx, p, env, asked)
}

// Ctrl-C at any step ends with 130, keeps what was finished, and the run goes
// on from there to what an undisturbed run gives.
func TestInterruptedAtEachStep(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line for each step")
	}
	t.Parallel()
	undisturbed, err := run(t.Context(), t, projecttest.Mini(t), pipeline.Request{Promote: true})
	require.NoError(t, err)
	for i, at := range steps {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := watched(ctx, t, r, watcher{started: func(step string) {
				if step == at {
					cancel()
				}
			}}, pipeline.Request{Promote: true})
			require.Error(t, err)
			assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err), "%v", err)
			assert.Empty(t, r.Git("status", "--porcelain"))

			s, err := store.Open(r.Dir, store.Options{Now: time.Now})
			require.NoError(t, err)
			stored, err := s.List()
			require.NoError(t, err)
			require.Len(t, stored, 1)
			assert.Equal(t, store.Interrupted, stored[0].Record.Status)

			var again []string
			out, err := watched(t.Context(), t, r, doneWatcher{done: func(step, detail string) {
				if !strings.Contains(detail, "made it before") {
					again = append(again, step)
				}
			}}, pipeline.Request{Promote: true, Resume: stored[0].Record.ID})
			require.NoError(t, err)
			assert.Equal(t, undisturbed.Report.Candidate.Bundle, out.Report.Candidate.Bundle)
			assert.Equal(t, undisturbed.Verdict, out.Verdict)
			assert.Equal(t, promote.Created, out.Promotion.Operation)
			assert.Equal(t, steps[i:], again, "what was finished is not made again")
		})
	}
}

type doneWatcher struct {
	pipeline.Silent
	done func(step, detail string)
}

func (w doneWatcher) Done(step, detail string, _ error) { w.done(step, detail) }

// Two runs of a project at once share the store and do not disturb each other.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	type result struct {
		out pipeline.Outcome
		err error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			out, err := run(t.Context(), t, r, pipeline.Request{})
			results <- result{out, err}
		}()
	}
	a, b := <-results, <-results
	require.NoError(t, a.err)
	require.NoError(t, b.err)
	assert.NotEqual(t, a.out.Run, b.out.Run)
	assert.Equal(t, a.out.Report.Candidate, b.out.Report.Candidate, "the same bundle, the same image")
}

// merge promotes what was proposed.
func merge(r gittest.Repository) {
	r.Git("merge", "--quiet", "--no-edit", "dosirak/promote/flights-delay/production")
}

// A change may not grade its own exam: a wider margin is judged by the exam
// that production was promoted by as well, is shown, and needs an
// acknowledgement.
func TestExamGuard(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	_, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	merge(r)

	// The change: another model, and a margin that is easier to keep.
	config := strings.ReplaceAll(projecttest.MiniConfig, "seeds: [1, 2]", "seeds: [2, 1]")
	config = strings.Replace(config, "margin: 0.3, floor: 0.5", "margin: 0.4, floor: 0.5", 1)
	r.Commit("another model and an easier exam", map[string]string{"dosirak.yaml": config})

	_, err = run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.ErrorContains(t, err, "a change may not grade its own exam")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true, AcknowledgeExam: true})
	require.NoError(t, err)
	require.Len(t, out.Report.Exams, 2)
	promoted := out.Report.Exams[1]
	assert.Equal(t, report.Promoted, promoted.Role)
	assert.Equal(t, verdict.Pass, promoted.Verdict)
	require.NotEmpty(t, promoted.Changes)
	assert.Equal(t, promote.Created, out.Promotion.Operation)
}

// A change that removes the rows it would fail on is judged by them all the
// same: Git has them. In a clone without that history nothing can be told.
func TestExamGuardWithoutTheOldRows(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	_, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	merge(r)
	lines := strings.SplitAfter(projecttest.EvalRows(t), "\n")
	config := strings.ReplaceAll(projecttest.MiniConfig, "seeds: [1, 2]", "seeds: [2, 1]")
	r.Commit("drop half of the rows", map[string]string{
		"dosirak.yaml": config, "data/eval.csv": strings.Join(lines[:len(lines)/2], ""),
	})
	out, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	require.Len(t, out.Report.Exams, 2)
	assert.Equal(t, verdict.Pass, out.Report.Exams[1].Verdict)
	assert.Empty(t, out.Report.Exams[1].Reason)

	shallow := gittest.Repository{T: t, Dir: filepath.Join(t.TempDir(), "shallow")}
	r.Git("clone", "--quiet", "--depth=1", "file://"+r.Dir, shallow.Dir)
	out, err = run(t.Context(), t, shallow, pipeline.Request{})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, out.Verdict)
	require.Len(t, out.Report.Exams, 2)
	assert.Contains(t, string(out.Report.Exams[1].Reason), "is not in this clone")
	assert.Contains(t, string(out.Report.Exams[1].Reason), "fetch-depth: 0")
}

// The evidence cannot be changed without verify seeing it.
func TestVerify(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	_, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	merge(r)
	evidence, err := filepath.Glob(filepath.Join(r.Dir, "deploy/evidence/production/*"))
	require.NoError(t, err)
	require.Len(t, evidence, 1)
	bundles, err := filepath.Glob(filepath.Join(r.Dir, "deploy/bundles/*"))
	require.NoError(t, err)
	require.Len(t, bundles, 1)

	holds := func() verify.Result {
		p, err := project.Open(t.Context(), r.Dir, "")
		require.NoError(t, err)
		v, err := verify.Run(t.Context(), p, verify.Options{Environment: "production", Dir: t.TempDir()})
		require.NoError(t, err)
		return v
	}
	v := holds()
	assert.True(t, v.Holds, "%+v", v.Checks)
	assert.Equal(t, verdict.Pass, v.Recomputed)

	for _, path := range []string{
		filepath.Join(evidence[0], "report.json"), filepath.Join(evidence[0], "exam.json"),
		filepath.Join(evidence[0], "predictions-candidate.csv.gz"), filepath.Join(bundles[0], "model.onnx"),
	} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for name, spoilt := range map[string][]byte{"changed": append([]byte{'x'}, data...), "gone": nil} {
			if spoilt == nil {
				require.NoError(t, os.Remove(path))
			} else {
				require.NoError(t, os.WriteFile(path, spoilt, 0o644))
			}
			assert.False(t, holds().Holds, "%s %s", filepath.Base(path), name)
		}
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.Symlink("/dev/zero", path))
		assert.False(t, holds().Holds, "%s leads elsewhere", filepath.Base(path))
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
	assert.True(t, holds().Holds)
}

// A promotion over a model in production cannot be passed off as a first one,
// which floors alone judge, nor what was found as something better: not even
// with a report and a manifest that fit.
func TestVerifyAForgery(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	_, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	merge(r)
	two, err := os.ReadFile(filepath.Join(r.Dir, "models/2.onnx"))
	require.NoError(t, err)
	r.Commit("another trainer", map[string]string{"models/1.onnx": string(two)})
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation)
	merge(r)
	holds := func() verify.Result {
		p, err := project.Open(t.Context(), r.Dir, "")
		require.NoError(t, err)
		v, err := verify.Run(t.Context(), p, verify.Options{Environment: "production", Dir: t.TempDir()})
		require.NoError(t, err)
		return v
	}
	require.True(t, holds().Holds, "%+v", holds().Checks)

	evidence := filepath.Join(r.Dir, "deploy/evidence/production", digest.Short(string(out.Report.Candidate.Bundle)))
	kept, err := os.ReadFile(filepath.Join(evidence, "report.json"))
	require.NoError(t, err)
	manifest := filepath.Join(r.Dir, "deploy/production.yaml")
	old, err := os.ReadFile(manifest)
	require.NoError(t, err)
	for _, tt := range []struct {
		name  string
		forge func(r *report.Report)
		from  string // of the manifest, a pattern
		to    string
		says  string
	}{
		{"as it is", func(*report.Report) {}, "", "", ""},
		{"no baseline's answers", func(r *report.Report) { r.Baseline.Predictions = "" }, "", "", "no predictions of the baseline"},
		{"another verdict than the report's", func(r *report.Report) { r.Verdict = verdict.Inconclusive }, "", "", "its verdict is INCONCLUSIVE, the manifest's is PASS"},
		{"no smoke test", func(r *report.Report) { r.Smoke = nil }, "", "", "it holds no smoke test"},
		{"no proof", func(r *report.Report) { r.Determinism = nil }, "", "", "it does not say whether the training reproduces"},
		{"an improvement that was not shown", func(*report.Report) {}, "improved: false", "improved: true", "the manifest says true, the predictions give false"},
		{"a wider margin", func(*report.Report) {}, "margin: \\S+", "margin: \"0.9\"", "the manifest's margin, floor or ceiling is not the exam's"},
		{"a lower floor", func(*report.Report) {}, "floor: \\S+", "floor: 0.1", "the manifest's margin, floor or ceiling is not the exam's"},
		{"a better value", func(*report.Report) {}, "candidate: \\S+", "candidate: 0.99", "the manifest's numbers are not those of the predictions"},
		{"a method of an earlier version", func(r *report.Report) { bounded(r).Method = "earlier" }, "", "", ""},
		{"bounds of no version", func(r *report.Report) { ci := bounded(r); ci.Method, ci.Low = "earlier", ci.High }, "", "", "the manifest's numbers are not those of the predictions"},
		{"a metric less", func(*report.Report) {}, "(?s)  - name: accuracy.*?\nreplaces", "replaces", "the exam asks for it, and the manifest leaves it out"},
	} {
		forged, err := report.Parse(kept, report.DefaultLimits())
		require.NoError(t, err)
		tt.forge(forged)
		text, err := report.Encode(forged)
		require.NoError(t, err, tt.name)
		write(t, filepath.Join(evidence, "report.json"), text)
		said := regexp.MustCompile(`evidence_digest: \S+`).ReplaceAll(old, []byte("evidence_digest: "+digest.Of(text)))
		if tt.from != "" {
			changed := regexp.MustCompile(tt.from).ReplaceAll(said, []byte(tt.to))
			require.NotEqual(t, said, changed, tt.name)
			said = changed
		}
		write(t, manifest, said)
		v := holds()
		assert.Equal(t, tt.says == "", v.Holds, "%s: %+v", tt.name, v.Checks)
		assert.Contains(t, fmt.Sprint(v.Checks), tt.says, tt.name)
	}
}

// bounded is the first interval against the baseline.
func bounded(r *report.Report) *report.Interval {
	i := slices.IndexFunc(r.Metrics, func(m report.Metric) bool { return m.CI != nil && m.Against != report.AgainstAnchor })
	return r.Metrics[i].CI
}

// Without the base branch production is what the change says: it is said.
func TestWithoutBaseBranch(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	r.Git("branch", "-m", "develop")
	out, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(out.Report.Warnings), "there is no branch main here")
	_, err = run(t.Context(), t, r, pipeline.Request{Profile: "slow"})
	assert.ErrorContains(t, err, "use quick or full")
	s, err := store.Open(r.Dir, store.Options{Now: time.Now})
	require.NoError(t, err)
	stored, err := s.List()
	require.NoError(t, err)
	assert.Len(t, stored, 1, "a profile that does not exist is said before any training is paid for")
}

// A training made elsewhere, one replicate a machine, gives the verdict of one
// made here; a folder that was tampered with is refused and says why.
func TestTrainedElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	p, err := project.Open(t.Context(), r.Dir, "")
	require.NoError(t, err)
	here, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)

	folder := t.TempDir()
	var parts []string
	for _, seed := range []int64{1, 2} {
		training, err := pipeline.Train(t.Context(), p, pipeline.Env{Now: time.Now, Observer: pipeline.Silent{}}, pipeline.Request{}, []int64{seed})
		require.NoError(t, err)
		part := filepath.Join(folder, fmt.Sprint(seed))
		if seed == 2 {
			assert.Equal(t, "the proof is made where seed 1, the first one, is trained", training.Reason)
		}
		require.NoError(t, pipeline.Carry(p, training, part))
		parts = append(parts, part)
	}
	joined := filepath.Join(folder, "joined")
	require.NoError(t, handoff.Gather(parts, joined))

	there, err := run(t.Context(), t, r, pipeline.Request{Trained: joined})
	require.NoError(t, err)
	assert.Equal(t, here.Report.Candidate, there.Report.Candidate)
	assert.Equal(t, here.Report.Metrics, there.Report.Metrics)
	assert.Equal(t, here.Verdict, there.Verdict)

	record := filepath.Join(joined, "training.json")
	text, err := os.ReadFile(record)
	require.NoError(t, err)
	model := filepath.Join(joined, "seed-1.onnx")
	weights, err := os.ReadFile(model)
	require.NoError(t, err)
	for _, tt := range []struct {
		name  string
		spoil func()
		says  string
	}{
		{"another model", func() { write(t, model, append(weights, 0)) }, "is not the file of"},
		{"another model of the same size", func() { write(t, model, make([]byte, len(weights))) }, "does not have the digest"},
		{"model gone", func() { require.NoError(t, os.Remove(model)) }, "is missing"},
		{"a link to another file", func() {
			require.NoError(t, os.Remove(model))
			require.NoError(t, os.Symlink("/etc/passwd", model))
		}, "is not the file of"},
		{"a name that leads out", func() { write(t, record, bytes.ReplaceAll(text, []byte(`"seed-1.onnx"`), []byte(`"../../x.onnx"`))) }, "is not the name of a file"},
		{"an unknown field", func() {
			write(t, record, bytes.Replace(text, []byte(`"schema"`), []byte(`"verdict": "PASS", "schema"`), 1))
		}, "unknown field"},
		{"another schema", func() { write(t, record, bytes.Replace(text, []byte("training/v1"), []byte("training/v9"), 1)) }, "schema"},
		{"a seed that was not asked for", func() { write(t, record, bytes.ReplaceAll(text, []byte(`"seed": 2`), []byte(`"seed": 7`))) }, "lacks seed 2"},
		{"of another model", func() { write(t, record, bytes.Replace(text, []byte("flights-delay"), []byte("churn"), 1)) }, `of model "churn"`},
		{"of another commit", func() {
			write(t, record, regexp.MustCompile(`"commit": "[0-9a-f]+"`).ReplaceAll(text, []byte(`"commit": "`+strings.Repeat("1", 40)+`"`)))
		}, "is of commit 111111111111, and what is judged is commit"},
		{"no record", func() { require.NoError(t, os.Remove(record)) }, "there is no such file"},
	} {
		require.NoError(t, os.RemoveAll(model))
		write(t, model, weights)
		write(t, record, text)
		tt.spoil()
		_, err := run(t.Context(), t, r, pipeline.Request{Trained: joined})
		require.ErrorContains(t, err, tt.says, tt.name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), tt.name)
	}

	require.NoError(t, os.RemoveAll(model))
	write(t, model, weights)
	write(t, record, bytes.Replace(text, []byte(`"commit"`), []byte(`"dirty": true, "commit"`), 1))
	_, err = run(t.Context(), t, r, pipeline.Request{Trained: joined, Promote: true})
	require.ErrorContains(t, err, "changes that are not committed")
	_, err = run(t.Context(), t, r, pipeline.Request{Trained: joined, TrainedAt: "main; echo"})
	assert.ErrorContains(t, err, "full hexadecimal name")
	assert.ErrorContains(t, handoff.Gather([]string{parts[0], parts[0]}, filepath.Join(folder, "twice")), "is in two folders")
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

// A proposal that the base branch no longer stands behind is taken back.
func TestWithdrawn(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation)

	r.Commit("ask for more", map[string]string{"dosirak.yaml": strings.Replace(projecttest.MiniConfig, "floor: 0.5", "floor: 0.99", 1)})
	out, err = run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	assert.Equal(t, verdict.Fail, out.Verdict)
	assert.Equal(t, promote.Withdrawn, out.Promotion.Operation)
	assert.Empty(t, r.Git("branch", "--list", "dosirak/*"))
}

// A metric of the user's own is a command; an exam that promoted production
// keeps asking by its own command, whatever the change made of it.
func TestCustomMetric(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	own := "  - {name: cost, direction: lower, margin: 0.5, command: \"awk -F, 'NR>1 {print ($2 != $3)}' {predictions}\"}\n"
	r.Commit("a metric of our own", map[string]string{"dosirak.yaml": projecttest.MiniConfig + own})
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	cost := metricNamed(t, out.Report, "cost")
	assert.InDelta(t, 1-*metricNamed(t, out.Report, "accuracy").Candidate, *cost.Candidate, 1e-12)
	merge(r)

	config := strings.ReplaceAll(projecttest.MiniConfig, "seeds: [1, 2]", "seeds: [2, 1]") + strings.Replace(own, "($2 != $3)", "0", 1)
	r.Commit("a kinder command", map[string]string{"dosirak.yaml": config})
	out, err = run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	require.Len(t, out.Report.Exams, 2)
	var changed []string
	for _, c := range out.Report.Exams[1].Changes {
		changed = append(changed, string(c.Path))
	}
	assert.Contains(t, strings.Join(changed, " "), "command")
	assert.Equal(t, verdict.Pass, out.Report.Exams[1].Verdict)

	r.Commit("a command that fails", map[string]string{"dosirak.yaml": projecttest.MiniConfig + strings.Replace(own, "awk -F, 'NR>1 {print ($2 != $3)}' {predictions}", "exit 3", 1)})
	_, err = run(t.Context(), t, r, pipeline.Request{})
	require.ErrorContains(t, err, "cost")
	assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
}

func metricNamed(t *testing.T, r report.Report, name report.Name) report.Metric {
	t.Helper()
	for _, m := range r.Metrics {
		if m.Name == name {
			return m
		}
	}
	require.Failf(t, "no such metric", "%s", name)
	return report.Metric{}
}

// Production takes staging's bundle, judged again against what it runs
// itself, and never retrained.
func TestStagingThenProduction(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	r.Commit("two environments", map[string]string{"dosirak.yaml": projecttest.MiniConfig + "promote: {environments: [staging, production]}\n"})
	_, err := run(t.Context(), t, r, pipeline.Request{Environment: "production"})
	require.ErrorContains(t, err, "promote to staging first")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	staged, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	r.Git("merge", "--quiet", "--no-edit", "dosirak/promote/flights-delay/staging")

	var made []string
	out, err := watched(t.Context(), t, r, watcher{started: func(step string) { made = append(made, step) }}, pipeline.Request{Environment: "production", Promote: true})
	require.NoError(t, err)
	assert.NotContains(t, made, "train")
	assert.Equal(t, staged.Report.Candidate.Bundle, out.Report.Candidate.Bundle)
	assert.Equal(t, staged.Report.Candidate.Image, out.Report.Candidate.Image)
	assert.Equal(t, verdict.Pass, out.Verdict)
	assert.Equal(t, promote.Created, out.Promotion.Operation)
	assert.Contains(t, r.Git("show", "dosirak/promote/flights-delay/production:deploy/production.yaml"), "environment: production")

	again, err := run(t.Context(), t, r, pipeline.Request{Environment: "production", Promote: true})
	require.NoError(t, err)
	assert.Equal(t, promote.Unchanged, again.Promotion.Operation)
}

// Of two runs the slower may be that of the older commit: it does not replace
// what the newer one proposed.
func TestOvertaken(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	two, err := os.ReadFile(filepath.Join(r.Dir, "models/2.onnx"))
	require.NoError(t, err)
	r.Commit("another trainer", map[string]string{"models/1.onnx": string(two)})
	newer, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, newer.Promotion.Operation)

	r.Git("checkout", "--quiet", "--detach", "HEAD~1")
	older, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, older.Verdict)
	assert.Equal(t, promote.Skipped, older.Promotion.Operation)
	assert.Contains(t, older.Promotion.Reason, "is newer than")
	assert.Equal(t, newer.Promotion.Commit, r.Git("rev-parse", newer.Promotion.Branch))
}

// The recipe of production is trained anew, as its commit has it, when the
// config asks for it.
func TestRetrainedBaseline(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	_, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	merge(r)
	r.Git("rm", "-rq", "deploy/evidence/production")
	config := strings.ReplaceAll(projecttest.MiniConfig, "seeds: [1, 2]", "seeds: [2, 1]\n  baseline: retrain")
	r.Commit("another model; nobody kept the evidence", map[string]string{"dosirak.yaml": config})
	out, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	require.NotEmpty(t, out.Report.Recipes)
	assert.Equal(t, report.RecipeSeeds{Candidate: 2, Baseline: 2}, out.Report.Recipes[0].Seeds)
	assert.Equal(t, []int64{2}, seedsOf(out.Report.BaselineReplicates), "nobody kept which seed production is of")
	assert.InDelta(t, 0, *out.Report.Recipes[0].Improvement, 1e-12, "the same two models in another order are the same recipe")
}

// Not worse than the last one, k times over, must not add up to much worse: the
// anchor stays where it is until production gets better.
func TestAnchor(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	first, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	merge(r)

	second := strings.ReplaceAll(projecttest.MiniConfig, "seeds: [1, 2]", "seeds: [2, 1]")
	r.Commit("the other model", map[string]string{"dosirak.yaml": second})
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true, AcknowledgeExam: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation)
	require.False(t, out.Report.Metrics[0].Improved)
	assert.Equal(t, first.Report.Replicates[0].Metrics, out.Report.BaselineReplicates[0].Metrics, "the model in production, by its seed")
	assert.Equal(t, []int64{1, 2}, seedsOf(out.Report.BaselineReplicates), "and the replicates that the evidence keeps")
	merge(r)
	assert.Contains(t, r.Git("show", "HEAD:deploy/production.yaml"), "anchor: "+string(first.Report.Candidate.Bundle))

	r.Commit("the first model again", map[string]string{"dosirak.yaml": projecttest.MiniConfig})
	out, err = run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	assert.Equal(t, first.Report.Candidate.Bundle, out.Report.Anchor.Bundle)
	judged := map[report.Against]int{}
	for _, m := range out.Report.Metrics {
		judged[m.Against]++
	}
	assert.Equal(t, map[report.Against]int{report.AgainstBaseline: 2, report.AgainstAnchor: 2}, judged)
}

func seedsOf(replicates []report.Replicate) []int64 {
	var seeds []int64
	for _, r := range replicates {
		seeds = append(seeds, r.Seed)
	}
	return seeds
}

func readManifest(path string) (manifest.Manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return manifest.Manifest{}, err
	}
	return codec.Parse(path, text)
}

// manifestText is a manifest as its file.
func manifestText(m manifest.Manifest) string {
	text, err := codec.Format(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}
