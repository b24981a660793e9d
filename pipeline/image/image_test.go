package image

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// tiny holds static executables, built once for all tests, and cache the layers
// of those tests that are not about the cache.
var (
	tiny  struct{ amd64, arm64, dynamic string }
	cache string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "image-test-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	cache = filepath.Join(dir, "cache")
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/tiny\n\ngo 1.26\n"), 0o644); err != nil {
		panic(err)
	}
	for arch, out := range map[string]*string{"amd64": &tiny.amd64, "arm64": &tiny.arm64} {
		*out = filepath.Join(dir, arch)
		cmd := exec.Command("go", Source{}.buildArguments(*out, ".")...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), buildEnvironment(Platform{OS: "linux", Arch: arch})...)
		if text, err := cmd.CombinedOutput(); err != nil {
			panic(string(text))
		}
	}
	tiny.dynamic = "/bin/ls"
	return m.Run()
}

// seal writes a bundle around the bytes of a model into a new folder.
func seal(t *testing.T, model string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	_, err := bundle.Write(dir, sealed("flights-delay"), []byte(model), bundle.Golden{})
	require.NoError(t, err)
	return dir
}

// sealed describes a model with one input and one output.
func sealed(name string) bundle.Bundle {
	spec := func(name string) []bundle.TensorSpec {
		return []bundle.TensorSpec{{Name: name, Datatype: tensor.FP32, Shape: []int64{-1, 1}}}
	}
	return bundle.Bundle{
		Model:     bundle.Model{Name: name, Format: bundle.FormatONNX, File: "model.onnx"},
		Signature: bundle.Signature{Inputs: spec("x"), Outputs: spec("y")},
	}
}

func options(t *testing.T, bundleDir string) Options {
	return Options{
		BundleDir: bundleDir, Server: File(tiny.amd64), Platform: Platform{OS: "linux", Arch: "amd64"},
		OutDir: t.TempDir(), Release: "v0.1.0", CacheDir: cache,
	}
}

func build(t *testing.T, o Options) Built {
	t.Helper()
	built, err := Build(t.Context(), o)
	require.NoError(t, err)
	return built
}

func open(t *testing.T, built Built) v1.Image {
	t.Helper()
	path, err := ocilayout.FromPath(built.Layout)
	require.NoError(t, err)
	digest, err := v1.NewHash(built.Digest)
	require.NoError(t, err)
	img, err := path.Image(digest)
	require.NoError(t, err)
	return img
}

// The digest is a function of bundle and release: no folder, time, repository
// or state of the cache changes it.
func TestDigestIsAFunctionOfBundleAndRelease(t *testing.T) {
	t.Parallel()
	o := options(t, seal(t, "a model"))
	o.CacheDir = ""
	first := build(t, o)

	o = options(t, seal(t, "a model"))
	o.Repository = "registry.example/acme/flights"
	o.CacheDir = t.TempDir()
	other := filepath.Join(t.TempDir(), "renamed")
	raw, err := os.ReadFile(tiny.amd64)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(other, raw, 0o700))
	o.Server = File(other)
	old := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	for _, name := range []string{other, filepath.Join(o.BundleDir, "model.onnx")} {
		require.NoError(t, os.Chtimes(name, old, old))
	}
	cold := build(t, o)
	o.OutDir = t.TempDir()
	warm := build(t, o)

	assert.Equal(t, first.Digest, cold.Digest)
	assert.Equal(t, first.Digest, warm.Digest)
	assert.Equal(t, "registry.example/acme/flights:"+Tag(first.Bundle), warm.Reference)

	changed := build(t, options(t, seal(t, "another model")))
	assert.NotEqual(t, first.Digest, changed.Digest, "another bundle")
	o = options(t, seal(t, "a model"))
	o.Release = "v0.2.0"
	assert.NotEqual(t, first.Digest, build(t, o).Digest, "another release")
	o = options(t, seal(t, "a model"))
	o.Server, o.Platform = File(tiny.arm64), Platform{OS: "linux", Arch: "arm64"}
	assert.NotEqual(t, first.Digest, build(t, o).Digest, "another platform")
}

// A damaged cache is not believed.
func TestDamagedCacheIsNotUsed(t *testing.T) {
	t.Parallel()
	o := options(t, seal(t, "a model"))
	o.CacheDir = t.TempDir()
	first := build(t, o)
	kept, err := filepath.Glob(filepath.Join(o.CacheDir, "layers", "*.tar.gz"))
	require.NoError(t, err)
	require.Len(t, kept, 2, "the server's layer and the base; the bundle's changes with every model")
	for _, name := range kept {
		require.NoError(t, os.WriteFile(name, []byte("damaged"), 0o644))
	}
	again := build(t, o)
	assert.Equal(t, first.Digest, again.Digest)
	require.NoError(t, validate.Image(open(t, again)))
}

func TestLayoutAndArchiveAreOneImage(t *testing.T) {
	t.Parallel()
	built := build(t, options(t, seal(t, "a model")))
	img := open(t, built)
	require.NoError(t, validate.Image(img), "digests, sizes and diff ids hold")
	manifest, err := img.Manifest()
	require.NoError(t, err)
	assert.Len(t, manifest.Layers, 3)

	// What docker load reads.
	loaded, err := tarball.ImageFromPath(built.Archive, nil)
	require.NoError(t, err)
	config, err := loaded.ConfigName()
	require.NoError(t, err)
	assert.Equal(t, manifest.Config.Digest, config)
	tags, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(built.Archive) })
	require.NoError(t, err)
	assert.Equal(t, []string{built.Reference}, tags[0].RepoTags)

	// The archive unpacked is the layout.
	unpacked := t.TempDir()
	untar(t, built.Archive, unpacked)
	path, err := ocilayout.FromPath(unpacked)
	require.NoError(t, err)
	index, err := path.ImageIndex()
	require.NoError(t, err)
	entries, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, entries.Manifests, 1)
	assert.Equal(t, built.Digest, entries.Manifests[0].Digest.String())

	compressed, err := img.Size() // of the manifest itself
	require.NoError(t, err)
	compressed += manifest.Config.Size
	for _, l := range manifest.Layers {
		compressed += l.Size
	}
	assert.Equal(t, compressed, built.CompressedSize)
	assert.Greater(t, built.Size, built.CompressedSize)
}

func untar(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		name := filepath.Join(dir, h.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		raw, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, raw, 0o644))
	}
}

// entriesOf lists the headers and contents of layer i.
func entriesOf(t *testing.T, img v1.Image, i int) (names []string, content map[string]string, headers map[string]*tar.Header) {
	t.Helper()
	layers, err := img.Layers()
	require.NoError(t, err)
	plain, err := layers[i].Uncompressed()
	require.NoError(t, err)
	defer plain.Close()
	content, headers = map[string]string{}, map[string]*tar.Header{}
	r := tar.NewReader(plain)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return names, content, headers
		}
		require.NoError(t, err)
		raw, err := io.ReadAll(r)
		require.NoError(t, err)
		names = append(names, h.Name)
		content[h.Name], headers[h.Name] = string(raw), h
	}
}

func TestContentOfTheImage(t *testing.T) {
	t.Parallel()
	built := build(t, options(t, seal(t, "a model")))
	img := open(t, built)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, "65532:65532", config.Config.User)
	assert.Equal(t, []string{"/model-server"}, config.Config.Entrypoint)
	assert.Equal(t, []string{"--addr", "0.0.0.0:8080", "--name", "flights-delay", "/bundle"}, config.Config.Cmd)
	assert.Contains(t, config.Config.ExposedPorts, "8080/tcp")
	assert.Equal(t, built.Bundle, config.Config.Labels[LabelBundle])
	assert.Equal(t, "v0.1.0", config.Config.Labels[LabelRelease])
	assert.True(t, config.Created.Equal(time.Unix(0, 0)))
	assert.Equal(t, "linux/amd64", config.OS+"/"+config.Architecture)

	names, _, headers := entriesOf(t, img, 0)
	assert.Equal(t, []string{"model-server", "usr/", "usr/share/", "usr/share/dosirak/", "usr/share/dosirak/model-server.spdx.json"}, names)
	assert.Equal(t, int64(0o755), headers["model-server"].Mode)

	names, content, _ := entriesOf(t, img, 1)
	assert.Equal(t, []string{"etc/", "etc/group", "etc/passwd", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt"}, names)
	assert.Contains(t, content["etc/passwd"], "nonroot:x:65532:65532:")

	names, content, headers = entriesOf(t, img, 2)
	assert.Equal(t, []string{"bundle/", "bundle/bundle.json", "bundle/golden.json", "bundle/model.onnx"}, names)
	assert.Equal(t, "a model", content["bundle/model.onnx"])
	for name, h := range headers {
		assert.True(t, h.ModTime.Equal(time.Unix(0, 0)), name)
		assert.Zero(t, h.Uid, name)
		assert.Zero(t, h.Mode&0o222&^0o200, name)
	}
}

// A new model is a new last layer; nodes keep the others.
func TestANewModelChangesOneLayer(t *testing.T) {
	t.Parallel()
	var layers [2][]v1.Descriptor
	for i, model := range []string{"a model", "another model"} {
		manifest, err := open(t, build(t, options(t, seal(t, model)))).Manifest()
		require.NoError(t, err)
		layers[i] = manifest.Layers
	}
	assert.Equal(t, layers[0][0], layers[1][0])
	assert.Equal(t, layers[0][1], layers[1][1])
	assert.NotEqual(t, layers[0][2], layers[1][2])
}

func TestBuildReplacesTheImage(t *testing.T) {
	t.Parallel()
	o := options(t, seal(t, "a model"))
	first := build(t, o)
	o.BundleDir = seal(t, "another model")
	second := build(t, o)
	assert.NotEqual(t, first.Digest, second.Digest)
	require.NoError(t, validate.Image(open(t, second)))
	left, err := os.ReadDir(o.OutDir)
	require.NoError(t, err)
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	assert.Equal(t, []string{ArchiveFile, LayoutDir}, names, "nothing half-written stays")
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(t *testing.T, o *Options)
		code   int
		want   string
	}{
		{"no bundle", func(t *testing.T, o *Options) { o.BundleDir = t.TempDir() }, 2, "a bundle is a folder that `dosirak seal` wrote"},
		{"no JSON", func(t *testing.T, o *Options) {
			require.NoError(t, os.WriteFile(filepath.Join(o.BundleDir, bundle.File), []byte("{"), 0o644))
		}, 2, "bundle.json"},
		{"a changed model", func(t *testing.T, o *Options) {
			require.NoError(t, os.WriteFile(filepath.Join(o.BundleDir, "model.onnx"), []byte("b model"), 0o644))
		}, 2, "model.onnx: its SHA-256 is"},
		{"a missing file", func(t *testing.T, o *Options) {
			require.NoError(t, os.Remove(filepath.Join(o.BundleDir, "golden.json")))
		}, 2, "golden.json"},
		{"a file that bundle.json does not list", func(t *testing.T, o *Options) {
			require.NoError(t, os.WriteFile(filepath.Join(o.BundleDir, "stray.txt"), nil, 0o644))
		}, 2, "stray.txt"},
		{"a link", func(t *testing.T, o *Options) {
			require.NoError(t, os.Remove(filepath.Join(o.BundleDir, "model.onnx")))
			require.NoError(t, os.Symlink("golden.json", filepath.Join(o.BundleDir, "model.onnx")))
		}, 2, "not a regular file"},
		{"a model name with markup", func(_ *testing.T, o *Options) { o.Model = "a<b>" }, 2, `model name "a<b>"`},
		{"another system", func(_ *testing.T, o *Options) { o.Platform = Platform{"windows", "amd64"} }, 2, "linux/amd64 and linux/arm64"},
		{"a server for another architecture", func(_ *testing.T, o *Options) { o.Server = File(tiny.arm64) }, 2, "EM_AARCH64, not for linux/amd64"},
		{"a server with a loader", func(_ *testing.T, o *Options) { o.Server = File(tiny.dynamic) }, 2, "CGO_ENABLED=0"},
		{"a server that is a script", func(t *testing.T, o *Options) {
			name := filepath.Join(t.TempDir(), "server")
			require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755))
			o.Server = File(name)
		}, 2, "no Linux executable"},
		{"a folder that cannot be made", func(t *testing.T, o *Options) {
			o.OutDir = filepath.Join(tiny.amd64, "out")
		}, 4, "building the image"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := options(t, seal(t, "a model"))
			c.change(t, &o)
			_, err := Build(t.Context(), o)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.code, fault.ExitCode(err))
			if left, err := os.ReadDir(o.OutDir); err == nil {
				assert.Empty(t, left, "nothing half-written stays")
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := options(t, seal(t, "a model"))
	_, err := Build(ctx, o)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
	left, err := os.ReadDir(o.OutDir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestParsePlatform(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"linux/amd64": "", "linux/arm64": "", "linux": "platform", "linux/386": "platform", "darwin/arm64": "platform", "": "platform",
	} {
		p, err := ParsePlatform(s)
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, s, p.String())
			continue
		}
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	pem := string(roots())
	assert.Greater(t, strings.Count(pem, "BEGIN CERTIFICATE"), 100)
	assert.Equal(t, pem, string(roots()))
}

func TestReference(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("ab", 32)
	assert.Equal(t, "dosirak/flights-delay:bundle-abababababab", reference("", "flights-delay", digest))
	assert.Equal(t, "dosirak/a-b:bundle-abababababab", reference("", "a..b-", digest))
	assert.Equal(t, "ghcr.io/acme/x:bundle-abababababab", reference("ghcr.io/acme/x", "y", digest))
}

func TestUnpackBundle(t *testing.T) {
	t.Parallel()
	o := options(t, seal(t, "a model"))
	o.Model = "renamed"
	built := build(t, o)
	dir := t.TempDir()
	u, err := UnpackBundle(built.Archive, dir)
	require.NoError(t, err)
	assert.Equal(t, Unpacked{Model: "renamed", Bundle: built.Bundle, Platform: o.Platform, Size: built.Size}, u)
	opened, err := bundle.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, built.Bundle, opened.Digest)
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	entry := func(name, content string) func(*tar.Writer) {
		return func(w *tar.Writer) {
			require.NoError(t, writePlain(w, name, strings.NewReader(content), int64(len(content))))
		}
	}
	cases := []struct {
		name    string
		entries []func(*tar.Writer)
		want    string
	}{
		{"nothing", nil, "holds 0 images"},
		{"no JSON", []func(*tar.Writer){entry("manifest.json", "{")}, "reading the image"},
		{"two images", []func(*tar.Writer){entry("manifest.json", "[{},{}]")}, "holds 2 images"},
		{"no bundle", []func(*tar.Writer){entry("manifest.json", `[{"Config":"c"}]`), entry("c", "{}")}, "no bundle at /bundle"},
		{"a layer that is no tar", []func(*tar.Writer){entry("manifest.json", `[{"Layers":["l"]}]`), entry("l", strings.Repeat("x", 2000))}, "reading the image"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "image.tar")
			f, err := os.Create(name)
			require.NoError(t, err)
			w := tar.NewWriter(f)
			for _, write := range c.entries {
				write(w)
			}
			require.NoError(t, w.Close())
			require.NoError(t, f.Close())
			_, err = UnpackBundle(name, t.TempDir())
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}
