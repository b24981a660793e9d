package image

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
)

// BenchmarkBuild builds the image of a small model around the real server, as
// the second run of a project does: server and its layer come from the cache.
// It reports the sizes too.
func BenchmarkBuild(b *testing.B) {
	cache := b.TempDir()
	o := Options{
		BundleDir: benchBundle(b), Server: Source{CacheDir: cache, Environ: os.Environ()},
		OutDir: b.TempDir(), Release: "bench", CacheDir: cache,
	}
	built, err := Build(b.Context(), o)
	require.NoError(b, err)
	for b.Loop() {
		built, err = Build(b.Context(), o)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(built.Size)/1e6, "MB")
	b.ReportMetric(float64(built.CompressedSize)/1e6, "MB-compressed")
}

func benchBundle(b *testing.B) string {
	dir := b.TempDir() + "/bundle"
	_, err := bundle.Write(dir, sealed("flights-delay"), []byte("a small model"), bundle.Golden{})
	require.NoError(b, err)
	return dir
}
