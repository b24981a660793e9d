package project

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// OwnFiles are globs, relative to the project, of what dosirak itself writes or
// reads: configs, the lock of fetched data, workflows, and manifests with their
// bundles and evidence; also those of other models in the same folder or below.
// None of them is an input of training: what of its config a training depends on
// is in its key already, and a merged promotion must not train everything again.
func (p *Project) OwnFiles(ctx context.Context) ([]string, error) {
	own := []string{"**/" + ConfigFile, filepath.ToSlash(p.ConfigPath), "**/" + config.LockFile, ".github/**"}
	for _, environment := range p.Config.Promote.Environments {
		if name, err := p.Config.ManifestPath(environment); err == nil {
			own = append(own, promotedWith(name)...)
		}
	}
	if p.Repo == nil {
		return own, nil
	}
	names, err := p.Repo.Tracked(ctx)
	if err != nil {
		return nil, fault.Environment(err)
	}
	for _, name := range names {
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" {
			continue
		}
		info, err := os.Lstat(p.Path(name))
		if err != nil || !info.Mode().IsRegular() || info.Size() > config.MaxFileBytes {
			continue // gone, or none of ours
		}
		text, err := os.ReadFile(p.Path(name))
		switch {
		case err != nil:
		case isManifest(text):
			own = append(own, promotedWith(name)...)
		case isConfig(text):
			own = append(own, name)
		}
	}
	return own, nil
}

// promotedWith is what a promotion writes with a manifest. Evidence of an
// environment that was renamed stays dosirak's.
func promotedWith(name string) []string {
	folder := path.Dir(name)
	short := strings.Repeat("[0-9a-f]", 12)
	return []string{name, path.Join(folder, "bundles", short, "**"), path.Join(folder, "evidence", "*", short, "**"), path.Join(folder, ".gitattributes")}
}

// isManifest and isConfig tell ours from other YAML by what only they have: a
// file that is broken for a while is still ours.
func isManifest(text []byte) bool {
	return bytes.Contains(text, []byte("\nschema: "+manifest.Schema)) || bytes.HasPrefix(text, []byte("schema: "+manifest.Schema))
}

var configKeys = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^version:[ \t]*1\b`), regexp.MustCompile(`(?m)^model:`), regexp.MustCompile(`(?m)^task:[ \t]*["']?(binary|multiclass|regression)\b`),
	regexp.MustCompile(`(?m)^data:`), regexp.MustCompile(`(?m)^metrics:`),
}

func isConfig(text []byte) bool {
	for _, key := range configKeys {
		if !key.Match(text) {
			return false
		}
	}
	return true
}
