// Package actions_test holds the script that provides the binary to its
// promise: what is not the released file, or not built where releases are
// built, is never run.
package actions_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const released = "#!/bin/sh\necho released\n"

// release is a copy of the script as a release has it, with doubles of curl and
// gh on the PATH that write down what they were asked.
type release struct {
	t                        *testing.T
	dir, bin, temp, asked    string
	served                   string
	attested, hasGH, hasCurl bool
	digest, version          string
}

func newRelease(t *testing.T) *release {
	t.Helper()
	dir := t.TempDir()
	sum := sha256.Sum256([]byte(released))
	return &release{
		t: t, dir: dir, bin: filepath.Join(dir, "bin"), temp: filepath.Join(dir, "temp dir"), asked: filepath.Join(dir, "asked"),
		served: released, attested: true, hasGH: true, hasCurl: true, digest: hex.EncodeToString(sum[:]), version: "v1.2.3",
	}
}

func (r *release) install() (code int, output, log, asked string) {
	r.t.Helper()
	script, err := os.ReadFile("install.sh")
	require.NoError(r.t, err)
	os.RemoveAll(r.bin)
	for name, text := range map[string]string{
		"actions/install.sh":  string(script),
		"actions/release.txt": "version " + r.version + "\n" + r.digest + "  dosirak_" + runtime.GOOS + "_" + runtime.GOARCH + "\n",
		"served":              r.served,
	} {
		require.NoError(r.t, os.MkdirAll(filepath.Dir(filepath.Join(r.dir, name)), 0o755))
		require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644))
	}
	require.NoError(r.t, os.MkdirAll(r.bin, 0o755))
	require.NoError(r.t, os.MkdirAll(r.temp, 0o755))
	for _, tool := range []string{"bash", "sh", "uname", "awk", "mkdir", "mktemp", "chmod", "mv", "rm", "cat", "sha256sum", "shasum", "dirname", "cp", "go"} {
		if path, err := exec.LookPath(tool); err == nil && tool != "go" {
			require.NoError(r.t, os.Symlink(path, filepath.Join(r.bin, tool)))
		}
	}
	double := func(name, text string) {
		require.NoError(r.t, os.WriteFile(filepath.Join(r.bin, name), []byte("#!/bin/sh\necho "+name+" \"$@\" >> \""+r.asked+"\"\n"+text), 0o755))
	}
	if r.hasCurl {
		double("curl", `while [ $# -gt 0 ]; do case "$1" in --output) out=$2; shift ;; esac; shift; done; cp "`+filepath.Join(r.dir, "served")+`" "$out"`+"\n")
	}
	if r.hasGH {
		double("gh", map[bool]string{true: "exit 0\n", false: "echo 'no attestation' >&2; exit 1\n"}[r.attested])
	}
	os.Remove(r.asked)
	outputs := filepath.Join(r.dir, "outputs")
	os.Remove(outputs)
	cmd := exec.Command(filepath.Join(r.bin, "bash"), filepath.Join(r.dir, "actions", "install.sh"))
	cmd.Env = []string{"PATH=" + r.bin, "RUNNER_TEMP=" + r.temp, "GITHUB_OUTPUT=" + outputs}
	text, err := cmd.CombinedOutput()
	if err != nil {
		code = cmd.ProcessState.ExitCode()
	}
	data, _ := os.ReadFile(outputs)
	calls, _ := os.ReadFile(r.asked)
	return code, strings.TrimSpace(string(data)), string(text), string(calls)
}

func TestInstallVerifiesBeforeItGives(t *testing.T) {
	t.Parallel()
	r := newRelease(t)
	code, output, log, asked := r.install()
	require.Equal(t, 0, code, log)
	binary := strings.TrimPrefix(output, "binary=")
	out, err := exec.Command(binary).Output()
	require.NoError(t, err)
	assert.Equal(t, "released\n", string(out))
	assert.Contains(t, asked, "https://github.com/dosirak-ml/dosirak/releases/download/v1.2.3/dosirak_"+runtime.GOOS+"_"+runtime.GOARCH)
	assert.Contains(t, asked, "attestation verify")
	assert.Contains(t, asked, "--signer-workflow dosirak-ml/dosirak/.github/workflows/release.yml")

	// The next action of the same job.
	code, again, log, asked := r.install()
	require.Equal(t, 0, code, log)
	assert.Equal(t, output, again)
	assert.Empty(t, asked, "it is there, and has its digest")

	// Something replaced it in between.
	require.NoError(t, os.WriteFile(binary, []byte("evil"), 0o755))
	code, _, log, asked = r.install()
	require.Equal(t, 0, code, log)
	assert.Contains(t, asked, "curl")
	text, err := os.ReadFile(binary)
	require.NoError(t, err)
	assert.Equal(t, released, string(text))
}

func TestInstallFailsClosed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*release)
		code   int
		says   string
	}{
		"another file":                {func(r *release) { r.served = "evil" }, 2, "its digest is not the one"},
		"an empty file":               {func(r *release) { r.served = "" }, 2, "its digest is not the one"},
		"no attestation":              {func(r *release) { r.attested = false }, 4, "provenance"},
		"nobody who could verify it":  {func(r *release) { r.hasGH = false }, 2, "there is no gh"},
		"no network":                  {func(r *release) { r.hasCurl = false }, 4, "downloading"},
		"no digest for this platform": {func(r *release) { r.digest = "" }, 2, "has no digest"},
		"a version that is none":      {func(r *release) { r.version = "v1/../../evil" }, 2, "names no version"},
	} {
		r := newRelease(t)
		tt.change(r)
		code, output, log, _ := r.install()
		assert.Equal(t, tt.code, code, "%s: %s", name, log)
		assert.Contains(t, log, tt.says, name)
		assert.Empty(t, output, "%s: no binary is named", name)
		left, err := filepath.Glob(filepath.Join(r.temp, "dosirak", "*"))
		require.NoError(t, err)
		assert.Empty(t, left, "%s: nothing is left behind", name)
	}
}

// Elsewhere than in a release there is no release.txt, so that a pull request
// tests its own code.
func TestThisIsNoRelease(t *testing.T) {
	t.Parallel()
	assert.NoFileExists(t, "release.txt", "release.txt is written by the release workflow, on the tagged commit alone")
}
