package toolchain

import (
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Tool is a program that a command runs with.
type Tool struct {
	Name     string    `json:"name"`               // python, r, julia, node, go, uv, ...
	Version  string    `json:"version"`            // "" where it does not tell
	Packages []Package `json:"packages,omitempty"` // installed distributions, sorted by name
}

// Package is an installed distribution.
type Package struct {
	Name    string `json:"name"` // normalized; "conda:" before those of conda alone
	Version string `json:"version"`
}

// Command is what is looked at.
type Command struct {
	Text  string
	Dir   string   // where it runs, or would
	Env   []string // its environment
	Files []string // of the project, for a command that names no program that is known
}

// patience is how long one program may take to say its version.
const patience = 20 * time.Second

// kind is a language or a tool.
type kind struct {
	name     string
	program  *regexp.Regexp // names of its program
	programs []string       // programs where only the files say that it is used
	files    []string       // endings of its files
	version  []string       // arguments that print the version
}

var kinds = []kind{
	{name: "python", program: regexp.MustCompile(`^(python|pypy)[0-9.]*$`), programs: []string{"python3", "python"}, files: []string{".py", ".ipynb"}},
	{name: "r", program: regexp.MustCompile(`^(R|Rscript)$`), programs: []string{"Rscript"}, files: []string{".R", ".Rmd"}, version: []string{"--version"}},
	{name: "julia", program: regexp.MustCompile(`^julia$`), programs: []string{"julia"}, files: []string{".jl"}, version: []string{"--version"}},
	{name: "node", program: regexp.MustCompile(`^(node|npm|npx)$`), programs: []string{"node"}, files: []string{".js", ".mjs", ".ts"}, version: []string{"--version"}},
	{name: "deno", program: regexp.MustCompile(`^deno$`), version: []string{"--version"}},
	{name: "bun", program: regexp.MustCompile(`^bun$`), version: []string{"--version"}},
	{name: "go", program: regexp.MustCompile(`^go$`), programs: []string{"go"}, files: []string{".go"}, version: []string{"env", "GOVERSION"}},
	{name: "cargo", program: regexp.MustCompile(`^(cargo|rustc)$`), programs: []string{"cargo"}, files: []string{".rs"}, version: []string{"--version"}},
	{name: "uv", program: regexp.MustCompile(`^uvx?$`), version: []string{"--version"}},
}

// Find looks at what a command runs with. What is not there is left out: the
// command itself will say so.
func Find(ctx context.Context, c Command) []Tool {
	var tools []Tool
	add := func(t Tool, ok bool) {
		if ok && !slices.ContainsFunc(tools, func(o Tool) bool {
			return o.Name == t.Name && o.Version == t.Version && slices.Equal(o.Packages, t.Packages)
		}) {
			tools = append(tools, t)
		}
	}
	words := strings.FieldsFunc(c.Text, func(r rune) bool { return strings.ContainsRune(" \t\n\"'`;&|<>()={}", r) })
	known := false
	for _, word := range words {
		for _, k := range kinds {
			if k.program.MatchString(path.Base(word)) {
				known = true
				add(c.ask(ctx, k, word))
				if k.name == "uv" {
					add(c.askUv(ctx, word))
				}
			}
		}
	}
	if python := condaPython(c, words); python != "" {
		known = true
		add(c.ask(ctx, kinds[0], python))
	}
	if known {
		return tools
	}
	for _, k := range kinds {
		if !slices.ContainsFunc(c.Files, func(name string) bool { return slices.Contains(k.files, path.Ext(name)) }) {
			continue
		}
		for _, program := range k.programs {
			add(c.ask(ctx, k, program))
		}
	}
	return tools
}

// ask asks one program for its version. npm and npx are asked as node.
func (c Command) ask(ctx context.Context, k kind, program string) (Tool, bool) {
	if k.name == "node" {
		program = path.Join(path.Dir(program), "node")
	}
	found := c.look(program)
	if found == "" {
		return Tool{}, false
	}
	if k.name == "python" {
		return c.askPython(ctx, found)
	}
	env := c.Env
	if k.name == "go" {
		// go.mod, which is a lock file, names the toolchain that is downloaded.
		env = append(slices.Clone(env), "GOTOOLCHAIN=local")
	}
	out, err := c.run(ctx, env, found, k.version...)
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(line) > 200 {
		line = ""
	}
	return Tool{Name: k.name, Version: strings.ToValidUTF8(line, "")}, true
}

func (c Command) run(ctx context.Context, env []string, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = c.Dir, env, time.Second
	return cmd.Output()
}

// variable is the value of a variable of the command's environment; the last
// one counts, as for exec.
func (c Command) variable(name string) string {
	value := ""
	for _, v := range c.Env {
		if key, text, _ := strings.Cut(v, "="); key == name {
			value = text
		}
	}
	return value
}

// look finds a program as the shell does; "" where it is not there.
func (c Command) look(program string) string {
	candidates := []string{program}
	switch {
	case filepath.IsAbs(program):
	case strings.Contains(program, "/"):
		candidates = []string{filepath.Join(c.Dir, program)}
	default:
		candidates = nil
		for _, dir := range filepath.SplitList(c.variable("PATH")) {
			if filepath.IsAbs(dir) {
				candidates = append(candidates, filepath.Join(dir, program))
			}
		}
	}
	for _, candidate := range candidates {
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return candidate
		}
	}
	return ""
}
