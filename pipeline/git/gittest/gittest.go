// Package gittest makes small real repositories for tests.
package gittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Repository is a repository with a work tree in a temporary folder.
type Repository struct {
	T   testing.TB
	Dir string
}

// New makes a repository on branch main with one commit of files.
func New(t testing.TB, files map[string]string) Repository {
	t.Helper()
	r := Repository{T: t, Dir: t.TempDir()}
	r.Git("init", "--quiet", "--initial-branch=main")
	r.Git("config", "user.name", "Test")
	r.Git("config", "user.email", "test@example.com")
	r.Commit("first", files)
	return r
}

// Write writes files into the work tree.
func (r Repository) Write(files map[string]string) {
	r.T.Helper()
	for name, content := range files {
		path := filepath.Join(r.Dir, name)
		require.NoError(r.T, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(r.T, os.WriteFile(path, []byte(content), 0o644))
	}
}

// Commit writes files and commits everything.
func (r Repository) Commit(message string, files map[string]string) string {
	r.T.Helper()
	r.Write(files)
	r.Git("add", "--all")
	r.Git("commit", "--quiet", "--allow-empty", "--message", message)
	return r.Git("rev-parse", "HEAD")
}

// Git runs git in the work tree and returns its trimmed output.
func (r Repository) Git(args ...string) string {
	r.T.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	// The developer's own configuration must not change what a test sees.
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.CombinedOutput()
	require.NoError(r.T, err, "git %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}
