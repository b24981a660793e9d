package toolchain

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// probe prints what is asked of a Python, separated by NUL bytes. Nothing but
// sys is imported: it is part of the interpreter, so no file in the folder
// where this runs can take its place.
const probe = `import sys
v = sys.version_info
getattr(sys.stdout, "buffer", sys.stdout).write("\0".join([sys.implementation.name, "%d.%d.%d%s" % (v[0], v[1], v[2], "" if v[3] == "final" else v[3][0] + str(v[4])), sys.prefix] + [p for p in sys.path if p]).encode("utf-8", "surrogateescape"))`

func (c Command) askPython(ctx context.Context, program string) (Tool, bool) {
	out, err := c.run(ctx, c.Env, program, "-c", probe)
	fields := strings.Split(string(out), "\x00")
	if err != nil || len(fields) < 3 {
		return Tool{Name: "python"}, true
	}
	t := Tool{Name: "python", Version: fields[1]}
	if fields[0] != "cpython" {
		t.Version = fields[0] + " " + fields[1]
	}
	seen := map[string]bool{}
	add := func(p Package) {
		if !seen[p.Name] && !slices.Contains(installers, p.Name) {
			seen[p.Name] = true
			t.Packages = append(t.Packages, p)
		}
	}
	// The first folder of the import path that has a distribution is the one
	// that is imported.
	for _, dir := range fields[3:] {
		for _, p := range distributions(dir) {
			add(p)
		}
	}
	for _, p := range condaPackages(fields[2]) {
		if !seen[strings.TrimPrefix(p.Name, "conda:")] {
			add(p)
		}
	}
	slices.SortFunc(t.Packages, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return t, true
}

// askUv asks the Python that uv would run. Of an environment in the project's
// folder only the version counts: a working copy has none, and uv makes one
// from its lock file.
func (c Command) askUv(ctx context.Context, program string) (Tool, bool) {
	found := c.look(program)
	if found == "" {
		return Tool{}, false
	}
	out, err := c.run(ctx, c.Env, found, "python", "find")
	python := strings.TrimSpace(string(out))
	if err != nil || !filepath.IsAbs(python) {
		return Tool{}, false
	}
	t, ok := c.askPython(ctx, python)
	if rel, err := filepath.Rel(c.Dir, python); err == nil && filepath.IsLocal(rel) {
		t.Packages = nil
	}
	return t, ok
}

// installers change no number; pip freeze leaves them out too.
var installers = []string{"pip", "setuptools", "wheel", "distribute", "conda:pip", "conda:setuptools", "conda:wheel"}

// distributions reads the names of the metadata in a folder of the import path.
func distributions(dir string) []Package {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil // the import path names folders and archives that are not there
	}
	var found []Package
	for _, item := range list {
		name, ok := strings.CutSuffix(item.Name(), ".dist-info")
		if !ok {
			if name, ok = strings.CutSuffix(item.Name(), ".egg-info"); !ok {
				continue
			}
			name = eggPython.ReplaceAllString(name, "")
		}
		if strings.HasPrefix(name, "~") {
			continue // what pip could not remove
		}
		p := Package{Name: name}
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			p.Name, p.Version = name[:i], name[i+1:]
		}
		p.Name = normalized(p.Name)
		found = append(found, p)
	}
	return found
}

var (
	eggPython  = regexp.MustCompile(`-py[0-9.]+(-[^-]+)?$`)
	separators = regexp.MustCompile(`[-_.]+`)
)

// normalized is a distribution's name in the form in which names are compared.
// https://packaging.python.org/en/latest/specifications/name-normalization/
func normalized(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }

// condaPackages are those that conda installed into a prefix, by the names of
// their records: "<name>-<version>-<build>.json".
func condaPackages(prefix string) []Package {
	list, err := os.ReadDir(filepath.Join(prefix, "conda-meta"))
	if err != nil {
		return nil
	}
	var found []Package
	for _, item := range list {
		text, ok := strings.CutSuffix(item.Name(), ".json")
		build := strings.LastIndexByte(text, '-')
		if !ok || build < 1 {
			continue
		}
		version := strings.LastIndexByte(text[:build], '-')
		if version < 1 {
			continue
		}
		found = append(found, Package{Name: "conda:" + text[:version], Version: text[version+1:]})
	}
	return found
}

// condaPython is the Python of the environment that `conda run -n NAME` or
// `conda run -p PREFIX` names, "" where there is none.
func condaPython(c Command, words []string) string {
	i := slices.IndexFunc(words, func(w string) bool {
		return slices.Contains([]string{"conda", "mamba", "micromamba"}, filepath.Base(w))
	})
	if i < 0 || !slices.Contains(words[i:], "run") {
		return ""
	}
	value := func(names ...string) string {
		for j := i; j+1 < len(words); j++ {
			if slices.Contains(names, words[j]) {
				return words[j+1]
			}
		}
		return ""
	}
	python := func(prefix string) string { return c.look(filepath.Join(prefix, "bin", "python")) }
	if prefix := value("-p", "--prefix"); prefix != "" {
		return python(prefix)
	}
	name := value("-n", "--name")
	if name == "" {
		return ""
	}
	// conda lists every environment that it made in this file.
	// https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
	text, _ := os.ReadFile(filepath.Join(c.variable("HOME"), ".conda", "environments.txt"))
	prefixes := strings.Fields(string(text))
	for _, dir := range filepath.SplitList(c.variable("CONDA_ENVS_PATH")) {
		prefixes = append(prefixes, filepath.Join(dir, name))
	}
	for _, prefix := range prefixes {
		if filepath.Base(prefix) == name {
			if found := python(prefix); found != "" {
				return found
			}
		}
	}
	return ""
}
