package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Names of what Build writes into Options.OutDir.
const (
	LayoutDir   = "layout"    // OCI layout
	ArchiveFile = "image.tar" // `docker load` archive and OCI archive in one
)

// serverPath and sbomPath are where the server and its SBOM lie in the image.
const (
	serverPath = "/model-server"
	sbomPath   = "/usr/share/dosirak/model-server.spdx.json"
)

// Labels of the image beside org.opencontainers.image.*.
const (
	LabelBundle  = "io.github.dosirak-ml.bundle"  // digest of the bundle
	LabelRelease = "io.github.dosirak-ml.release" // version of dosirak
	LabelFormat  = "io.github.dosirak-ml.format"  // format of the model file
	LabelSBOM    = "io.github.dosirak-ml.sbom"    // path of the SBOM
)

// Options says what to build.
type Options struct {
	BundleDir  string   // a sealed bundle
	Model      string   // name that the model is served under; empty: the bundle's
	Server     Server   // where the server's executable comes from
	Platform   Platform // linux/amd64 or linux/arm64; empty: linux on the host's architecture
	Repository string   // name inside the archive, such as ghcr.io/acme/flights-delay; empty: dosirak/<model>
	OutDir     string   // gets LayoutDir and ArchiveFile
	Release    string   // version of dosirak
	CacheDir   string   // keeps compressed layers that do not change; empty: no cache
}

// Built describes a built image.
type Built struct {
	Digest         string `json:"digest"`          // sha256:<hex> of the manifest: the name of the image
	Bundle         string `json:"bundle"`          // sha256:<hex> of the bundle in it
	Model          string `json:"model"`           // name that it serves the model under
	Platform       string `json:"platform"`        // linux/amd64
	Reference      string `json:"reference"`       // repository:tag in the archive
	Archive        string `json:"archive"`         // path
	Layout         string `json:"layout"`          // path
	Size           int64  `json:"size"`            // bytes of the layers, unpacked
	CompressedSize int64  `json:"compressed_size"` // bytes that a pull transfers
}

// modelName is the closed alphabet of model names, the config's.
var modelName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// separators are runs that a repository's name may not have.
var separators = regexp.MustCompile(`[._-]+`)

// Build writes the image of a bundle into OutDir, replacing the one there.
func Build(ctx context.Context, o Options) (Built, error) {
	content, err := readBundle(o.BundleDir)
	if err != nil {
		return Built{}, err
	}
	if o.Model == "" {
		o.Model = content.Bundle.Model.Name
	}
	if !modelName.MatchString(o.Model) {
		return Built{}, fault.Usage(fmt.Errorf("model name %q: use lower-case letters, digits, . _ and -, first a letter or digit, at most 63", o.Model))
	}
	if o.Platform == (Platform{}) {
		o.Platform = Platform{OS: "linux", Arch: Host().Arch}
	}
	if !o.Platform.image() {
		return Built{}, fault.BadPlatform.Usage(fmt.Errorf("platform %q: images are built for linux/amd64 and linux/arm64", o.Platform))
	}
	binary, err := o.Server.Binary(ctx, o.Platform)
	if err != nil {
		return Built{}, err
	}
	if err := checkBinary(binary, o.Platform); err != nil {
		return Built{}, err
	}

	if err := os.MkdirAll(o.OutDir, 0o755); err != nil {
		return Built{}, fault.Environment(fmt.Errorf("building the image: %w", err))
	}
	work, err := os.MkdirTemp(o.OutDir, ".image-*")
	if err != nil {
		return Built{}, fault.Environment(fmt.Errorf("building the image: %w", err))
	}
	defer os.RemoveAll(work)

	built, err := assemble(ctx, work, binary, content, o)
	if err != nil {
		return Built{}, err
	}
	if err := install(work, o.OutDir); err != nil {
		return Built{}, fault.Environment(fmt.Errorf("building the image: %w", err))
	}
	built.Archive = filepath.Join(o.OutDir, ArchiveFile)
	built.Layout = filepath.Join(o.OutDir, LayoutDir)
	return built, nil
}

// assemble writes layout and archive into work. What fails in it is the disk,
// save for a binary without build information, which says so itself.
func assemble(ctx context.Context, work, binary string, c content, o Options) (Built, error) {
	l, err := newLayout(filepath.Join(work, LayoutDir))
	if err != nil {
		return Built{}, fault.Environment(fmt.Errorf("building the image: %w", err))
	}
	layers, err := writeLayers(ctx, l.blobs, binary, c, o)
	if err != nil {
		return Built{}, err
	}
	reference := reference(o.Repository, o.Model, c.Digest)
	if err := l.finish(config(o, c, layers), layers, o.Platform, reference); err != nil {
		return Built{}, fault.Environment(fmt.Errorf("building the image: %w", err))
	}
	if err := l.archive(filepath.Join(work, ArchiveFile), reference); err != nil {
		return Built{}, fault.Environment(fmt.Errorf("building the image: %w", err))
	}
	built := Built{
		Digest: l.manifest.Digest.String(), Bundle: c.Digest, Model: o.Model,
		Platform: o.Platform.String(), Reference: reference,
		CompressedSize: l.manifest.Size + l.config.Size,
	}
	for _, layer := range layers {
		built.Size += layer.Plain
		built.CompressedSize += layer.Size
	}
	return built, nil
}

// writeLayers writes the three layers; the two that a new model leaves as they
// were come from the cache.
func writeLayers(ctx context.Context, blobs, binary string, c content, o Options) ([]layer, error) {
	digest, _, err := hashFile(binary)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the server binary: %w", err))
	}
	bill, err := sbom(binary, digest, o.Release)
	if err != nil {
		return nil, err
	}
	server := []file{
		{Name: serverPath, Mode: 0o755, Path: binary, SHA256: digest},
		{Name: sbomPath, Mode: 0o644, Data: bill},
	}
	base := baseFiles()
	var layers []layer
	for _, part := range []struct {
		key   string
		files []file
	}{
		{key: key("server", digest, string(bill)), files: server},
		{key: baseKey(base), files: base},
		{files: c.Files},
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cache := o.CacheDir
		if part.key == "" {
			cache = ""
		}
		l, err := cachedLayer(cache, part.key, blobs, part.files)
		if err != nil {
			return nil, fault.Environment(err)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// layerFormat changes when the same files would give other bytes of a layer:
// another compressor, level or tar header.
const layerFormat = "2"

func key(parts ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", append([]string{layerFormat}, parts...))
	return hex.EncodeToString(h.Sum(nil))
}

func baseKey(files []file) string {
	parts := []string{"base"}
	for _, f := range files {
		parts = append(parts, f.Name, string(f.Data))
	}
	return key(parts...)
}

// reference names the image inside the archive. The tag is the bundle's
// digest, shortened: a tag such as "latest" would say nothing.
func reference(repository, model, bundle string) string {
	if repository == "" {
		repository = "dosirak/" + strings.Trim(separators.ReplaceAllString(model, "-"), "-")
	}
	return repository + ":" + Tag(bundle)
}

// Tag is the tag of the image of a bundle: the first twelve digits of its digest.
func Tag(bundle string) string {
	const prefix = len("sha256:")
	return "bundle-" + bundle[prefix:prefix+12]
}

// install moves layout and archive to their places. The archive, which a smoke
// test or a promotion reads, comes last: where it is, the layout is too.
func install(work, out string) error {
	archive, layout := filepath.Join(out, ArchiveFile), filepath.Join(out, LayoutDir)
	if err := os.Remove(archive); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.RemoveAll(layout); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(work, LayoutDir), layout); err != nil {
		return err
	}
	return os.Rename(filepath.Join(work, ArchiveFile), archive)
}
