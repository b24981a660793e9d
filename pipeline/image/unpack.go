package image

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Unpacked is what an archive says of the image in it.
type Unpacked struct {
	Model    string // name that it serves the model under
	Bundle   string // digest that its label names; the files are what counts
	Platform Platform
	Size     int64 // bytes of the layers, unpacked
}

// jsonBound is the most that an index or configuration in an archive may have.
const jsonBound = 4 << 20

// UnpackBundle copies the bundle out of the archive of an image that Build
// made into dir, which exists and is empty. The archive may come from anyone:
// only plain files of plain names are written, below dir, up to the size of a
// bundle's largest file each. Whether they are a bundle, bundle.Open tells.
func UnpackBundle(archive, dir string) (Unpacked, error) {
	u, err := unpack(archive, dir)
	if err != nil {
		return Unpacked{}, fault.BadImage.Usage(fmt.Errorf("reading the image %s: %w", archive, err))
	}
	return u, nil
}

func unpack(archive, dir string) (Unpacked, error) {
	var images []loadEntry
	err := eachFile(archive, func(name string, r io.Reader) error {
		if name != "manifest.json" {
			return nil
		}
		return json.NewDecoder(io.LimitReader(r, jsonBound)).Decode(&images)
	})
	if err != nil {
		return Unpacked{}, err
	}
	if len(images) != 1 {
		return Unpacked{}, fmt.Errorf("it holds %d images, not one that `dosirak image` made", len(images))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Unpacked{}, err
	}
	defer root.Close()
	layers := map[string]bool{}
	for _, l := range images[0].Layers {
		layers[l] = true
	}
	var u Unpacked
	found := false
	err = eachFile(archive, func(name string, r io.Reader) error {
		switch {
		case name == images[0].Config:
			return u.configure(r)
		case layers[name]:
			n, has, err := unpackLayer(root, r)
			u.Size += n
			found = found || has
			return err
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("there is no bundle at %s in it; only images that `dosirak image` made have one", bundleDir)
	}
	return u, err
}

func (u *Unpacked) configure(r io.Reader) error {
	config, err := v1.ParseConfigFile(io.LimitReader(r, jsonBound))
	if err != nil {
		return fmt.Errorf("its configuration: %w", err)
	}
	u.Platform = Platform{OS: config.OS, Arch: config.Architecture}
	u.Bundle = config.Config.Labels[LabelBundle]
	for i, word := range config.Config.Cmd {
		if word == "--name" && i+1 < len(config.Config.Cmd) {
			u.Model = config.Config.Cmd[i+1]
		}
	}
	return nil
}

// eachFile calls do for every regular file of a tar.
func eachFile(archive string, do func(name string, r io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	return eachEntry(f, func(h *tar.Header, r io.Reader) error { return do(h.Name, r) })
}

func eachEntry(r io.Reader, do func(h *tar.Header, r io.Reader) error) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := do(h, t); err != nil {
			return err
		}
	}
}

// unpackLayer writes the files of the bundle in a layer, compressed or not,
// and returns the size of the layer.
func unpackLayer(root *os.Root, r io.Reader) (size int64, found bool, err error) {
	buffered := bufio.NewReader(r)
	plain := io.Reader(buffered)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if plain, err = gzip.NewReader(buffered); err != nil {
			return 0, false, err
		}
	}
	counted := &reading{r: plain}
	err = eachEntry(counted, func(h *tar.Header, r io.Reader) error {
		name, inside := strings.CutPrefix(path.Clean("/"+h.Name), bundleDir+"/")
		if !inside || strings.Contains(name, "/") {
			return nil
		}
		found = true
		return writeBounded(root, name, r)
	})
	return counted.n, found, err
}

func writeBounded(root *os.Root, name string, r io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, bundle.MaxModel+1))
	if err == nil && n > bundle.MaxModel {
		err = fmt.Errorf("%s has more than %d bytes", name, int64(bundle.MaxModel))
	}
	return errors.Join(err, f.Close())
}

// reading counts what is read.
type reading struct {
	r io.Reader
	n int64
}

func (c *reading) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
