package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// checkout writes a module of dosirak's name with a server of one file.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, serverPackage, "testdata"), 0o755))
	for name, text := range map[string]string{
		"go.mod": "module " + modulePath + "\n\ngo 1.26\n", "go.sum": "",
		serverPackage + "/main.go": "package main\n\nfunc main() {}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func TestSource(t *testing.T) {
	t.Parallel()
	p := Platform{OS: "linux", Arch: "amd64"}
	dir := checkout(t)
	first := Source{Dir: dir, CacheDir: t.TempDir(), Environ: os.Environ()}
	one, err := first.Binary(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, checkBinary(one, p))
	at, err := os.Stat(one)
	require.NoError(t, err)

	// Nothing that is no part of the server makes it another one.
	for name, text := range map[string]string{"main_test.go": "package main\n", "testdata/x.go": "package x\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, serverPackage, name), []byte(text), 0o644))
	}
	again, err := first.Binary(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, one, again)
	now, err := os.Stat(again)
	require.NoError(t, err)
	assert.True(t, os.SameFile(at, now), "not built again")

	// The same source in another folder gives the same bytes, whatever the
	// environment says.
	second := Source{Dir: checkout(t), CacheDir: t.TempDir(), Environ: append(os.Environ(), "GOFLAGS=-tags=x", "GOAMD64=v3", "CGO_ENABLED=1")}
	two, err := second.Binary(t.Context(), p)
	require.NoError(t, err)
	want, _, err := hashFile(one)
	require.NoError(t, err)
	got, _, err := hashFile(two)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	require.NoError(t, os.WriteFile(filepath.Join(dir, serverPackage, "main.go"), []byte("package main\n\nfunc main() { println() }\n"), 0o644))
	changed, err := first.Binary(t.Context(), p)
	require.NoError(t, err)
	assert.NotEqual(t, one, changed)
}

func TestSourceThatDoesNotCompile(t *testing.T) {
	t.Parallel()
	s := Source{Dir: checkout(t), CacheDir: t.TempDir(), Environ: os.Environ()}
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, serverPackage, "main.go"), []byte("package main\n\nfunc main() { nonsense() }\n"), 0o644))
	_, err := s.Binary(t.Context(), Host())
	require.ErrorContains(t, err, "undefined: nonsense")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	left, err := os.ReadDir(s.CacheDir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// The tests that change PATH cannot run beside others.
func TestSourceWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Source{Dir: t.TempDir(), CacheDir: t.TempDir()}.Binary(t.Context(), Host())
	require.ErrorContains(t, err, "install Go")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
}

// Source.key covers model-server and go.sum only, so the server may not be
// made of other packages of this module.
func TestTheServerIsMadeOfItsFolder(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "./"+serverPackage+"/...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	require.NoError(t, err)
	for _, pkg := range strings.Fields(string(out)) {
		if strings.HasPrefix(pkg, modulePath+"/") {
			assert.True(t, strings.HasPrefix(pkg, modulePath+"/"+serverPackage), "%s is outside of %s", pkg, serverPackage)
		}
	}
}

func TestPruneKeepsTheNewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range keptBinaries + 3 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "model-server-"+string(rune('a'+i))), nil, 0o644))
	}
	keep := filepath.Join(dir, "model-server-a")
	prune(dir, keep)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, keptBinaries)
	assert.FileExists(t, keep)
}
