package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layout is an OCI layout that is being written.
type layout struct {
	dir      string
	blobs    string // dir/blobs/sha256
	config   v1.Descriptor
	layers   []layer
	manifest v1.Descriptor
}

func newLayout(dir string) (*layout, error) {
	l := &layout{dir: dir, blobs: filepath.Join(dir, "blobs", "sha256")}
	return l, os.MkdirAll(l.blobs, 0o755)
}

// config is the image's configuration: how a runtime starts it.
func config(o Options, c content, layers []layer) v1.ConfigFile {
	diffs := make([]v1.Hash, len(layers))
	for i, l := range layers {
		diffs[i] = l.DiffID
	}
	created := v1.Time{Time: epoch}
	return v1.ConfigFile{
		Created: created, Architecture: o.Platform.Arch, OS: o.Platform.OS,
		RootFS: v1.RootFS{Type: "layers", DiffIDs: diffs},
		History: []v1.History{
			{Created: created, CreatedBy: "dosirak image", Comment: "model server and SBOM"},
			{Created: created, CreatedBy: "dosirak image", Comment: "users and CA roots"},
			{Created: created, CreatedBy: "dosirak image", Comment: "bundle"},
		},
		Config: v1.Config{
			User:         nonroot,
			Entrypoint:   []string{serverPath},
			Cmd:          []string{"--addr", "0.0.0.0:8080", "--name", o.Model, bundleDir},
			ExposedPorts: map[string]struct{}{"8080/tcp": {}},
			WorkingDir:   "/",
			StopSignal:   "SIGTERM",
			Labels: map[string]string{
				"org.opencontainers.image.title":       o.Model,
				"org.opencontainers.image.description": "The model " + o.Model + " behind the Open Inference Protocol (V2)",
				"org.opencontainers.image.version":     Tag(c.Digest),
				LabelBundle:                            c.Digest,
				LabelRelease:                           o.Release,
				LabelFormat:                            c.Bundle.Model.Format,
				LabelSBOM:                              sbomPath,
			},
		},
	}
}

// finish writes config, manifest and index around layers that are blobs already.
func (l *layout) finish(config v1.ConfigFile, layers []layer, p Platform, reference string) error {
	l.layers = layers
	var err error
	if l.config, err = l.blob(config, types.OCIConfigJSON); err != nil {
		return err
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: l.config}
	for _, layer := range layers {
		manifest.Layers = append(manifest.Layers, layer.descriptor())
	}
	if l.manifest, err = l.blob(manifest, types.OCIManifestSchema1); err != nil {
		return err
	}
	entry := l.manifest
	entry.Platform = &v1.Platform{OS: p.OS, Architecture: p.Arch}
	entry.Annotations = map[string]string{
		"org.opencontainers.image.ref.name": reference,
		"io.containerd.image.name":          reference, // the name that containerd's image store gives on load
	}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{entry}}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.dir, "index.json"), raw, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

// blob stores v as JSON and describes it.
func (l *layout) blob(v any, media types.MediaType) (v1.Descriptor, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return v1.Descriptor{}, err
	}
	digest, err := storeBlob(l.blobs, bytes.NewReader(raw))
	return v1.Descriptor{MediaType: media, Size: int64(len(raw)), Digest: digest}, err
}

// loadEntry is one image of manifest.json, which `docker load` reads.
type loadEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// archive writes the layout as a tar, with manifest.json beside index.json.
func (l *layout) archive(name, reference string) error {
	entry := loadEntry{Config: blobPath(l.config.Digest), RepoTags: []string{reference}}
	blobs := map[string]bool{blobPath(l.config.Digest): true, blobPath(l.manifest.Digest): true}
	for _, layer := range l.layers {
		entry.Layers = append(entry.Layers, blobPath(layer.Digest))
		blobs[blobPath(layer.Digest)] = true
	}
	manifest, err := json.Marshal([]loadEntry{entry})
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	t := tar.NewWriter(f)
	if err := writePlain(t, "manifest.json", bytes.NewReader(manifest), int64(len(manifest))); err != nil {
		return err
	}
	names := []string{"index.json", "oci-layout"}
	for blob := range blobs {
		names = append(names, blob)
	}
	sort.Strings(names)
	for _, part := range names {
		if err := l.copyInto(t, part); err != nil {
			return fmt.Errorf("archiving %s: %w", part, err)
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return f.Close()
}

func (l *layout) copyInto(t *tar.Writer, name string) error {
	f, err := os.Open(filepath.Join(l.dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return writePlain(t, name, f, info.Size())
}

func writePlain(t *tar.Writer, name string, r io.Reader, size int64) error {
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: epoch}); err != nil {
		return err
	}
	_, err := io.Copy(t, r)
	return err
}

// blobPath is a blob's path inside a layout.
func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// writeAtomic writes r into a file that appears whole or not at all.
func writeAtomic(name string, r io.Reader) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".write-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := io.Copy(tmp, r); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return publish(tmp.Name(), name)
}

func writeBytes(name string, raw []byte) error { return writeAtomic(name, bytes.NewReader(raw)) }
