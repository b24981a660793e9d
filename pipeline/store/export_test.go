package store

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
)

// ReadBlob returns the verified content of a blob.
func (s *Store) ReadBlob(digest string) ([]byte, error) {
	hexadecimal, err := hexOf(digest)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(s.blobPath(hexadecimal))
	if err != nil {
		return nil, explain("reading the blob", s.blobPath(hexadecimal), err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hexadecimal {
		return nil, corrupt(s.blobPath(hexadecimal))
	}
	return data, nil
}
