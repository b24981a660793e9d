package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// bundleDir is where the bundle lies in the image.
const bundleDir = "/bundle"

// content is a bundle whose files were checked against their digests.
type content struct {
	Digest string // sha256:<hex> of bundle.json
	Bundle bundle.Bundle
	Files  []file
}

// readBundle checks the bundle in dir and lists its files. What bundle.json
// does not name stays outside: a stray file must not change the digest.
func readBundle(dir string) (content, error) {
	raw, err := os.ReadFile(filepath.Join(dir, bundle.File))
	if err != nil {
		return content{}, fault.Usage(fmt.Errorf("reading the bundle %s: %w; a bundle is a folder that `dosirak seal` wrote", dir, err))
	}
	sum := sha256.Sum256(raw)
	c := content{Digest: "sha256:" + hex.EncodeToString(sum[:])}
	if err := json.Unmarshal(raw, &c.Bundle); err != nil {
		return content{}, fault.Usage(fmt.Errorf("reading the bundle %s: %s: %w", dir, bundle.File, err))
	}
	if c.Bundle.Schema != bundle.Schema {
		return content{}, fault.Usage(fmt.Errorf("reading the bundle %s: schema %q, this release knows %q", dir, c.Bundle.Schema, bundle.Schema))
	}
	c.Files = append(c.Files, file{Name: path.Join(bundleDir, bundle.File), Mode: 0o444, Data: raw})
	for _, entry := range c.Bundle.Files {
		f, err := checkEntry(dir, entry)
		if err != nil {
			return content{}, fault.Usage(fmt.Errorf("reading the bundle %s: %w", dir, err))
		}
		c.Files = append(c.Files, f)
	}
	return c, nil
}

// checkEntry refuses a path that leaves the bundle and a file that is not what
// bundle.json says.
func checkEntry(dir string, entry bundle.Entry) (file, error) {
	if !filepath.IsLocal(entry.Path) || path.Clean(entry.Path) != entry.Path || entry.Path == bundle.File {
		return file{}, fmt.Errorf("%s names the file %q, which is no path inside the bundle", bundle.File, entry.Path)
	}
	name := filepath.Join(dir, filepath.FromSlash(entry.Path))
	digest, size, err := hashFile(name)
	if err != nil {
		return file{}, err
	}
	if digest != entry.SHA256 || size != entry.Size {
		return file{}, fmt.Errorf("%s is not the file that was sealed: sha256 %s (%d bytes), %s says %s (%d bytes)",
			entry.Path, digest, size, bundle.File, entry.SHA256, entry.Size)
	}
	return file{Name: path.Join(bundleDir, entry.Path), Mode: 0o444, Path: name}, nil
}
