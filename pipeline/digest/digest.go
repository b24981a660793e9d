// Package digest names contents by their SHA-256, in the form that manifests,
// reports and bundles share: "sha256:" and 64 hexadecimal digits, which is
// also that of the OCI image specification
// (https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests).
//
// The package is a leaf: standard library only.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
)

// Prefix stands before the hexadecimal digits.
const Prefix = "sha256:"

// Of is the digest of a content.
func Of(data []byte) string {
	sum := sha256.Sum256(data)
	return Prefix + hex.EncodeToString(sum[:])
}

// Sum is the digest of what was written to a SHA-256 hash.
func Sum(h hash.Hash) string { return Prefix + hex.EncodeToString(h.Sum(nil)) }

// Hex is a digest without its prefix.
func Hex(digest string) string { return strings.TrimPrefix(digest, Prefix) }

// Short is the first twelve digits, enough to recognise one by.
func Short(digest string) string {
	h := Hex(digest)
	return h[:min(len(h), 12)]
}
