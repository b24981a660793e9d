package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Opened is a bundle on disk whose every file was verified when it was opened.
type Opened struct {
	Bundle Bundle
	Dir    string
	Digest string // of bundle.json: "sha256:" and 64 hexadecimal digits
}

// DamagedError says that a bundle or model file is there but not usable: not
// canonical, truncated, of another digest. The same file will fail again.
type DamagedError struct {
	Path string
	What string
}

func (e *DamagedError) Error() string { return e.Path + ": " + e.What }

// Open reads the bundle in dir and verifies it: canonical bundle.json, size
// and SHA-256 of each file, no other file. A file that is there but wrong
// gives a *DamagedError; a folder without bundle.json an error that is
// fs.ErrNotExist.
func Open(dir string) (*Opened, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the bundle: %w", err)
	}
	defer root.Close()
	o := &Opened{Dir: dir}
	text, err := readFile(root, File, maxDescription)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("opening the bundle %s: no %s in this folder: %w", dir, File, fs.ErrNotExist)
		}
		return nil, o.damaged(File, err)
	}
	o.Digest = Digest(text)
	if err := decode(text, &o.Bundle); err != nil {
		return nil, o.damaged(File, err)
	}
	if err := o.Bundle.check(); err != nil {
		return nil, o.damaged(File, err)
	}
	again, err := encode(o.Bundle.canonical())
	if err != nil {
		return nil, o.damaged(File, err)
	}
	if !bytes.Equal(again, text) {
		return nil, o.damaged(File, errors.New("not in canonical form: it was edited by hand or written by another program; seal the model again"))
	}
	if err := o.checkListing(root); err != nil {
		return nil, err
	}
	for _, entry := range o.Bundle.Files {
		if err := verify(root, entry); err != nil {
			return nil, o.damaged(entry.Path, err)
		}
	}
	if _, err := o.Golden(); err != nil {
		return nil, err
	}
	return o, nil
}

// Digest returns the digest of a bundle whose bundle.json holds text.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Model returns the bytes of the model file. They are verified again: the
// folder may have changed since Open.
func (o *Opened) Model() ([]byte, error) { return o.read(o.Bundle.Model.File) }

// Description returns the bytes of bundle.json, verified again.
func (o *Opened) Description() ([]byte, error) {
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the bundle: %w", err)
	}
	defer root.Close()
	text, err := readFile(root, File, maxDescription)
	if err != nil {
		return nil, o.damaged(File, err)
	}
	if Digest(text) != o.Digest {
		return nil, o.damaged(File, errors.New("changed since the bundle was opened"))
	}
	return text, nil
}

// Golden returns the golden examples, each tensor checked against its shape.
// Answers that another arithmetic gave may differ by its rounding.
func (o *Opened) Golden() (Golden, error) {
	text, err := o.read(GoldenFile)
	if err != nil {
		return Golden{}, err
	}
	var g Golden
	if err := decode(text, &g); err != nil {
		return Golden{}, o.damaged(GoldenFile, err)
	}
	_, outputs, err := g.Tensors()
	if err != nil {
		return Golden{}, o.damaged(GoldenFile, err)
	}
	if o.Bundle.Engine[ArithmeticHint] != Arithmetic {
		g.Tolerance = g.Tolerance.rounded(outputs)
	}
	return g, nil
}

func (o *Opened) read(name string) ([]byte, error) {
	entry := o.Bundle.entry(name)
	if entry == nil {
		return nil, o.damaged(File, fmt.Errorf("files does not list %q", name))
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the bundle: %w", err)
	}
	defer root.Close()
	data, err := readFile(root, name, entry.Size)
	if err != nil {
		return nil, o.damaged(name, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != entry.SHA256 {
		return nil, o.damaged(name, fmt.Errorf("its SHA-256 is %x, %s says %s", sum, File, entry.SHA256))
	}
	return data, nil
}

func (o *Opened) damaged(name string, err error) error {
	var d *DamagedError
	if errors.As(err, &d) {
		return err
	}
	return &DamagedError{Path: o.Dir + "/" + name, What: err.Error()}
}

// checkListing refuses files that bundle.json does not list: they would not be
// covered by the digest and yet be shipped with it.
func (o *Opened) checkListing(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("listing the bundle %s: %w", o.Dir, err)
	}
	defer dir.Close()
	// One more than a good bundle can have is enough to find a stranger.
	names, err := dir.ReadDir(maxFiles + 2)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("listing the bundle %s: %w", o.Dir, err)
	}
	for _, n := range names {
		if n.Name() != File && o.Bundle.entry(n.Name()) == nil {
			return o.damaged(n.Name(), fmt.Errorf("%s does not list it; a bundle holds nothing else", File))
		}
	}
	return nil
}

// verify compares a file with its entry without holding it in memory.
func verify(root *os.Root, entry Entry) error {
	f, err := openRegular(root, entry.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, entry.Size+1))
	if err != nil {
		return err
	}
	if n != entry.Size {
		return sizeError(f, entry.Size)
	}
	if sum := h.Sum(nil); hex.EncodeToString(sum) != entry.SHA256 {
		return fmt.Errorf("its SHA-256 is %x, %s says %s", sum, File, entry.SHA256)
	}
	return nil
}

func sizeError(f *os.File, want int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return fmt.Errorf("has %d bytes, %s says %d", info.Size(), File, want)
}

// openRegular opens a file of the bundle. os.Root keeps links from leading out
// of the folder; a link or device inside it is refused too.
func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("is missing: %w", fs.ErrNotExist)
		}
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	return root.Open(name)
}

func readFile(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := openRegular(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %d bytes", limit)
	}
	return data, nil
}
