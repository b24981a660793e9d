package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// cacheEntry is the content of cache/<kind>/<key>.json.
type cacheEntry struct {
	Schema string          `json:"schema"`
	Key    string          `json:"key"`
	Blobs  []string        `json:"blobs"` // what the value names: kept as long as the entry
	Value  json.RawMessage `json:"value"`
}

const cacheSchema = "dosirak/cache/v1"

var (
	cacheKind = regexp.MustCompile(`^[a-z]+$`)
	cacheKey  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (s *Store) cachePath(kind, key string) (string, error) {
	if !cacheKind.MatchString(kind) || !cacheKey.MatchString(key) {
		return "", fault.Usage(fmt.Errorf("cache entry %s/%s: the kind is a word, the key 64 hexadecimal digits", kind, key))
	}
	return s.path("cache", kind, key+".json"), nil
}

// PutCache remembers a value under a key, the hexadecimal digest of all that
// the value depends on. blobs are the digests that the value names.
func (s *Store) PutCache(ctx context.Context, kind, key string, value any, blobs ...string) error {
	session, err := s.begin(ctx)
	if err != nil {
		return err
	}
	path, err := s.cachePath(kind, key)
	if err != nil {
		return err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fault.Usage(fmt.Errorf("encoding a cache entry of kind %s: %w", kind, err))
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if blobs == nil {
		blobs = []string{}
	}
	return session.writeJSON(atCache, path, cacheEntry{Schema: cacheSchema, Key: key, Blobs: blobs, Value: data})
}

// GetCache reads a remembered value. A missing, damaged or foreign entry is
// not found: a cache may always be empty.
func (s *Store) GetCache(kind, key string, into any) (found bool, err error) {
	path, err := s.cachePath(kind, key)
	if err != nil {
		return false, err
	}
	entry, err := s.readCache(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || entry.Schema != cacheSchema || entry.Key != key || json.Unmarshal(entry.Value, into) != nil {
		return false, nil
	}
	return true, nil
}

func (s *Store) readCache(path string) (cacheEntry, error) {
	var entry cacheEntry
	err := s.readJSON(path, &entry)
	return entry, err
}
