package provenance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// lockFormats are the lock files whose versions can be read without the tool
// that wrote them. Others count by their digest, among the inputs.
var lockFormats = []struct {
	file string
	read func(text string) [][2]string
}{
	{"go.mod", readGoMod},
	{"requirements.lock", readRequirements},
	{"requirements.txt", readRequirements},
	{"poetry.lock", readPackages},
	{"uv.lock", readPackages},
	{"Cargo.lock", readPackages},
}

const maxLockFile = 16 << 20 // bytes

// FindLibraries reads the versions that the lock files at the top of the
// project pin, sorted by file, name, version.
func FindLibraries(dir string) ([]Library, error) {
	libraries := []Library{}
	for _, format := range lockFormats {
		path := filepath.Join(dir, format.file)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!info.Mode().IsRegular() || info.Size() > maxLockFile) {
			continue
		}
		var data []byte
		if err == nil {
			data, err = os.ReadFile(path)
		}
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("reading the versions of the libraries: %w", err))
		}
		for _, pair := range format.read(string(data)) {
			libraries = append(libraries, Library{Name: pair[0], Version: pair[1], File: format.file})
		}
	}
	slices.SortFunc(libraries, func(a, b Library) int {
		return strings.Compare(a.File+"\x00"+a.Name+"\x00"+a.Version, b.File+"\x00"+b.Name+"\x00"+b.Version)
	})
	return slices.Compact(libraries), nil
}

// readGoMod reads go and require lines. https://go.dev/ref/mod#go-mod-file
func readGoMod(text string) [][2]string {
	var found [][2]string
	inside := false
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "require" && len(words) == 2 && words[1] == "(":
			inside = true
		case words[0] == ")":
			inside = false
		case words[0] == "require" && len(words) == 3:
			found = append(found, [2]string{words[1], words[2]})
		case words[0] == "go" && len(words) == 2, words[0] == "toolchain" && len(words) == 2, inside && len(words) == 2:
			found = append(found, [2]string{words[0], words[1]})
		}
	}
	return found
}

// requirement is a pinned one: "name[extra]==version". Others pin nothing.
// https://pip.pypa.io/en/stable/reference/requirements-file-format/
var requirement = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*===?\s*([^\s;\\,]+)`)

func readRequirements(text string) [][2]string {
	var found [][2]string
	for line := range strings.Lines(text) {
		if match := requirement.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
			found = append(found, [2]string{match[1], match[2]})
		}
	}
	return found
}

// readPackages reads name and version of [[package]] tables, as uv, Poetry and
// Cargo write them: one key a line.
func readPackages(text string) [][2]string {
	var found [][2]string
	var name, version string
	inside := false
	flush := func() {
		if name != "" && version != "" {
			found = append(found, [2]string{name, version})
		}
		name, version = "", ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			flush()
			inside = line == "[[package]]"
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !inside {
			continue
		}
		value = strings.TrimSpace(value)
		if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
			continue
		}
		switch strings.TrimSpace(key) {
		case "name":
			name = value[1 : len(value)-1]
		case "version":
			version = value[1 : len(value)-1]
		}
	}
	flush()
	return found
}
