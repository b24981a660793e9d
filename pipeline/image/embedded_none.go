//go:build !release

package image

// Embedded is the Server that a release carries; ok is false in a binary that
// was built without the tag `release`.
func Embedded(string) (server Server, ok bool) { return nil, false }
