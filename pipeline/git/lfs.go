package git

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// pointer is what Git stores in the place of a file that Git LFS keeps.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
var pointer = regexp.MustCompile(`\Aversion https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize [0-9]+\n?\z`)

const maxPointer = 1024

// IsPointer reports whether a content is a Git LFS pointer.
func IsPointer(content []byte) bool { return len(content) <= maxPointer && pointer.Match(content) }

// Content returns the content that a Git LFS pointer stands for, and any other
// content as it is. It is taken from the repository's own store of LFS, or
// brought by git-lfs, and held against the pointer's digest.
func (r *Repo) Content(ctx context.Context, path string, content []byte) ([]byte, error) {
	if len(content) > maxPointer {
		return content, nil
	}
	m := pointer.FindSubmatch(content)
	if m == nil {
		return content, nil
	}
	oid := string(m[1])
	out, err := r.run(ctx, nil, nil, "rev-parse", "--git-common-dir")
	if err != nil {
		return nil, fmt.Errorf("finding the content of %s: %w", path, err)
	}
	kept := filepath.Join(r.absolute(strings.TrimSuffix(string(out), "\n")), "lfs", "objects", oid[:2], oid[2:4], oid)
	if data, err := os.ReadFile(kept); err == nil && digestIs(data, oid) {
		return data, nil
	}
	data, err := r.run(ctx, nil, content, "lfs", "smudge", "--", path)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil || !digestIs(data, oid) || bytes.Equal(data, content) {
		why := ""
		if err != nil {
			why = fmt.Sprintf(" (%v)", err)
		}
		return nil, fmt.Errorf("%s is kept by Git LFS, and its content (sha256:%.12s…) is not here%s: install git-lfs, and run git lfs fetch --all", path, oid, why)
	}
	return data, nil
}

func digestIs(data []byte, hexadecimal string) bool {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]) == hexadecimal
}
