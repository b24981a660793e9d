package project

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/config"
)

// OwnFiles are globs, relative to the project, of what dosirak itself writes or
// reads: the config, the lock of fetched data, workflows, and per environment the
// manifest, its bundles and its evidence. None of them is an input of training:
// what of the config a training depends on is in its key already, and a merged
// promotion must not train everything again.
func (p *Project) OwnFiles() []string {
	own := []string{ConfigFile, filepath.ToSlash(p.ConfigPath), config.LockFile, ".github/**"}
	short := strings.Repeat("[0-9a-f]", 12)
	for _, environment := range p.Config.Promote.Environments {
		manifest, err := p.Config.ManifestPath(environment)
		if err != nil {
			continue // it is one of them
		}
		folder := path.Dir(manifest)
		// Evidence of an environment that was renamed stays dosirak's.
		own = append(own, manifest, path.Join(folder, "bundles", short, "**"), path.Join(folder, "evidence", "*", short, "**"), path.Join(folder, ".gitattributes"))
	}
	return own
}
