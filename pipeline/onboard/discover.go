package onboard

import (
	"path"
	"slices"
	"strings"
)

// ConfigFile is the name by which a project is found.
const ConfigFile = "dosirak.yaml"

// Discover returns the folders of the projects among the files of a
// repository, sorted; "." is its top. Paths have slashes.
func Discover(files []string) []string {
	var folders []string
	for _, file := range files {
		if path.Base(file) == ConfigFile && !strings.Contains("/"+file, "/testdata/") {
			folders = append(folders, path.Dir(file))
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// Change says what a change is to one project.
type Change string

const (
	None     Change = "none"     // it does not concern the project
	Manifest Change = "manifest" // only what promotions write was changed: nothing is trained
	Model    Change = "model"
)

// Classify says what changed files are to a project. Paths are relative to the
// project's folder; manifests are those of its environments.
func Classify(changed, manifests []string) Change {
	change := None
	for _, file := range changed {
		if !promoted(file, manifests) {
			return Model
		}
		change = Manifest
	}
	return change
}

// promoted reports whether file is one that a promotion writes: a manifest, or
// the bundle and the evidence beside it.
func promoted(file string, manifests []string) bool {
	for _, m := range manifests {
		folder := path.Dir(m)
		if file == m || strings.HasPrefix(file, path.Join(folder, "bundles")+"/") || strings.HasPrefix(file, path.Join(folder, "evidence")+"/") {
			return true
		}
	}
	return false
}
