//go:build unix

package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// FreeBytes returns how many bytes an ordinary user can still write below dir.
func FreeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("reading how much room is left at %s: %w", dir, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
