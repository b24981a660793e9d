package pipeline_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
	"github.com/dosirak-ml/dosirak/pipeline/verify"
)

// verified holds the manifest of a work tree against branch main.
func verified(t *testing.T, r gittest.Repository, environment string, acknowledged bool) verify.Result {
	t.Helper()
	p, err := project.Open(t.Context(), r.Dir, "")
	require.NoError(t, err)
	o := verify.Options{Environment: environment, Acknowledged: acknowledged, Dir: t.TempDir()}
	o.Base, err = p.Base(t.Context(), "", filepath.Join(o.Dir, "base"))
	require.NoError(t, err)
	require.NotNil(t, o.Base)
	v, err := verify.Run(t.Context(), p, o)
	require.NoError(t, err)
	return v
}

// failed are the names of the checks that do not hold.
func failed(v verify.Result) []string {
	var names []string
	for _, c := range v.Checks {
		if !c.Holds {
			names = append(names, c.Name)
		}
	}
	return names
}

// forged edits the manifest of a work tree.
func forged(t *testing.T, r gittest.Repository, edit func(m *manifest.Manifest)) {
	t.Helper()
	path := filepath.Join(r.Dir, "deploy/production.yaml")
	m, err := readManifest(path)
	require.NoError(t, err)
	edit(&m)
	require.NoError(t, os.WriteFile(path, []byte(manifestText(m)), 0o644))
}

// reported edits the report of the evidence, and has the manifest name it.
func reported(t *testing.T, r gittest.Repository, edit func(r *report.Report)) {
	t.Helper()
	m, err := readManifest(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	path := filepath.Join(r.Dir, m.Sources.Evidence, "report.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	parsed, err := report.Parse(text, report.DefaultLimits())
	require.NoError(t, err)
	edit(parsed)
	text, err = report.Encode(parsed)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o644))
	forged(t, r, func(m *manifest.Manifest) { m.Sources.EvidenceDigest = digest.Of(text) })
}

// resealed writes another bundle in the place of the manifest's, and has
// manifest and report name it.
func resealed(t *testing.T, r gittest.Repository, model []byte, lie func(g *bundle.Golden)) {
	t.Helper()
	m, err := readManifest(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	dir := filepath.Join(r.Dir, m.Sources.Bundle)
	opened, err := bundle.Open(dir)
	require.NoError(t, err)
	golden, err := opened.Golden()
	require.NoError(t, err)
	if model == nil {
		model, err = os.ReadFile(filepath.Join(dir, opened.Bundle.Model.File))
		require.NoError(t, err)
	}
	lie(&golden)
	require.NoError(t, os.RemoveAll(dir))
	named, err := bundle.Write(dir, opened.Bundle, model, golden)
	require.NoError(t, err)
	reported(t, r, func(r *report.Report) { r.Candidate.Bundle = report.Digest(named) })
	forged(t, r, func(m *manifest.Manifest) {
		if m.Anchor == m.Bundle {
			m.Anchor = named
		}
		m.Bundle = named
	})
}

// A change may not grade its own exam, and evidence that only claims is worth
// nothing: whatever a change writes below deploy/, the base branch's exam, rows
// and manifest decide.
func TestVerifyForgeries(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	g, r := promoted(t)
	worse := model("a", -2)

	// An honest promotion: a better model, merged, judged and proposed.
	change := g
	change.model = model("a b", 2, 1)
	r.Commit("a better model", change.files())
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)

	// Elsewhere a worse one passes by an exam of its own, all its papers in order.
	elsewhere := copied(t, r)
	elsewhere.Git("branch", "--quiet", "-D", "dosirak/promote/guarded/production")
	easy := g
	easy.train, easy.eval, easy.model = g.train.clone(), g.eval.clone(), worse
	edits["everything easier"](&easy)
	edits["relabelled"](&easy)
	files := easy.files()
	elsewhere.Git("rm", "--quiet", "-r", "deploy")
	elsewhere.Commit("a place of one's own", files)
	out, err = run(t.Context(), t, elsewhere, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)
	elsewhere.Git("checkout", "--quiet", "dosirak/promote/guarded/production")

	base := r.Git("rev-parse", "main")
	for name, c := range map[string]struct {
		forge func(t *testing.T, c gittest.Repository)
		says  []string // checks that do not hold, among others; none: all holds
	}{
		"honest": {func(*testing.T, gittest.Repository) {}, nil},
		"papers of a place with an easier exam": {func(t *testing.T, c gittest.Repository) {
			require.NoError(t, os.RemoveAll(filepath.Join(c.Dir, "deploy")))
			require.NoError(t, os.CopyFS(filepath.Join(c.Dir, "deploy"), os.DirFS(filepath.Join(elsewhere.Dir, "deploy"))))
			forged(t, c, func(m *manifest.Manifest) { m.Commit = base })
		}, []string{"exam of main", "replaces", "verdict"}},
		"a worse bundle with the papers of a better one": {func(t *testing.T, c gittest.Repository) {
			resealed(t, c, model("a b", -2, 1), func(*bundle.Golden) {})
		}, []string{"golden answers", "candidate's answers"}},
		"golden answers that lie": {func(t *testing.T, c gittest.Repository) {
			resealed(t, c, nil, func(g *bundle.Golden) { g.Outputs[0] = flipped(g.Outputs[0]) })
		}, []string{"golden answers"}},
		"golden answers that take anything": {func(t *testing.T, c gittest.Repository) {
			resealed(t, c, nil, func(g *bundle.Golden) { g.Tolerance = bundle.Tolerance{Absolute: 10} })
		}, []string{"golden answers"}},
		"a worse bundle whose golden answers are its own": {func(t *testing.T, c gittest.Repository) {
			resealed(t, c, model("a b", -2, -1), func(g *bundle.Golden) { g.Inputs, g.Outputs = nil, nil })
		}, []string{"candidate's predictions", "verdict"}},
		"a lower floor in the exam": {func(t *testing.T, c gittest.Repository) { rewriteExam(t, c, `"floor": 0\.6`, `"floor": 0.1`) }, []string{"exam of main"}},
		"a metric less in the exam": {func(t *testing.T, c gittest.Repository) {
			rewriteExam(t, c, `(?s),\s*\{\s*"name": "accuracy".*?\}`, "")
			forged(t, c, func(m *manifest.Manifest) { m.Metrics = m.Metrics[:1] })
		}, []string{"exam of main", "metric accuracy"}},
		"numbers of one's own": {func(t *testing.T, c gittest.Repository) {
			forged(t, c, func(m *manifest.Manifest) { better := 0.999; m.Metrics[0].Candidate = &better })
		}, []string{"metric roc_auc"}},
		"a first model": {func(t *testing.T, c gittest.Repository) {
			reported(t, c, func(r *report.Report) {
				r.Baseline, r.Anchor = nil, nil
				r.Exams = r.Exams[:1]
			})
			forged(t, c, func(m *manifest.Manifest) { m.Replaces = "" })
		}, []string{"replaces"}},
		"an anchor of one's own": {func(t *testing.T, c gittest.Repository) {
			forged(t, c, func(m *manifest.Manifest) {
				m.Anchor, m.Sources.Anchor = m.Replaces, m.Sources.Bundle
			})
		}, []string{"anchor"}},
		"evidence of another environment": {func(t *testing.T, c gittest.Repository) {
			reported(t, c, func(r *report.Report) { r.Run.Environment = "staging" })
		}, []string{"report"}},
		"evidence of another model": {func(t *testing.T, c gittest.Repository) {
			reported(t, c, func(r *report.Report) { r.Run.Model = "other" })
		}, []string{"report"}},
		"a commit that was never merged": {func(t *testing.T, c gittest.Repository) {
			forged(t, c, func(m *manifest.Manifest) { m.Commit = c.Git("rev-parse", "HEAD") })
		}, []string{"commit"}},
		"a smoke test that failed": {func(t *testing.T, c gittest.Repository) {
			reported(t, c, func(r *report.Report) {
				r.Verdict = verdict.Fail
				r.Smoke.Checks[0].Verdict = verdict.Fail
			})
		}, []string{"report"}},
		"no smoke test": {func(t *testing.T, c gittest.Repository) {
			reported(t, c, func(r *report.Report) { r.Smoke = nil })
		}, []string{"report"}},
		"FAIL": {func(t *testing.T, c gittest.Repository) {
			forged(t, c, func(m *manifest.Manifest) { m.Verdict = verdict.Fail })
		}, []string{"verdict"}},
		"no evidence": {func(t *testing.T, c gittest.Repository) {
			forged(t, c, func(m *manifest.Manifest) { m.Sources.Evidence, m.Sources.EvidenceDigest = "", "" })
		}, []string{"environment", "claims", "adoption"}},
		"a bundle that leads elsewhere": {func(t *testing.T, c gittest.Repository) {
			m, err := readManifest(filepath.Join(c.Dir, "deploy/production.yaml"))
			require.NoError(t, err)
			path := filepath.Join(c.Dir, m.Sources.Bundle, "model.onnx")
			require.NoError(t, os.Rename(path, filepath.Join(c.Dir, "elsewhere.onnx")))
			require.NoError(t, os.Symlink("../../../elsewhere.onnx", path))
		}, []string{"bundle"}},
		"an environment of one's own": {func(t *testing.T, c gittest.Repository) {
			forged(t, c, func(m *manifest.Manifest) {
				m.Bundle = m.Replaces
				m.Sources.Bundle = "deploy/bundles/" + digest.Short(m.Replaces)
			})
		}, []string{"report"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := copied(t, r)
			repo.Git("checkout", "--quiet", "dosirak/promote/guarded/production")
			c.forge(t, repo)
			v := verified(t, repo, "production", false)
			if c.says == nil {
				assert.True(t, v.Holds, "%+v", v.Checks)
				assert.Equal(t, verify.Proposal, v.Kind)
				assert.Equal(t, verdict.Pass, v.Recomputed)
				return
			}
			assert.False(t, v.Holds)
			assert.Equal(t, verdict.Fail, v.Verdict(), "a forgery never waits for a person")
			assert.Subset(t, failed(v), c.says, "%+v", v.Checks)
			if name != "no evidence" {
				assert.False(t, verified(t, repo, "production", true).Holds, "an acknowledgement accepts no forgery")
			}
		})
	}
}

// flipped gives a probability's complement: answers that a worse model gives.
func flipped(v bundle.Values) bundle.Values {
	t, err := v.Tensor()
	if err != nil {
		return v
	}
	for i := range t.F32 {
		t.F32[i] = 1 - t.F32[i]
	}
	out, err := bundle.FromTensor(&t)
	if err != nil {
		return v
	}
	return out
}

// rewriteExam edits the exam of the evidence, and has the manifest and the
// report name it.
func rewriteExam(t *testing.T, r gittest.Repository, pattern, to string) {
	t.Helper()
	m, err := readManifest(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	path := filepath.Join(r.Dir, m.Sources.Evidence, "exam.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := regexp.MustCompile(pattern).ReplaceAll(text, []byte(to))
	require.NotEqual(t, string(text), string(changed))
	require.NoError(t, os.WriteFile(path, changed, 0o644))
	named := digest.Of(changed)
	reported(t, r, func(r *report.Report) { r.Exams[0].Digest = report.Digest(named) })
	forged(t, r, func(m *manifest.Manifest) { m.Exam = named })
}

// What is not a promotion is verified as what it is.
func TestVerifyKinds(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	g, r := promoted(t)
	first, err := os.ReadFile(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	assert.Equal(t, verify.InForce, verified(t, r, "production", false).Kind)

	change := g
	change.model = model("a b", 2, 1)
	r.Commit("a better model", change.files())
	_, err = run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	r.Git("merge", "--quiet", "--no-edit", "dosirak/promote/guarded/production")
	second, err := os.ReadFile(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)

	t.Run("a rollback is what the branch had before", func(t *testing.T) {
		c := copied(t, r)
		c.Write(map[string]string{"deploy/production.yaml": string(first)})
		v := verified(t, c, "production", false)
		assert.Equal(t, verify.Rollback, v.Kind)
		assert.True(t, v.Holds, "%+v", v.Checks)
	})
	t.Run("a model that was rolled back from waits for a person", func(t *testing.T) {
		c := copied(t, r)
		c.Commit("back", map[string]string{"deploy/production.yaml": string(first)})
		c.Write(map[string]string{"deploy/production.yaml": string(second)})
		v := verified(t, c, "production", false)
		assert.Equal(t, verify.Rollback, v.Kind)
		assert.Equal(t, verdict.Inconclusive, v.Verdict())
		assert.True(t, verified(t, c, "production", true).Holds)
	})
	t.Run("a rollback without its bundle", func(t *testing.T) {
		c := copied(t, r)
		m, err := codec.Parse("x", first)
		require.NoError(t, err)
		require.NoError(t, os.RemoveAll(filepath.Join(c.Dir, m.Sources.Bundle)))
		c.Write(map[string]string{"deploy/production.yaml": string(first)})
		assert.Equal(t, []string{"bundle"}, failed(verified(t, c, "production", false)))
	})
	t.Run("an adopted model waits for a person, and is in force once it is merged", func(t *testing.T) {
		c := gittest.New(t, g.files())
		m, err := codec.Parse("x", first)
		require.NoError(t, err)
		require.NoError(t, os.CopyFS(filepath.Join(c.Dir, "deploy/bundles"), os.DirFS(filepath.Join(r.Dir, "deploy/bundles"))))
		m.Verdict, m.Metrics, m.Sources.Evidence, m.Sources.EvidenceDigest, m.Commit = verdict.Inconclusive, nil, "", "", ""
		c.Write(map[string]string{"deploy/production.yaml": manifestText(m)})
		v := verified(t, c, "production", false)
		assert.Equal(t, verify.Adoption, v.Kind)
		assert.Equal(t, verdict.Inconclusive, v.Verdict(), "%+v", v.Checks)
		assert.True(t, verified(t, c, "production", true).Holds)
		c.Commit("adopted", nil)
		v = verified(t, c, "production", false)
		assert.Equal(t, verify.InForce, v.Kind)
		assert.True(t, v.Holds, "%+v", v.Checks)
	})
	t.Run("another exam waits for a person", func(t *testing.T) {
		c := copied(t, r)
		harder := change
		harder.config = strings.ReplaceAll(change.config, "margin: 0.05", "margin: 0.04")
		c.Commit("a harder exam", harder.files())
		_, err := run(t.Context(), t, c, pipeline.Request{Promote: true, AcknowledgeExam: true})
		require.NoError(t, err)
		c.Git("checkout", "--quiet", "dosirak/promote/guarded/production")
		v := verified(t, c, "production", false)
		assert.Equal(t, verdict.Inconclusive, v.Verdict(), "%+v", v.Checks)
		assert.Contains(t, v.Waits, "another exam", "%+v", v.Checks)
		acknowledged := verified(t, c, "production", true)
		assert.True(t, acknowledged.Holds, "%+v", acknowledged.Checks)
	})
}
