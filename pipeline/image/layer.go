package image

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// compressionLevel of layers. For the server, 7 MB, the best level (9) saves
// another 3 % and takes eight times as long.
const compressionLevel = 6

// epoch is the time of every file and of the image.
var epoch = time.Unix(0, 0).UTC()

// file is one regular file of a layer. Exactly one of Data and Path is set.
type file struct {
	Name   string // absolute path in the image
	Mode   int64
	Data   []byte
	Path   string // where the content lies on this machine
	SHA256 string // what Path must hold, in hexadecimal; it may have changed since it was looked at
}

// layer is a compressed layer that lies among the blobs of a layout.
type layer struct {
	Digest v1.Hash `json:"digest"`  // of the compressed bytes
	DiffID v1.Hash `json:"diff_id"` // of the tar
	Size   int64   `json:"size"`    // of the compressed bytes
	Plain  int64   `json:"plain"`   // of the tar
}

func (l layer) descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: types.OCILayer, Size: l.Size, Digest: l.Digest}
}

// writeLayer writes files as a gzip-compressed tar into the folder of blobs,
// named by its digest. Files are sorted and their folders are listed, so that
// the order and the way they were given leave no trace.
func writeLayer(blobs string, files []file) (layer, error) {
	tmp, err := os.CreateTemp(blobs, ".layer-*")
	if err != nil {
		return layer{}, fmt.Errorf("writing a layer: %w", err)
	}
	defer func() {
		tmp.Close()
		os.Remove(tmp.Name()) // gone already when all went well
	}()

	compressed := &counter{w: tmp, hash: sha256.New()}
	zip, err := gzip.NewWriterLevel(compressed, compressionLevel)
	if err != nil {
		return layer{}, fmt.Errorf("writing a layer: %w", err)
	}
	plain := &counter{w: zip, hash: sha256.New()}
	if err := writeTar(plain, files); err != nil {
		return layer{}, err
	}
	if err := zip.Close(); err != nil {
		return layer{}, fmt.Errorf("compressing a layer: %w", err)
	}
	if err := tmp.Close(); err != nil {
		return layer{}, fmt.Errorf("writing a layer: %w", err)
	}
	l := layer{Digest: compressed.digest(), DiffID: plain.digest(), Size: compressed.n, Plain: plain.n}
	if err := publish(tmp.Name(), filepath.Join(blobs, l.Digest.Hex)); err != nil {
		return layer{}, fmt.Errorf("writing a layer: %w", err)
	}
	return l, nil
}

// writeTar writes files and the folders that hold them, sorted by path.
func writeTar(w io.Writer, files []file) error {
	entries := map[string]*file{}
	for i := range files {
		f := &files[i]
		if _, double := entries[f.Name]; double {
			return fmt.Errorf("writing a layer: %s is there twice", f.Name)
		}
		entries[f.Name] = f
		for dir := path.Dir(f.Name); dir != "/"; dir = path.Dir(dir) {
			if _, known := entries[dir]; !known {
				entries[dir] = nil
			}
		}
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	sort.Strings(names)

	t := tar.NewWriter(w)
	for _, name := range names {
		if err := writeEntry(t, name, entries[name]); err != nil {
			return fmt.Errorf("writing %s into a layer: %w", name, err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("writing a layer: %w", err)
	}
	return nil
}

func writeEntry(t *tar.Writer, name string, f *file) error {
	header := &tar.Header{Name: name[1:], ModTime: epoch, Format: tar.FormatPAX}
	if f == nil {
		header.Typeflag, header.Mode = tar.TypeDir, 0o755
		header.Name += "/"
		return t.WriteHeader(header)
	}
	header.Typeflag, header.Mode = tar.TypeReg, f.Mode
	if f.Path == "" {
		header.Size = int64(len(f.Data))
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		_, err := t.Write(f.Data)
		return err
	}
	content, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := t.WriteHeader(header); err != nil {
		return err
	}
	c := &counter{w: t, hash: sha256.New()}
	if _, err := io.Copy(c, content); err != nil {
		return err
	}
	if got := c.digest().Hex; f.SHA256 != "" && got != f.SHA256 {
		return fmt.Errorf("%s changed while the image was built: its SHA-256 is %s, not %s", f.Path, got, f.SHA256)
	}
	return nil
}

// cachedLayer is writeLayer with a memory: dir keeps compressed layers under
// key, which must cover all that goes into the layer. A kept layer whose bytes
// are not what they were is written anew.
func cachedLayer(dir, key, blobs string, files []file) (layer, error) {
	if dir == "" {
		return writeLayer(blobs, files)
	}
	dir = filepath.Join(dir, "layers")
	if l, ok := recall(dir, key, blobs); ok {
		return l, nil
	}
	l, err := writeLayer(blobs, files)
	if err != nil {
		return layer{}, err
	}
	// The cache is a convenience: a full disk or a read-only home must not
	// fail a build that has its layer already.
	_ = remember(dir, key, blobs, l)
	return l, nil
}

func recall(dir, key, blobs string) (layer, bool) {
	raw, err := os.ReadFile(filepath.Join(dir, key+".json"))
	if err != nil {
		return layer{}, false
	}
	var l layer
	if err := json.Unmarshal(raw, &l); err != nil || len(l.Digest.Hex) != sha256.Size*2 {
		return layer{}, false
	}
	kept, err := os.Open(filepath.Join(dir, key+".tar.gz"))
	if err != nil {
		return layer{}, false
	}
	defer kept.Close()
	digest, err := storeBlob(blobs, kept)
	return l, err == nil && digest == l.Digest
}

func remember(dir, key, blobs string, l layer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	blob, err := os.Open(filepath.Join(blobs, l.Digest.Hex))
	if err != nil {
		return err
	}
	defer blob.Close()
	if err := writeAtomic(filepath.Join(dir, key+".tar.gz"), blob); err != nil {
		return err
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, key+".json")
	if err := writeBytes(name, raw); err != nil {
		return err
	}
	for _, old := range removeOldest(dir, "*.json", keptLayers, name) {
		_ = os.Remove(strings.TrimSuffix(old, ".json") + ".tar.gz")
	}
	return nil
}

// keptLayers is how many compressed layers stay in the cache.
const keptLayers = 16

// removeOldest removes the files of dir that match pattern, save for the n
// newest and keep, and returns them. Another process may do so at the same
// time.
func removeOldest(dir, pattern string, n int, keep string) []string {
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil
	}
	type aged struct {
		name string
		at   time.Time
	}
	var files []aged
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && name != keep {
			files = append(files, aged{name, info.ModTime()})
		}
	}
	sort.Slice(files, func(i, j int) bool { return files[i].at.After(files[j].at) })
	var removed []string
	for i := n - 1; i < len(files); i++ {
		if os.Remove(files[i].name) == nil {
			removed = append(removed, files[i].name)
		}
	}
	return removed
}

// storeBlob copies r into the folder of blobs under the digest of its bytes.
func storeBlob(blobs string, r io.Reader) (v1.Hash, error) {
	tmp, err := os.CreateTemp(blobs, ".blob-*")
	if err != nil {
		return v1.Hash{}, err
	}
	defer os.Remove(tmp.Name())
	c := &counter{w: tmp, hash: sha256.New()}
	if _, err := io.Copy(c, r); err != nil {
		tmp.Close()
		return v1.Hash{}, err
	}
	if err := tmp.Close(); err != nil {
		return v1.Hash{}, err
	}
	digest := c.digest()
	return digest, publish(tmp.Name(), filepath.Join(blobs, digest.Hex))
}

// publish gives a finished temporary file its name and ordinary permissions.
func publish(tmp, name string) error {
	if err := os.Chmod(tmp, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

// counter counts and hashes what passes through it.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (c *counter) digest() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(c.hash.Sum(nil))}
}

// hashFile returns the SHA-256 of a regular file, in hexadecimal.
func hashFile(name string) (string, int64, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), n, err
}
