package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
)

// ColumnDigests returns for each named column "sha256:" and the digest of its
// cells in the order of the rows. Two columns have the same digest exactly when
// all their cells are the same text, so 1 and 1.0 differ: what a model makes of
// them may differ too.
func (t *Table) ColumnDigests() map[string]string {
	digests := make([]string, len(t.header))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for j := range t.header {
		g.Go(func() error {
			digests[j] = Column{t, j}.digest()
			return nil
		})
	}
	_ = g.Wait() // hashing does not fail
	named := make(map[string]string, len(t.header))
	for j, name := range t.header {
		if name != "" {
			named[name] = digests[j]
		}
	}
	return named
}

// digest hashes the cells, each behind its length, so that no cell can be taken
// for two.
func (c Column) digest() string {
	const flush = 64 << 10
	hash := sha256.New()
	buffer := make([]byte, 0, 2*flush)
	for i := range c.Len() {
		cell := c.At(i)
		buffer = binary.AppendUvarint(buffer, uint64(len(cell)))
		buffer = append(buffer, cell...)
		if len(buffer) >= flush {
			hash.Write(buffer)
			buffer = buffer[:0]
		}
	}
	hash.Write(buffer)
	return digest.Sum(hash)
}
