package serving

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// load gives the archive to docker under a name of this run. Loading it under
// its own name would move a tag of the user's, and two runs would take each
// other's image away.
func (i *container) load(ctx context.Context, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return fault.BadImage.Usage(fmt.Errorf("reading the image: %w", err))
	}
	defer f.Close()
	r, w := io.Pipe()
	renamed := make(chan error, 1)
	go func() {
		err := rename(w, f, i.image)
		w.CloseWithError(err)
		renamed <- err
	}()
	_, err = i.docker.run(ctx, 5*time.Minute, r, "load", "--quiet")
	r.CloseWithError(errors.New("docker load has ended"))
	if bad := <-renamed; bad != nil && err != nil {
		return fault.BadImage.Usage(fmt.Errorf("reading the image %s: %w", archive, bad))
	}
	return err
}

// indexBound is the most that an index of an archive may have.
const indexBound = 4 << 20

// rename copies an image archive and changes the name in it: in manifest.json,
// which Docker reads, and in index.json, which Docker with containerd's image
// store reads.
func rename(w io.Writer, r io.Reader, name string) error {
	in, out := tar.NewReader(r), tar.NewWriter(w)
	found := false
	for {
		header, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		var content io.Reader = in
		if header.Name == "manifest.json" || header.Name == "index.json" {
			raw, err := io.ReadAll(io.LimitReader(in, indexBound))
			if err != nil {
				return err
			}
			if raw, err = renamed(header.Name, raw, name); err != nil {
				return fmt.Errorf("%s: %w", header.Name, err)
			}
			found = found || header.Name == "manifest.json"
			header.Size, content = int64(len(raw)), bytes.NewReader(raw)
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(out, content); err != nil {
			return err
		}
	}
	if !found {
		return errors.New("no manifest.json in it: this is no archive that docker load reads")
	}
	return out.Close()
}

func renamed(file string, raw []byte, name string) ([]byte, error) {
	if file == "manifest.json" {
		var images []map[string]any
		if err := json.Unmarshal(raw, &images); err != nil {
			return nil, err
		}
		if len(images) != 1 {
			return nil, fmt.Errorf("holds %d images, one is tested", len(images))
		}
		images[0]["RepoTags"] = []string{name}
		return json.Marshal(images)
	}
	var index map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&index); err != nil {
		return nil, err
	}
	manifests, _ := index["manifests"].([]any)
	for _, m := range manifests {
		if entry, ok := m.(map[string]any); ok {
			entry["annotations"] = map[string]string{"io.containerd.image.name": "docker.io/library/" + name, "org.opencontainers.image.ref.name": "latest"}
		}
	}
	return json.Marshal(index)
}
