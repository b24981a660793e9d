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
// project's folder; manifests are those of its environments, and matters says
// whether the model, or its exam, depends on a file.
func Classify(changed, manifests []string, matters func(file string) bool) Change {
	change := None
	for _, file := range changed {
		switch {
		case promoted(file, manifests):
			change = Manifest
		case matters(file):
			return Model
		}
	}
	return change
}

// Documentation reports whether a file is for people or for the hosting, and
// no part of a model unless train.inputs names it.
func Documentation(file string) bool {
	if strings.HasPrefix(file, ".github/") || strings.HasPrefix(file, ".gitlab/") || strings.HasPrefix(file, ".circleci/") {
		return true
	}
	base := path.Base(file)
	switch base {
	case ".gitignore", ".gitattributes", ".editorconfig", ".mailmap", "CODEOWNERS", ".pre-commit-config.yaml", "renovate.json":
		return true
	}
	name, extension, _ := strings.Cut(base, ".")
	switch strings.ToLower(extension) {
	case "", "md", "rst", "txt", "adoc":
		switch strings.ToUpper(name) {
		case "README", "LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG", "CHANGES", "CONTRIBUTING", "CODE_OF_CONDUCT", "SECURITY", "AUTHORS":
			return true
		}
	}
	return false
}

// Inside reports whether a file lies in one of the folders; "." holds none,
// since a project does not lie in itself.
func Inside(file string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return folder != "." && strings.HasPrefix(file, folder+"/") })
}

// Promoted returns the first of the changed files that a promotion writes, ""
// where there is none.
func Promoted(changed, manifests []string) string {
	for _, file := range changed {
		if promoted(file, manifests) {
			return file
		}
	}
	return ""
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
