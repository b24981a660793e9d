package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/local"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const branch = "dosirak/promote/flights-delay/production"

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func proposal(t *testing.T, bundle string) promote.Proposal {
	t.Helper()
	p, err := promote.Plan(promote.Decision{
		Manifest: manifest.Manifest{
			Schema: manifest.Schema, Model: "flights-delay", Environment: "production",
			Bundle: bundle, Verdict: verdict.Pass, Exam: digest("e"),
		},
		ManifestPath: "deploy/production.yaml",
		Base:         "main",
		Bundle:       map[string][]byte{"bundle.json": []byte("{}")},
	}, func(m manifest.Manifest) ([]byte, error) { return []byte("bundle: " + m.Bundle + "\n"), nil })
	require.NoError(t, err)
	return p
}

func setUp(t *testing.T) (gittest.Repository, *local.Forge) {
	t.Helper()
	r := gittest.New(t, map[string]string{"p/train.sh": "true\n"})
	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
	require.NoError(t, err)
	return r, &local.Forge{Repo: repo}
}

func TestLifeOfAPromotion(t *testing.T) {
	t.Parallel()
	r, forge := setUp(t)

	out, err := promote.Propose(t.Context(), forge, proposal(t, digest("a")))
	require.NoError(t, err)
	assert.Equal(t, promote.Created, out.Operation)
	assert.Equal(t, "p/deploy/.gitattributes\np/deploy/bundles/aaaaaaaaaaaa/bundle.json\np/deploy/production.yaml", r.Git("diff", "--name-only", "main", branch))
	assert.Equal(t, "1", r.Git("rev-list", "--count", "main.."+branch))

	again, err := promote.Propose(t.Context(), forge, proposal(t, digest("a")))
	require.NoError(t, err)
	assert.Equal(t, promote.Unchanged, again.Operation)
	assert.Equal(t, out.Commit, r.Git("rev-parse", branch))

	newer, err := promote.Propose(t.Context(), forge, proposal(t, digest("b")))
	require.NoError(t, err)
	assert.Equal(t, promote.Updated, newer.Operation)
	assert.Equal(t, "1", r.Git("rev-list", "--count", "main.."+branch), "the newer candidate replaces the older one in place")

	r.Git("merge", "--quiet", branch)
	r.Commit("work goes on", map[string]string{"p/train.sh": "false\n"})
	after, err := promote.Propose(t.Context(), forge, proposal(t, digest("c")))
	require.NoError(t, err)
	assert.Equal(t, promote.Created, after.Operation, "a merged branch starts afresh from the base")
	assert.Equal(t, r.Git("rev-parse", "main"), r.Git("rev-parse", branch+"^"))
}

func TestHumanCommitStopsTheBot(t *testing.T) {
	t.Parallel()
	r, forge := setUp(t)
	_, err := promote.Propose(t.Context(), forge, proposal(t, digest("a")))
	require.NoError(t, err)
	r.Git("checkout", "--quiet", branch)
	human := r.Commit("tune the manifest by hand", map[string]string{"p/deploy/production.yaml": "by hand\n"})
	r.Git("checkout", "--quiet", "main")

	out, err := promote.Propose(t.Context(), forge, proposal(t, digest("b")))
	require.NoError(t, err)
	assert.Equal(t, promote.Stopped, out.Operation)
	assert.Contains(t, out.Reason, "a commit that dosirak did not make")
	assert.Equal(t, human, r.Git("rev-parse", branch), "the human's commit is still there")
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	r, forge := setUp(t)
	withdraw := func() promote.Outcome {
		out, err := promote.Withdraw(t.Context(), forge, branch, "main", "it fails")
		require.NoError(t, err)
		return out
	}
	assert.Equal(t, promote.Unchanged, withdraw().Operation, "nothing is proposed")

	_, err := promote.Propose(t.Context(), forge, proposal(t, digest("a")))
	require.NoError(t, err)
	assert.Equal(t, promote.Withdrawn, withdraw().Operation)
	assert.Empty(t, r.Git("branch", "--list", branch))

	_, err = promote.Propose(t.Context(), forge, proposal(t, digest("a")))
	require.NoError(t, err)
	r.Git("merge", "--quiet", branch)
	out, err := promote.Propose(t.Context(), forge, proposal(t, digest("a")))
	require.NoError(t, err)
	assert.Equal(t, promote.Unchanged, out.Operation)
	assert.Contains(t, out.Reason, "main holds this bundle", "what the base holds is not proposed again")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(r gittest.Repository, p *promote.Proposal)
		message string
	}{
		{"no base branch", func(_ gittest.Repository, p *promote.Proposal) { p.Base = "trunk" }, `base branch "trunk" does not exist`},
		{"branch checked out", func(r gittest.Repository, _ *promote.Proposal) { r.Git("checkout", "--quiet", "-b", branch) }, "is checked out in"},
		{"branch named dosirak", func(r gittest.Repository, _ *promote.Proposal) { r.Git("branch", "dosirak") }, "leaves no room for"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, forge := setUp(t)
			p := proposal(t, digest("a"))
			tt.prepare(r, &p)
			_, err := promote.Propose(t.Context(), forge, p)
			require.ErrorContains(t, err, tt.message)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}

// Whatever a repository or a clone converts, what is merged is the very bytes
// that were proposed, in the work tree as in Git, and the work tree is clean.
func TestMergedFilesAreNotConverted(t *testing.T) {
	t.Parallel()
	const model = "a\r\nb\nno text \x00\xff" // either line ending, and bytes
	for name, c := range map[string]struct {
		attributes, config string
		beside             string // of the team's own, in the manifest's folder
	}{
		"nothing":              {},
		"eol=crlf":             {attributes: "* text=auto eol=crlf\n"},
		"text, all of it":      {attributes: "* text eol=crlf\n"},
		"ident":                {attributes: "* ident\n"},
		"an encoding":          {attributes: "*.yaml working-tree-encoding=UTF-16LE\n*.json working-tree-encoding=UTF-16LE\n"},
		"a filter, as of LFS":  {attributes: "*.onnx filter=other -text\n*.json filter=other\n"},
		"core.autocrlf=true":   {config: "core.autocrlf=true"},
		"core.autocrlf=input":  {config: "core.autocrlf=input"},
		"core.eol=crlf":        {attributes: "* text=auto\n", config: "core.eol=crlf"},
		"beside the manifest":  {beside: "* text eol=crlf"},
		"all of it, at a time": {attributes: "* text=auto eol=crlf ident\n*.onnx filter=other\n", config: "core.autocrlf=true", beside: "*.onnx filter=other\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"p/train.sh": "true\n"}
			if c.attributes != "" {
				files[".gitattributes"] = c.attributes
			}
			if c.beside != "" {
				files["p/deploy/.gitattributes"] = c.beside
			}
			r := gittest.New(t, files)
			repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
			require.NoError(t, err)
			p := proposal(t, digest("a"))
			p.Files["deploy/bundles/aaaaaaaaaaaa/model.onnx"] = []byte(model)
			p.Files["deploy/bundles/aaaaaaaaaaaa/golden.json"] = []byte("{\"$Id$\": 1}\n")
			if c.beside != "" {
				p.Files["deploy/.gitattributes"] = append([]byte(c.beside+"\n"), p.Files["deploy/.gitattributes"]...)
			}
			_, err = promote.Propose(t.Context(), &local.Forge{Repo: repo}, p)
			require.NoError(t, err)

			dir := filepath.Join(t.TempDir(), "clone")
			args := []string{"clone", "--quiet", "-c", "filter.other.clean=tr a-z n-za-m", "-c", "filter.other.smudge=tr a-z n-za-m", "-c", "user.name=x", "-c", "user.email=x@example.com"}
			if c.config != "" {
				args = append(args, "-c", c.config)
			}
			r.Git(append(args, r.Dir, dir)...)
			clone := gittest.Repository{T: t, Dir: dir}
			clone.Git("merge", "--quiet", "--no-ff", "-m", "promote", "origin/"+branch)
			// Git looks at what it thinks was not touched only when asked to.
			for name := range p.Files {
				clone.Git("update-index", "--really-refresh", "--", filepath.Join("p", name))
			}
			assert.Empty(t, clone.Git("status", "--porcelain"))
			for name, want := range p.Files {
				if strings.HasSuffix(name, ".gitattributes") {
					continue
				}
				here, err := os.ReadFile(filepath.Join(dir, "p", name))
				require.NoError(t, err)
				assert.Equal(t, string(want), string(here), name)
			}
		})
	}
}
