package image

import (
	"context"
	"debug/elf"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Server provides the model server's executable.
type Server interface {
	// Binary returns the path of a static executable for p. The same release
	// gives the same bytes.
	Binary(ctx context.Context, p Platform) (string, error)
}

// File is a Server that is one given file: a binary of the user's own, or a
// test's.
type File string

// Binary returns the file, whatever the platform; Build checks that it fits.
func (f File) Binary(context.Context, Platform) (string, error) { return string(f), nil }

// NewServer is the server of this dosirak: the one that a release carries,
// else, or for another platform, one that is built from source as source says.
func NewServer(source Source) Server {
	carried, ok := Embedded(source.CacheDir)
	if !ok {
		return source
	}
	return release{carried, source}
}

type release struct{ carried, source Server }

func (r release) Binary(ctx context.Context, p Platform) (string, error) {
	if p.image() {
		return r.carried.Binary(ctx, p)
	}
	return r.source.Binary(ctx, p)
}

// machines are the ELF machine types of the architectures that images have.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// checkBinary refuses an executable that cannot start on an empty base: not
// ELF, another architecture, or one that needs a dynamic loader.
func checkBinary(path string, p Platform) error {
	f, err := elf.Open(path)
	if err != nil {
		return fault.Usage(fmt.Errorf("server binary %s is no Linux executable: %w", path, err))
	}
	defer f.Close()
	if f.Machine != machines[p.Arch] {
		return fault.Usage(fmt.Errorf("server binary %s is built for %s, not for %s", path, f.Machine, p))
	}
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_INTERP {
			return fault.Usage(fmt.Errorf("server binary %s is dynamically linked and would not start on an empty base; build it with CGO_ENABLED=0", path))
		}
	}
	return nil
}
