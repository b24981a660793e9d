package train

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A trainer that works in the project's folder and fails in a replicate's copy
// meets one of a few differences: a file that is not in the copy, no virtual
// environment, {out} being a folder, half the machine. Its log tells which.

// failing is a command that did not do its work.
type failing struct {
	*Options
	work, out string // its working copy and its output folder; out is "" for a setup
	lines     []string
	end       Ending
}

// hint says what to do, "" where nothing is known.
func (f failing) hint(ctx context.Context) string {
	quiet := *f.Options // what there is to note was noted
	quiet.Observer = ObserverFunc(func(Event) {})
	f.Options = &quiet
	for _, find := range []func(context.Context) string{f.outIsFolder, f.missingModule, f.notFound, f.missingFile, f.memory} {
		if text := find(ctx); text != "" {
			return text
		}
	}
	return ""
}

var isFolder = regexp.MustCompile(`(?i)is a directory|IsADirectoryError|EISDIR|Permission denied|PermissionError|EACCES|cannot create`)

// outIsFolder finds a trainer that opens {out} itself for writing.
func (f failing) outIsFolder(context.Context) string {
	if f.out == "" {
		return ""
	}
	alone := regexp.MustCompile(regexp.QuoteMeta(f.out) + `/?(?:[^/\w.-]|$)`)
	for _, line := range f.lines {
		if isFolder.MatchString(line) && alone.MatchString(line) {
			return "{out} is a folder: write the model into it, for example to {out}/model.onnx"
		}
	}
	return ""
}

var (
	noModule = regexp.MustCompile(`(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?`)
	noRLib   = regexp.MustCompile(`there is no package called .([\w.]+).`)
	noJS     = regexp.MustCompile(`Cannot find (?:module|package) '([^'./][^']*)'`)
)

// missingModule finds a Python module that is not in the copy, or a library
// that is not installed.
func (f failing) missingModule(ctx context.Context) string {
	for _, line := range slices.Backward(f.lines) {
		if m := noModule.FindStringSubmatch(line); m != nil {
			top, _, _ := strings.Cut(m[1], ".")
			if text := f.moduleOfProject(ctx, top); text != "" {
				return text
			}
			return f.environment(m[1])
		}
		if m := noRLib.FindStringSubmatch(line); m != nil {
			return fmt.Sprintf("R finds no package %s: install it for the R that is on the PATH, or in train.setup", m[1])
		}
		if m := noJS.FindStringSubmatch(line); m != nil {
			return fmt.Sprintf("Node finds no package %s: a replicate's copy has no node_modules, which Git ignores; install it in the command (npm ci && ...), or set NODE_PATH in train.setup's environment", m[1])
		}
	}
	return ""
}

// moduleOfProject says why a module that is a file or folder of the project, or
// of a folder above, is not in the copy.
func (f failing) moduleOfProject(ctx context.Context, top string) string {
	names, err := f.names(ctx)
	if err != nil {
		return ""
	}
	for _, name := range names {
		parts := strings.Split(name, "/")
		for i, part := range parts {
			isModule := part == top+".py" && i == len(parts)-1 || part == top && i < len(parts)-1 && strings.HasSuffix(name, ".py")
			if !isModule {
				continue
			}
			if text := f.why(strings.Join(parts[:i+1], "/"), names); text != "" {
				return text
			}
		}
	}
	for folder := filepath.Dir(f.Dir); ; folder = filepath.Dir(folder) {
		for _, name := range []string{top + ".py", top} {
			if info, err := os.Stat(filepath.Join(folder, name)); err == nil && (!info.IsDir() || hasPython(filepath.Join(folder, name))) {
				return outsideHint(filepath.Join(folder, name), f.Dir)
			}
		}
		if _, err := os.Lstat(filepath.Join(folder, ".git")); err == nil || filepath.Dir(folder) == folder {
			return ""
		}
	}
}

func hasPython(folder string) bool {
	found, err := filepath.Glob(filepath.Join(folder, "*.py"))
	return err == nil && len(found) > 0
}

// editable finds an install that only points to the sources.
var editable = regexp.MustCompile(`\s-e\s|--editable|\buv sync\b|\bpoetry install\b|setup\.py develop`)

// environment is the hint for a library that the interpreter does not have.
func (f failing) environment(module string) string {
	text := fmt.Sprintf("the Python on the PATH has no module %s", module)
	if f.Setup != "" && editable.MatchString(f.Setup) {
		return text + ": train.setup installs the project as editable, which points into the setup's own working copy, and that is gone: install it without -e (uv sync --no-editable)"
	}
	if f.Setup != "" {
		return text + ": install it in train.setup, and call the Python of {env} (its bin is first on the PATH)"
	}
	for _, name := range []string{".venv", "venv", "env", ".env"} {
		if _, err := os.Stat(filepath.Join(f.Dir, name, "pyvenv.cfg")); err == nil {
			return fmt.Sprintf("%s. The virtual environment %s is not in a replicate's copy, for Git ignores it: activate it before you call dosirak (source %s/bin/activate), or let train.setup make one: python3 -m venv {env} && {env}/bin/pip install -r requirements.txt", text, name, name)
		}
	}
	for _, name := range []string{"requirements.txt", "requirements.lock", "pyproject.toml"} {
		if _, err := os.Stat(filepath.Join(f.Dir, name)); err == nil {
			install := "-r " + name
			if name == "pyproject.toml" {
				install = "."
			}
			return fmt.Sprintf("%s: activate the virtual environment that has it before you call dosirak, or let train.setup make one: python3 -m venv {env} && {env}/bin/pip install %s", text, install)
		}
	}
	for _, name := range []string{"environment.yml", "environment.yaml"} {
		if _, err := os.Stat(filepath.Join(f.Dir, name)); err == nil {
			return fmt.Sprintf("%s: activate the conda environment before you call dosirak, or let train.setup make one: conda env create -p {env}/conda -f %s, and call {env}/conda/bin/python", text, name)
		}
	}
	return text + ": activate the environment that has it before you call dosirak, or install it in train.setup"
}

var (
	noFile = regexp.MustCompile(`(?i)no such file|cannot open|can't open|ENOENT|does not exist|not found|cannot find`)
	// paths are quoted, or without spaces.
	pathToken = regexp.MustCompile(`'([^']+)'|"([^"]+)"|‘([^’]+)’|([^\s:;,'"()\[\]]+)`)
)

// missingFile finds a file that the trainer looked for, which exists where the
// project is and not in the copy.
func (f failing) missingFile(ctx context.Context) string {
	names, err := f.names(ctx)
	if err != nil {
		return ""
	}
	for _, line := range slices.Backward(f.lines) {
		if !noFile.MatchString(line) {
			continue
		}
		for _, m := range pathToken.FindAllStringSubmatch(line, -1) {
			quoted, bare := m[1]+m[2]+m[3], m[4]
			if quoted == "" && !strings.ContainsAny(bare, "./") {
				continue // a word of the message
			}
			if text := f.missing(quoted+bare, names); text != "" {
				return text
			}
		}
	}
	return ""
}

// missing says why a path that the log names is not in the copy, "" where it is
// there or nowhere.
func (f failing) missing(token string, names []string) string {
	if strings.Trim(token, "./") == "" {
		return ""
	}
	wanted := token
	if filepath.IsAbs(wanted) {
		rel, err := filepath.Rel(f.work, wanted)
		if err != nil || strings.HasPrefix(rel, "../../../../..") {
			return ""
		}
		wanted = rel
	}
	wanted = filepath.Clean(wanted)
	if _, err := os.Lstat(filepath.Join(f.work, wanted)); err == nil {
		return "" // it is there
	}
	original := filepath.Join(f.Dir, wanted)
	if !filepath.IsLocal(wanted) {
		// Above the copy there is dosirak's folder: only where the same path
		// leads to something from the project is it what was meant.
		if _, err := os.Stat(original); err == nil {
			return outsideHint(original, f.Dir)
		}
		return ""
	}
	name := filepath.ToSlash(wanted)
	if _, err := os.Lstat(original); err == nil {
		return f.why(name, names)
	}
	// The trainer may have changed its folder.
	for _, other := range names {
		if strings.HasSuffix(other, "/"+name) {
			return f.why(other, names)
		}
	}
	return ""
}

// outsideHint is about a file above or beside the project's folder.
func outsideHint(file, project string) string {
	rel, err := filepath.Rel(project, file)
	if err != nil {
		rel = file
	}
	return fmt.Sprintf("%s lies outside of the project's folder, and a replicate runs in a copy of the project's folder, which has nothing above it: put dosirak.yaml where both folders are (paths in it are relative to there, and train.command may begin with cd), or bring the file into the project", filepath.ToSlash(rel))
}

// why says why a file or folder of the project is not in the copy, "" where it
// is there.
func (f failing) why(name string, names []string) string {
	if _, err := os.Lstat(filepath.Join(f.work, filepath.FromSlash(name))); err == nil {
		return ""
	}
	info, err := os.Stat(filepath.Join(f.Dir, filepath.FromSlash(name)))
	if err != nil {
		return ""
	}
	pattern := name
	if info.IsDir() {
		pattern += "/**"
	}
	w, err := f.withheld()
	if err == nil && slices.ContainsFunc(w.paths, func(p string) bool { return below(name, p) || below(p, name) }) {
		return fmt.Sprintf("%s is the evaluation data, which no replicate sees: a model must not meet the rows that it is judged by; split what the trainer validates on off the training data", name)
	}
	known := slices.ContainsFunc(names, func(other string) bool { return below(other, name) })
	switch {
	case f.isOwn(name):
		return fmt.Sprintf("%s is read or written by dosirak itself, and so no input of training: if the trainer needs it, name it in train.inputs", name)
	case len(f.Inputs) > 0 && known:
		return fmt.Sprintf("a replicate runs in a copy of the project's folder that holds what train.inputs name, and no pattern there names %s: add %q", name, pattern)
	case len(f.Inputs) > 0:
		return fmt.Sprintf("a replicate runs in a copy of the project's folder that holds what train.inputs name, and Git ignores %s: name it there in full (%q)", name, path.Clean(name))
	case !known:
		return fmt.Sprintf("a replicate runs in a copy of the project's folder, and Git ignores %s, so it is not in the copy: add it to Git, or name in train.inputs all that training reads, this one in full (%q)", name, path.Clean(name))
	}
	return fmt.Sprintf("a replicate runs in a copy of the project's folder, and %s is not in it", name)
}

var (
	gpuMemory = regexp.MustCompile(`(?i)CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|CUDA error: out of memory|RESOURCE_EXHAUSTED|HIP out of memory|MPS backend out of memory`)
	hostOOM   = regexp.MustCompile(`(?i)\bMemoryError\b|bad_alloc|cannot allocate memory|Unable to allocate|out of memory|cannot allocate vector|^Killed\b|\bOOM\b`)
)

func (f failing) memory(context.Context) string {
	for _, line := range slices.Backward(f.lines) {
		if gpuMemory.MatchString(line) {
			return fmt.Sprintf("the memory of the GPU did not suffice: %d replicates run at once on it; set train.parallel: 1, or train on smaller batches", f.Parallel)
		}
		if hostOOM.MatchString(line) {
			return "the memory did not suffice: run fewer replicates at once (train.parallel: 1), or read less at a time"
		}
	}
	return ""
}

var notFound = regexp.MustCompile(`(?:sh|bash|zsh|dash|env)(?:: line \d+|: \d+)?: ‘?'?([^\s:'’]+)'?’?: (?:command )?(?:not found|No such file or directory)`)

// notFound names the program that the shell did not find.
func (f failing) notFound(context.Context) string {
	if f.end.Code != 127 {
		return ""
	}
	for _, line := range slices.Backward(f.lines) {
		m := notFound.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if first, _, _ := strings.Cut(m[1], "/"); strings.Contains(m[1], "/") && slices.Contains([]string{".venv", "venv", "env", "node_modules"}, first) {
			return fmt.Sprintf("%s is not in a replicate's copy, for Git ignores %s: activate it before you call dosirak and write %s alone, or let train.setup make one: python3 -m venv {env} && {env}/bin/pip install -r requirements.txt", m[1], first, path.Base(m[1]))
		}
		if strings.Contains(m[1], "/") {
			continue
		}
		return fmt.Sprintf("there is no program %s on the PATH: install it, activate the environment that has it before you call dosirak, or install it into {env} in train.setup", m[1])
	}
	return ""
}
