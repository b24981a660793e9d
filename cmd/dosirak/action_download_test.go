package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// A fork's run may leave what it likes; what it says of itself is held against
// the event, and nothing of it gets out of its folder.
func TestActionsDownload(t *testing.T) {
	t.Parallel()
	const fork = "mallory/flights"
	zipped := func(files ...string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range files {
			f, err := w.Create(name)
			require.NoError(t, err)
			_, err = f.Write([]byte("{}"))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	fine := githubtest.Artifact{Run: 7, Name: "dosirak-flights-delay-seed-1", Archive: zipped("training.json", "seed-1.onnx")}
	with := func(change func(a *githubtest.Artifact)) []githubtest.Artifact {
		a := fine
		change(&a)
		return []githubtest.Artifact{a}
	}
	for _, tt := range []struct {
		name   string
		left   []githubtest.Artifact
		event  func(s *stage, head string) // nil: the run of the change is completed
		token  string                      // permission, "" is all that is needed
		inputs map[string]string
		code   int
		says   string
	}{
		{name: "fine", left: []githubtest.Artifact{fine, {Run: 7, Name: "another"}, {Run: 8, Name: "dosirak-flights-delay-seed-2"}}},
		{name: "missing", code: fault.CodeUsage, says: "left no artifact dosirak-flights-delay-seed-N"},
		{name: "of another run", left: with(func(a *githubtest.Artifact) { a.RunSaid = 8 }), code: fault.CodeUsage, says: "is of run 8"},
		{name: "of another commit", left: with(func(a *githubtest.Artifact) { a.Commit = strings.Repeat("1", 40) }), code: fault.CodeUsage, says: "at commit"},
		{name: "expired", left: with(func(a *githubtest.Artifact) { a.Expired = true }), code: fault.CodeUsage, says: "has expired: run all jobs of that run again"},
		{name: "expired meanwhile", left: with(func(a *githubtest.Artifact) { a.Gone = true }), code: fault.CodeUsage, says: "has expired"},
		{name: "too large", left: with(func(a *githubtest.Artifact) { a.SizeSaid = 1 << 40 }), code: fault.CodeUsage, says: "bytes, at most"},
		{name: "another digest", left: with(func(a *githubtest.Artifact) { a.Digest = "sha256:00" }), code: fault.CodeUsage, says: "its digest is"},
		{name: "a path that leads out", left: with(func(a *githubtest.Artifact) { a.Archive = zipped("../../training.json") }), code: fault.CodeUsage, says: "no name"},
		{name: "a name that is a command", left: with(func(a *githubtest.Artifact) { a.Archive = zipped("a\n::error::b") }), code: fault.CodeUsage, says: "no name"},
		{name: "no zip", left: with(func(a *githubtest.Artifact) { a.Archive = []byte("x") }), code: fault.CodeUsage, says: "not a valid zip"},
		{name: "a token that may not", left: []githubtest.Artifact{fine}, token: "contents=read", code: fault.CodeUsage, says: "the token lacks the permission actions: read"},
		{name: "no run", event: func(s *stage, _ string) { s.onPush() }, code: fault.CodeUsage, says: "names no workflow run"},
		{name: "not completed", event: func(s *stage, head string) { s.onJudge(fork, "x", head, "requested", "") }, code: fault.CodeUsage, says: "when it is completed"},
		{name: "no model", inputs: map[string]string{"model": "../x"}, code: fault.CodeUsage, says: "the name of no model"},
		{name: "a folder that is there", left: []githubtest.Artifact{fine}, inputs: map[string]string{"out": t.TempDir()}, code: fault.CodeUsage, says: "there already"},
	} {
		s := newBareStage(t)
		head := s.clone.Git("rev-parse", "HEAD")
		for _, a := range tt.left {
			if a.Commit == "" {
				a.Commit = head
			}
			s.hub.LeaveArtifact(a)
		}
		if s.token = s.hub.Token(githubtest.Installation, githubtest.Bot, "contents=read", "actions=read"); tt.token != "" {
			s.token = s.hub.Token(githubtest.Installation, githubtest.Bot, tt.token)
		}
		if s.onJudge(fork, "x", head, "completed", "success"); tt.event != nil {
			tt.event(s, head)
		}
		parent := t.TempDir()
		inputs := map[string]string{"model": "flights-delay", "out": filepath.Join(parent, "trainings")}
		for k, v := range tt.inputs {
			inputs[k] = v
		}
		got := s.act("download", inputs)
		require.Equal(t, tt.code, got.code, "%s: %s", tt.name, got.log)
		left, err := os.ReadDir(parent)
		require.NoError(t, err)
		if tt.code == 0 {
			assert.Equal(t, "1", got.outputs["count"])
			assert.FileExists(t, filepath.Join(got.outputs["out"], fine.Name, "training.json"))
			continue
		}
		require.NotEmpty(t, got.annotations, tt.name)
		assert.Contains(t, got.annotations[len(got.annotations)-1], tt.says, tt.name)
		assert.NotContains(t, got.log, "sig=secret", tt.name)
		assert.Empty(t, left, "%s: nothing stays", tt.name)
	}
}

// newBareStage has a repository with next to nothing, on a good day.
func newBareStage(t *testing.T) *stage {
	t.Helper()
	return stageOf(t, map[string]string{"README.md": "flights\n"})
}

// A maintainer lets a fork's word count by a label on its pull request, and by
// nothing that the change could say itself.
func TestActionsDownloadReadsTheLabel(t *testing.T) {
	t.Parallel()
	const fork = "mallory/flights"
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	_, err := w.Create("training.json")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for _, tt := range []struct {
		name, repository, label string
		open                    bool
		accepted                string
	}{
		{"no label", fork, "", true, "false"},
		{"another label", fork, "dosirak/accept", true, "false"},
		{"the label", fork, "dosirak/accept-claims", true, "true"},
		{"the label of another pull request", fork, "dosirak/accept-claims", false, "false"},
		{"a change of this repository needs none", "acme/flights", "", true, "false"},
	} {
		s := newBareStage(t)
		head := s.clone.Git("rev-parse", "HEAD")
		s.hub.LeaveArtifact(githubtest.Artifact{Run: 7, Name: "dosirak-flights-delay-seed-1", Commit: head, Archive: archive.Bytes()})
		branch := "x"
		if !tt.open {
			branch = "y"
		}
		number := s.hub.OpenPull("mallory", tt.repository, branch, head)
		if tt.label != "" {
			s.hub.Label(number, tt.label)
		}
		s.token = s.hub.Token(githubtest.Installation, githubtest.Bot, "contents=read", "actions=read", "pull_requests=read")
		s.onJudge(tt.repository, "x", head, "completed", "success")
		got := s.act("download", map[string]string{"model": "flights-delay", "out": filepath.Join(t.TempDir(), "trainings")})
		require.Equal(t, 0, got.code, got.log)
		assert.Equal(t, tt.accepted, got.outputs["accepted"], tt.name)
	}
}
