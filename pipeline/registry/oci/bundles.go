package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Media types of a bundle as an OCI artifact: bundle.json is the config, so the
// digest of the config is that of the bundle, and each file is a layer with its
// own digest, as bundle.json has it. Nothing is packed.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
const (
	bundleType types.MediaType = "application/vnd.dosirak.bundle.v1+json"
	fileType   types.MediaType = "application/vnd.dosirak.bundle.file"
	title                      = "org.opencontainers.image.title" // the file's name
)

const (
	maxManifest = 1 << 20
	maxFiles    = 64
	// attempts bounds how often a download that was cut goes on.
	attempts = 6
)

// Bundles keeps bundles that are too large for Git in an OCI registry.
type Bundles struct {
	Registry
	// Cache holds what was downloaded, by digest; a bundle is fetched once for a
	// machine.
	Cache string
}

var _ project.BundleStore = Bundles{}

// Reference is where the bundle in dir is kept in a repository:
// oci://repository@sha256:<hex>. It is a function of the two alone.
func (b Bundles) Reference(dir, repository string) (string, error) {
	repo, artifact, err := describe(dir, repository)
	if err != nil {
		return "", err
	}
	hash, err := partial.Digest(artifact)
	if err != nil {
		return "", fmt.Errorf("naming the bundle: %w", err)
	}
	return project.RegistryScheme + repo.Digest(hash.String()).String(), nil
}

// Push uploads the bundle in dir. What the registry has already is not sent
// again, and a file is never held in memory.
func (b Bundles) Push(ctx context.Context, dir, repository string) error {
	repo, artifact, err := describe(dir, repository)
	if err != nil {
		return err
	}
	img, err := partial.CompressedToImage(artifact)
	if err != nil {
		return fmt.Errorf("pushing the bundle: %w", err)
	}
	hash, err := img.Digest()
	if err != nil {
		return fmt.Errorf("pushing the bundle: %w", err)
	}
	// A tag keeps the artifact from being collected; its name says whose it is.
	tag := repo.Tag("bundle-" + digest.Short(artifact.name))
	if err := remote.Write(tag, img, b.options(ctx)...); err != nil {
		return explain(ctx, fmt.Sprintf("pushing the bundle to %s", repo.Digest(hash.String())), repo.RegistryStr(), "write", err)
	}
	return nil
}

// Fetch writes the files of the bundle at reference into dir. A download that
// is cut goes on where it ended; every file is held against its digest.
func (b Bundles) Fetch(ctx context.Context, reference, dir string) error {
	doing := "fetching bundle " + reference
	ref, err := name.NewDigest(strings.TrimPrefix(reference, project.RegistryScheme))
	if err != nil {
		return fault.BadReference.Usage(fmt.Errorf("%s: %w: it is written %srepository@sha256:<64 hexadecimal digits>", doing, err, project.RegistryScheme))
	}
	m, err := b.manifest(ctx, doing, ref)
	if err != nil {
		return err
	}
	client, err := b.client(ctx, ref)
	if err != nil {
		return explain(ctx, doing, ref.RegistryStr(), "read", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("%s: %w", doing, err))
	}
	files := append([]v1.Descriptor{m.Config}, m.Layers...)
	files[0].Annotations = map[string]string{title: bundle.File}
	for _, f := range files {
		blob := filepath.Join(b.Cache, "blobs", f.Digest.Hex)
		if err := b.blob(ctx, client, ref, f, blob); err != nil {
			return explain(ctx, fmt.Sprintf("%s: %s", doing, f.Annotations[title]), ref.RegistryStr(), "read", err)
		}
		if err := place(blob, filepath.Join(dir, f.Annotations[title])); err != nil {
			return fault.Environment(fmt.Errorf("%s: %w", doing, err))
		}
	}
	return nil
}

// manifest reads the artifact's manifest, which its digest vouches for, and
// refuses what is no bundle.
func (b Bundles) manifest(ctx context.Context, doing string, ref name.Digest) (*v1.Manifest, error) {
	got, err := remote.Get(ref, b.options(ctx)...)
	if status(err) == http.StatusNotFound {
		return nil, fault.NotInRegistry.Usage(fmt.Errorf("%s: the registry does not hold it (or not for you): push it again with `dosirak run --promote` from the commit that promoted it", doing))
	}
	if err != nil {
		return nil, explain(ctx, doing, ref.RegistryStr(), "read", err)
	}
	refuse := func(format string, args ...any) (*v1.Manifest, error) {
		return nil, fault.BadBundle.Usage(fmt.Errorf("%s: %s", doing, fmt.Sprintf(format, args...)))
	}
	if len(got.Manifest) > maxManifest {
		return refuse("its manifest has %d bytes, at most %d", len(got.Manifest), maxManifest)
	}
	var m v1.Manifest
	if err := json.Unmarshal(got.Manifest, &m); err != nil {
		return refuse("its manifest cannot be read: %v", err)
	}
	if m.Config.MediaType != bundleType {
		return refuse("it is %q, no bundle", m.Config.MediaType)
	}
	if len(m.Layers) > maxFiles {
		return refuse("it has %d files, at most %d", len(m.Layers), maxFiles)
	}
	seen := map[string]bool{bundle.File: true}
	for _, layer := range m.Layers {
		file := layer.Annotations[title]
		switch {
		case file == "" || file != filepath.Base(file) || strings.HasPrefix(file, ".") || strings.ContainsAny(file, `/\`) || seen[file]:
			return refuse("%q is no name of a file of its own", file)
		case layer.Size < 0 || layer.Size > bundle.MaxModel:
			return refuse("%s has %d bytes, at most %d", file, layer.Size, int64(bundle.MaxModel))
		}
		seen[file] = true
	}
	return &m, nil
}

// client is an HTTP client with the credentials to read the repository.
func (b Bundles) client(ctx context.Context, ref name.Digest) (*http.Client, error) {
	keys := b.Keys
	if keys == nil {
		keys = Keychain("")
	}
	auth, err := keys.Resolve(ref.Context())
	if err != nil {
		return nil, err
	}
	base := b.Transport
	if base == nil {
		base = remote.DefaultTransport
	}
	rt, err := transport.NewWithContext(ctx, ref.Context().Registry, auth, base, []string{ref.Context().Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt}, nil
}

// errWrong says that a file is not what its digest says; asking again helps
// nobody.
var errWrong = errors.New("what came is not what the digest names")

// blob downloads one file into the cache, unless it is there.
func (b Bundles) blob(ctx context.Context, client *http.Client, ref name.Digest, want v1.Descriptor, path string) error {
	if held(path, want) == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// A part of its own: two runs may fetch the same file at once.
	part, err := os.CreateTemp(filepath.Dir(path), "part-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	defer part.Close()
	url := fmt.Sprintf("%s://%s/v2/%s/blobs/%s", ref.Context().Scheme(), ref.Context().RegistryStr(), ref.Context().RepositoryStr(), want.Digest)
	for attempt := 1; ; attempt++ {
		err := goOn(ctx, client, url, part, want.Size)
		if err == nil {
			break
		}
		var refused *transport.Error
		if attempt == attempts || ctx.Err() != nil || errors.Is(err, errWrong) || errors.As(err, &refused) && refused.StatusCode < 500 && refused.StatusCode != http.StatusTooManyRequests {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(b.wait(attempt)):
		}
	}
	if err := part.Sync(); err != nil {
		return err
	}
	if err := held(part.Name(), want); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// wait is how long to wait after an attempt.
func (b Bundles) wait(attempt int) time.Duration {
	if b.backoff.Duration > 0 {
		return b.backoff.Duration
	}
	return time.Second << min(attempt-1, 4)
}

// goOn asks for what is missing of a file and appends it.
func goOn(ctx context.Context, client *http.Client, url string, part *os.File, size int64) error {
	at, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if at == size && size > 0 {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if at > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", at, size-1))
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := transport.CheckError(answer, http.StatusOK, http.StatusPartialContent); err != nil {
		return err
	}
	if at > 0 && answer.StatusCode == http.StatusOK {
		// The registry knows no ranges: all of it comes again.
		if _, err := part.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := part.Truncate(0); err != nil {
			return err
		}
		at = 0
	}
	n, err := io.Copy(part, io.LimitReader(answer.Body, size-at+1))
	switch {
	case err != nil:
		return err
	case at+n > size:
		return fmt.Errorf("it is larger than the %d bytes that its manifest names: %w", size, errWrong)
	case at+n < size:
		return fmt.Errorf("the answer ended after %d of %d bytes: %w", at+n, size, io.ErrUnexpectedEOF)
	}
	return nil
}

// held reports whether a file is the one of a descriptor.
func held(path string, want v1.Descriptor) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	got, n, err := v1.SHA256(f)
	if err != nil {
		return err
	}
	if got != want.Digest || n != want.Size {
		return fmt.Errorf("%d bytes with %s came for %d bytes with %s: %w", n, got, want.Size, want.Digest, errWrong)
	}
	return nil
}

// place links a file of the cache, or copies it where the file systems differ.
func place(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// artifact is a bundle's folder as go-containerregistry sends images.
type artifact struct {
	name     string // digest of the bundle
	manifest []byte
	config   []byte
	files    map[v1.Hash]blobFile
}

func describe(dir, repository string) (name.Repository, *artifact, error) {
	repo, err := name.NewRepository(repository)
	if err != nil {
		return repo, nil, fault.BadReference.Usage(fmt.Errorf("serve.repository: %w", err))
	}
	opened, err := bundle.Open(dir)
	if err != nil {
		return repo, nil, fault.BadBundle.Usage(fmt.Errorf("opening the bundle: %w", err))
	}
	a := &artifact{name: opened.Digest, files: map[v1.Hash]blobFile{}}
	if a.config, err = os.ReadFile(filepath.Join(dir, bundle.File)); err != nil {
		return repo, nil, fault.Environment(fmt.Errorf("reading the bundle: %w", err))
	}
	config, err := v1.NewHash(opened.Digest)
	if err != nil {
		return repo, nil, fmt.Errorf("naming the bundle: %w", err)
	}
	m := v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: v1.Descriptor{MediaType: bundleType, Size: int64(len(a.config)), Digest: config},
		Layers: []v1.Descriptor{},
	}
	for _, f := range opened.Bundle.Files {
		hash, err := v1.NewHash(digest.Prefix + digest.Hex(f.SHA256))
		if err != nil {
			return repo, nil, fmt.Errorf("naming the bundle's files: %w", err)
		}
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: fileType, Size: f.Size, Digest: hash, Annotations: map[string]string{title: f.Path}})
		a.files[hash] = blobFile{path: filepath.Join(dir, f.Path), hash: hash, size: f.Size}
	}
	if a.manifest, err = json.Marshal(m); err != nil {
		return repo, nil, fmt.Errorf("naming the bundle: %w", err)
	}
	return repo, a, nil
}

var _ partial.CompressedImageCore = (*artifact)(nil)

func (a *artifact) RawConfigFile() ([]byte, error)      { return a.config, nil }
func (a *artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
func (a *artifact) RawManifest() ([]byte, error)        { return a.manifest, nil }

func (a *artifact) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	f, ok := a.files[h]
	if !ok {
		return nil, fmt.Errorf("the bundle has no file %s", h)
	}
	return f, nil
}

// blobFile is one file, sent as it is.
type blobFile struct {
	path string
	hash v1.Hash
	size int64
}

func (f blobFile) Digest() (v1.Hash, error)            { return f.hash, nil }
func (f blobFile) Size() (int64, error)                { return f.size, nil }
func (f blobFile) MediaType() (types.MediaType, error) { return fileType, nil }
func (f blobFile) Compressed() (io.ReadCloser, error)  { return os.Open(f.path) }
