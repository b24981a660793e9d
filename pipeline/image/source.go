package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// modulePath is the Go module that holds the model server.
const modulePath = "github.com/dosirak-ml/dosirak"

// serverPackage is the server's folder in the module. All of the module that
// the server is made of lies below it, which a test asserts: the key of a
// built server covers this folder only.
const serverPackage = "model-server"

// keptBinaries is how many built servers stay in the cache.
const keptBinaries = 8

// Source is a Server that is built from this module's source, for dosirak
// binaries that do not carry it (see Embedded).
//
// The bytes depend on the source, Version and the Go version only: no cgo, trimmed
// paths, no build id, no version control stamp, no experiment, the lowest
// level of each architecture. A binary is kept under a key over all of these,
// so a second call costs the hashing of the source, not a link.
type Source struct {
	Dir      string   // the module's folder; empty: where this program was compiled from, else the module cache
	Version  string   // of dosirak: what the server says of itself, and what is looked for in the module cache
	CacheDir string   // keeps built servers
	Environ  []string // environment of the go command, such as os.Environ()
	// Building is told before a server is built, which takes long; it may be nil.
	Building func(Platform)
}

// Binary builds the server for p, or returns the one that was built before.
func (s Source) Binary(ctx context.Context, p Platform) (string, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return "", fault.ServerBuild.Environment(errors.New("the model server must be built and there is no go command on PATH; install Go (https://go.dev/dl), or use a released dosirak, which carries the server"))
	}
	// The go command runs in the module's folder, not in ours.
	if s.CacheDir, err = filepath.Abs(s.CacheDir); err != nil {
		return "", fault.Environment(fmt.Errorf("building the model server: %w", err))
	}
	dir, err := s.find(ctx, goCommand)
	if err != nil {
		return "", err
	}
	key, err := s.key(ctx, goCommand, dir, p)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(s.CacheDir, "model-server-"+p.OS+"-"+p.Arch+"-"+key)
	if info, err := os.Stat(binary); err == nil && info.Mode().IsRegular() {
		return binary, nil
	}
	if s.Building != nil {
		s.Building(p)
	}
	if err := s.build(ctx, goCommand, dir, binary, p); err != nil {
		return "", err
	}
	prune(s.CacheDir, binary)
	return binary, nil
}

// find returns the module's folder.
func (s Source) find(ctx context.Context, goCommand string) (string, error) {
	if s.Dir != "" {
		return s.Dir, nil
	}
	// With `go run` and `go build` in a checkout the compiler noted this file's path.
	if _, here, _, ok := runtime.Caller(0); ok {
		if dir := filepath.Dir(filepath.Dir(filepath.Dir(here))); isModule(dir) {
			return dir, nil
		}
	}
	if s.Version == "" || s.Version == "devel" {
		return "", fault.ServerBuild.Environment(errors.New("the source of the model server is not where this dosirak was built; run it from a checkout with `go run ./cmd/dosirak`, install it by version, or use a release"))
	}
	out, err := s.run(ctx, 2*time.Minute, goCommand, os.TempDir(), "mod", "download", "-json", modulePath+"@"+s.Version)
	if err != nil {
		return "", fault.ServerBuild.Environment(fmt.Errorf("downloading the source of the model server, %s@%s: %w", modulePath, s.Version, err))
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil || module.Dir == "" {
		return "", fault.ServerBuild.Environment(fmt.Errorf("downloading the source of the model server: `go mod download` names no folder for %s@%s", modulePath, s.Version))
	}
	return module.Dir, nil
}

// isModule reports whether dir is the root of this module.
func isModule(dir string) bool {
	raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && bytes.HasPrefix(raw, []byte("module "+modulePath+"\n"))
}

// key covers all that the server's bytes depend on: its source, the versions
// of its dependencies, the Go version, the platform.
func (s Source) key(ctx context.Context, goCommand, dir string, p Platform) (string, error) {
	version, err := s.run(ctx, 30*time.Second, goCommand, dir, "env", "GOVERSION")
	if err != nil {
		return "", fault.Environment(fmt.Errorf("asking go for its version: %w", err))
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q\n", p, bytes.TrimSpace(version), s.buildArguments("", ""))
	names := []string{filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")}
	err = filepath.WalkDir(filepath.Join(dir, serverPackage), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata":
			return fs.SkipDir
		case entry.Type().IsRegular() && !strings.HasSuffix(name, "_test.go"):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return "", fault.Environment(fmt.Errorf("reading the source of the model server: %w", err))
	}
	sort.Strings(names)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return "", fault.Environment(fmt.Errorf("reading the source of the model server: %w", err))
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return "", fault.Environment(fmt.Errorf("reading the source of the model server: %w", err))
		}
		fmt.Fprintf(h, "%q %d\n", filepath.ToSlash(relative), len(raw))
		h.Write(raw)
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// version is the form of versions that may stand in a linker flag.
var version = regexp.MustCompile(`^[A-Za-z0-9.+_-]{1,64}$`)

func (s Source) buildArguments(out, pkg string) []string {
	flags := "-s -w -buildid="
	if version.MatchString(s.Version) {
		flags += " -X main.version=" + s.Version
	}
	return []string{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=" + flags, "-o", out, pkg}
}

// build compiles the server into a file that appears whole or not at all.
func (s Source) build(ctx context.Context, goCommand, dir, binary string, p Platform) error {
	if err := os.MkdirAll(s.CacheDir, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("building the model server: %w", err))
	}
	tmp, err := os.MkdirTemp(s.CacheDir, ".build-*")
	if err != nil {
		return fault.Environment(fmt.Errorf("building the model server: %w", err))
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "model-server")
	build := s
	build.Environ = append(append([]string{}, s.Environ...), buildEnvironment(p)...)
	if _, err := build.run(ctx, 15*time.Minute, goCommand, dir, s.buildArguments(out, "./"+serverPackage)...); err != nil {
		return fault.ServerBuild.Environment(fmt.Errorf("building the model server for %s in %s: %w", p, dir, err))
	}
	if err := os.Rename(out, binary); err != nil {
		return fault.Environment(fmt.Errorf("building the model server: %w", err))
	}
	return nil
}

// buildEnvironment overrides every setting of the go command that would change
// the bytes.
func buildEnvironment(p Platform) []string {
	return []string{
		"CGO_ENABLED=0", "GOOS=" + p.OS, "GOARCH=" + p.Arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off", "GODEBUG=",
	}
}

// run runs the go command and returns its output; an error carries what it
// wrote to stderr.
func (s Source) run(ctx context.Context, limit time.Duration, goCommand, dir string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, goCommand, args...)
	cmd.Dir = dir
	cmd.Env = s.Environ
	cmd.WaitDelay = 5 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, tail(errs.Bytes(), 4096))
	}
	return out.Bytes(), nil
}

// tail returns the last n bytes of what a command said.
func tail(b []byte, n int) string {
	b = bytes.TrimSpace(b)
	if len(b) > n {
		b = append([]byte("..."), b[len(b)-n:]...)
	}
	return string(b)
}

// prune removes the oldest built servers, so that the cache of a project under
// work does not grow for ever.
func prune(dir, keep string) { removeOldest(dir, "model-server-*", keptBinaries, keep) }
