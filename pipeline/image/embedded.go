//go:build release

package image

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// The folder, not the files, so that the package compiles before the release
// build has put the servers there (see servers/README.md).
//
//go:embed servers
var servers embed.FS

// Embedded is the Server that a release carries; ok is false in a binary that
// was built without the tag `release`.
func Embedded(cacheDir string) (server Server, ok bool) {
	return embedded{cacheDir: cacheDir}, true
}

type embedded struct{ cacheDir string }

// Binary unpacks the server for p into the cache, once per release.
func (e embedded) Binary(_ context.Context, p Platform) (string, error) {
	raw, err := servers.ReadFile("servers/model-server-" + p.OS + "-" + p.Arch)
	if err != nil {
		return "", fault.ServerBuild.Environment(fmt.Errorf("this release carries no model server for %s; run dosirak from source, which builds it", p))
	}
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	name := filepath.Join(e.cacheDir, "released-"+p.OS+"-"+p.Arch+"-"+digest[:32])
	if have, _, err := hashFile(name); err == nil && have == digest {
		return name, nil
	}
	if err := e.unpack(name, raw); err != nil {
		return "", fault.Environment(fmt.Errorf("unpacking the model server into %s: %w", e.cacheDir, err))
	}
	return name, nil
}

func (e embedded) unpack(name string, raw []byte) error {
	if err := os.MkdirAll(e.cacheDir, 0o755); err != nil {
		return err
	}
	if err := writeBytes(name, raw); err != nil {
		return err
	}
	return os.Chmod(name, 0o755)
}
