package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"
)

// Write makes the bundle b with its model and golden examples in the new
// folder dir and returns its digest. Schema and Files are filled in here. The
// folder appears whole or not at all. Where dir already holds this very
// bundle, nothing changes; any other content is left alone and refused.
func Write(dir string, b Bundle, model []byte, golden Golden) (string, error) {
	files, digest, err := Render(b, model, golden)
	if err != nil {
		return "", err
	}
	if opened, err := Open(dir); err == nil && opened.Digest == digest {
		return digest, nil
	}
	if err := publish(dir, files); err != nil {
		return "", fmt.Errorf("writing the bundle %s: %w", dir, err)
	}
	return digest, nil
}

// FileContent is one file of a bundle in memory.
type FileContent struct {
	Name string
	Data []byte
}

// Render returns the files of a bundle, bundle.json first, and its digest,
// without touching a disk.
func Render(b Bundle, model []byte, golden Golden) ([]FileContent, string, error) {
	if _, _, err := golden.Tensors(); err != nil {
		return nil, "", fmt.Errorf("writing the golden examples: %w", err)
	}
	text, err := encode(golden.canonical())
	if err != nil {
		return nil, "", fmt.Errorf("writing the golden examples: %w", err)
	}
	files := []FileContent{{b.Model.File, model}, {GoldenFile, text}}
	b.Files = nil
	for _, f := range files {
		sum := sha256.Sum256(f.Data)
		b.Files = append(b.Files, Entry{Path: f.Name, Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:])})
	}
	b = b.canonical()
	if err := b.check(); err != nil {
		return nil, "", fmt.Errorf("describing the bundle: %w", err)
	}
	description, err := encode(b)
	if err != nil {
		return nil, "", fmt.Errorf("describing the bundle: %w", err)
	}
	// encoding/json replaces what is not UTF-8 in silence; two such names would
	// become one, so they are not sealed at all.
	if name, ok := b.validText(); !ok {
		return nil, "", fmt.Errorf("describing the bundle: %q is not valid UTF-8", name)
	}
	return append([]FileContent{{File, description}}, files...), Digest(description), nil
}

// validText returns the first text of b that is not valid UTF-8.
func (b *Bundle) validText() (string, bool) {
	texts := []string{b.Model.Name, b.Model.Format, b.Model.File}
	for _, spec := range append(slices.Clone(b.Signature.Inputs), b.Signature.Outputs...) {
		texts = append(append(append(texts, spec.Name), spec.Classes...), spec.Columns...)
	}
	for key, value := range b.Engine {
		texts = append(texts, key, value)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return text, false
		}
	}
	return "", true
}

func publish(dir string, files []FileContent) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, ".bundle-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	// MkdirTemp makes a private folder; a bundle is for whoever may read dir's parent.
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(temp, f.Name), f.Data); err != nil {
			return err
		}
	}
	// rename replaces an empty folder and refuses any other.
	if err := os.Rename(temp, dir); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("the folder is not empty and holds something else; choose another or remove it: %w", fs.ErrExist)
		}
		return err
	}
	return nil
}

// writeFile writes and syncs: a rename must not become durable before its
// content.
func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
