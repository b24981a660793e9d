package smoke_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/brokenserver"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// BenchmarkReady measures how long the real server takes from the start of its
// process to readiness, and what it adds to the start of a container: beside
// it stands a container whose program answers at once and loads nothing.
// Containers share the host's network here, so that the port can be asked
// from the first moment on.
//
//	DOSIRAK_BENCH_BUNDLE=path/to/bundle go test -run=- -bench=Ready -benchtime=10x ./pipeline/smoke
func BenchmarkReady(b *testing.B) {
	bundle, err := filepath.Abs(os.Getenv("DOSIRAK_BENCH_BUNDLE"))
	require.NoError(b, err)
	if os.Getenv("DOSIRAK_BENCH_BUNDLE") == "" {
		b.Skip("set DOSIRAK_BENCH_BUNDLE to a sealed bundle")
	}
	dir := b.TempDir()
	server, err := image.Source{CacheDir: dir, Environ: os.Environ()}.Binary(b.Context(), image.Host())
	require.NoError(b, err)
	noop := filepath.Join(dir, "noop")
	build := exec.Command("go", "build", "-o", noop, "github.com/dosirak-ml/dosirak/internal/brokenserver/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	require.NoError(b, build.Run())
	empty := filepath.Join(dir, "empty")
	require.NoError(b, brokenserver.Write(empty, ""))

	b.Run("process", func(b *testing.B) {
		var took []time.Duration
		for range b.N {
			took = append(took, start(b, "127.0.0.1", func(addr string) *exec.Cmd {
				return exec.Command(server, "--addr", addr, "--name", "m", bundle)
			}))
		}
		b.ReportMetric(median(took), "ms-server")
	})
	b.Run("container", func(b *testing.B) {
		if _, err := (serving.Docker{}).Probe(b.Context()); err != nil {
			b.Skip(err)
		}
		without, with := loadImage(b, "noop", noop, empty), loadImage(b, "server", server, bundle)
		// One after the other, so that both see the same machine.
		var noops, servers, differences []time.Duration
		for range b.N {
			n, s := startContainer(b, without), startContainer(b, with)
			noops, servers, differences = append(noops, n), append(servers, s), append(differences, s-n)
		}
		b.ReportMetric(median(noops), "ms-noop")
		b.ReportMetric(median(servers), "ms-server")
		b.ReportMetric(median(differences), "ms-difference")
	})
}

// loadImage loads the image of a server into Docker and returns its name.
func loadImage(b *testing.B, name, binary, bundle string) string {
	built, err := image.Build(b.Context(), image.Options{
		BundleDir: bundle, Server: image.File(binary), OutDir: b.TempDir(), Release: "bench", Repository: "dosirak-bench/" + name,
	})
	require.NoError(b, err)
	require.NoError(b, exec.Command("docker", "load", "--input", built.Archive).Run())
	b.Cleanup(func() { _ = exec.Command("docker", "image", "rm", built.Reference).Run() })
	return built.Reference
}

func startContainer(b *testing.B, image string) time.Duration {
	return start(b, "127.0.0.1", func(addr string) *exec.Cmd {
		return exec.Command("docker", "run", "--rm", "--network", "host", "--read-only", "--cap-drop", "ALL",
			image, "--addr", addr, "--name", "m", "/bundle")
	})
}

func median(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1000
}

// start runs a command that serves and returns how long it took to be ready.
func start(b *testing.B, host string, command func(addr string) *exec.Cmd) time.Duration {
	l, err := net.Listen("tcp", host+":0")
	require.NoError(b, err)
	addr := net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	require.NoError(b, l.Close())
	cmd := command(addr)
	begin := time.Now()
	require.NoError(b, cmd.Start())
	defer func() {
		// docker run passes the signal on to the container.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if response, err := http.Get("http://" + addr + "/v2/health/ready"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return time.Since(begin)
			}
		}
		time.Sleep(500 * time.Microsecond)
	}
	require.Fail(b, "never ready")
	return 0
}
