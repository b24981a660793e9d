//go:build !unix

package doctor

import "errors"

// FreeBytes is not known here.
func FreeBytes(string) (uint64, error) { return 0, errors.New("not known on this system") }
