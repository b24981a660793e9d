package smoke_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/brokenserver"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// needDocker skips a test where no daemon answers, except where it is required.
func needDocker(t *testing.T) {
	t.Helper()
	if _, err := (serving.Docker{}).Probe(t.Context()); err != nil {
		if strings.Contains(","+os.Getenv("DOSIRAK_REQUIRE")+",", ",docker,") {
			require.NoError(t, err, "DOSIRAK_REQUIRE names docker")
		}
		t.Skip(err)
	}
}

// docker holds what the tests in Docker share.
type docker struct {
	binary string // the broken server
	cache  string // of layers
	run    string // in the names of what these tests make in Docker
}

// The tests in Docker run one after the other, so that each sees that nothing
// is left behind.
func TestInDocker(t *testing.T) {
	needDocker(t)
	dir := t.TempDir()
	sum := sha256.Sum256([]byte(dir + t.Name()))
	d := docker{filepath.Join(dir, "server"), filepath.Join(dir, "cache"), hex.EncodeToString(sum[:6]) + "-" + strconv.Itoa(os.Getpid())}
	build := exec.Command("go", "build", "-o", d.binary, "github.com/dosirak-ml/dosirak/internal/brokenserver/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Run("good", d.good)
	t.Run("broken", d.broken)
	t.Run("locked up", d.lockedUp)
	t.Run("interrupted", d.interrupted)
	t.Run("no image", d.noImage)
}

// imageOf builds the image of a broken server.
func (d docker) imageOf(t *testing.T, f brokenserver.Fault) (*bundle.Opened, image.Built) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, brokenserver.Write(dir, f))
	opened, err := bundle.Open(dir)
	require.NoError(t, err)
	built, err := image.Build(t.Context(), image.Options{BundleDir: dir, Server: image.File(d.binary), OutDir: t.TempDir(), Release: "v0.1.0", CacheDir: d.cache})
	require.NoError(t, err)
	return opened, built
}

func (d docker) options(t *testing.T, f brokenserver.Fault) smoke.Options {
	t.Helper()
	opened, built := d.imageOf(t, f)
	return smoke.Options{
		Target: serving.Auto{
			Container: serving.Container{Archive: built.Archive, Memory: 256e6, Run: d.run},
			Arch:      image.Host().Arch,
			Process: func(context.Context) (serving.Target, error) {
				require.Fail(t, "Docker answers")
				return nil, nil
			},
		},
		Bundle: opened, RequireDigest: true, ImageSize: built.Size, ImageTransfers: built.CompressedSize,
		SLO: exam.SLO{RatePerSecond: 100, P99Millis: 5000, ReadyMillis: 30_000, ImageBytes: 20e6, MemoryBytes: 256e6},
	}
}

// traces are the names that these tests have in Docker. Other tests may have
// theirs at the same time.
func (d docker) traces(t *testing.T) []string {
	t.Helper()
	var left []string
	for _, args := range [][]string{
		{"ps", "--all", "--format", "{{.Names}}"}, {"network", "ls", "--format", "{{.Name}}"}, {"image", "ls", "--format", "{{.Repository}}"},
	} {
		out, err := exec.Command("docker", args...).Output()
		require.NoError(t, err)
		for name := range strings.FieldsSeq(string(out)) {
			if strings.HasPrefix(name, "dosirak-smoke-") && strings.HasSuffix(name, "-"+d.run) {
				left = append(left, args[0]+" "+name)
			}
		}
	}
	return left
}

func (d docker) good(t *testing.T) {
	r, err := smoke.Run(t.Context(), d.options(t, ""))
	require.NoError(t, err)
	for _, row := range r.Checks {
		assert.Equal(t, verdict.Pass, row.Verdict, "%s: %s", row.Name, row.Detail)
	}
	assert.Equal(t, serving.KindContainer, r.Target)
	assert.Contains(t, r.Why, "answers")
	assert.NotNil(t, r.Memory)
	assert.Empty(t, d.traces(t))
}

// What a container can do wrong is caught there as in a process.
func (d docker) broken(t *testing.T) {
	cases := []struct {
		fault brokenserver.Fault
		check string
		want  string
	}{
		{brokenserver.EndsAtStart, "ready", "exit code 3"},
		{brokenserver.WrongAnswers, "golden answers", "values are wrong"},
		{brokenserver.CrashesOnBadInput, "bad inputs", "ended with exit code 2"},
		{brokenserver.DropsInFlight, "sigterm", "dropped"},
		{brokenserver.ExitsNonZero, "sigterm", "exit code 7"},
	}
	for _, c := range cases {
		t.Run(string(c.fault), func(t *testing.T) {
			r, err := smoke.Run(t.Context(), d.options(t, c.fault))
			require.NoError(t, err)
			assert.Equal(t, verdict.Fail, r.Verdict)
			for _, row := range r.Checks {
				if row.Name == c.check {
					assert.Equal(t, verdict.Fail, row.Verdict, row.Detail)
					assert.Contains(t, row.Detail, c.want)
				}
			}
			assert.Empty(t, d.traces(t))
		})
	}
}

// The container is as locked up as the documentation says.
func (d docker) lockedUp(t *testing.T) {
	_, built := d.imageOf(t, "")
	i, err := serving.Container{Archive: built.Archive, Memory: 128 << 20, Run: d.run}.Start(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, i.Stop(t.Context())) }()
	var name string
	for _, trace := range d.traces(t) {
		if rest, ok := strings.CutPrefix(trace, "ps "); ok {
			name = rest
		}
	}
	require.NotEmpty(t, name)
	inspect := func(format string) string {
		out, err := exec.Command("docker", "inspect", "--format", format, name).Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	assert.Equal(t, "65532:65532", inspect("{{.Config.User}}"))
	assert.Equal(t, "true [ALL] [no-new-privileges] 134217728 134217728 256 false map[]",
		inspect("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.Privileged}} {{.HostConfig.PortBindings}}"))
	out, err := exec.Command("docker", "network", "inspect", "--format", "{{.Internal}}", name).Output()
	require.NoError(t, err)
	assert.Equal(t, "true", strings.TrimSpace(string(out)))
	assert.Equal(t, []string{name}, strings.Fields(inspect("{{range $n, $_ := .NetworkSettings.Networks}}{{$n}} {{end}}")))
}

// Ctrl-C in the middle leaves nothing in Docker.
func (d docker) interrupted(t *testing.T) {
	o := d.options(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(smoke.Row) { cancel() }
	_, err := smoke.Run(ctx, o)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
	assert.Empty(t, d.traces(t))

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = smoke.Run(ctx, o)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
	assert.Empty(t, d.traces(t))
}

func (d docker) noImage(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "image.tar")
	require.NoError(t, os.WriteFile(archive, []byte("no tar at all, though it is long enough to be looked at"), 0o644))
	for name, want := range map[string]string{archive: "reading the image", filepath.Join(t.TempDir(), "none.tar"): "none.tar"} {
		_, err := serving.Container{Archive: name, Run: d.run}.Start(t.Context())
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
	assert.Empty(t, d.traces(t))
}
