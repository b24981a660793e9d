package dataset

import "hash/maphash"

// key is what rows are looked up by: their cells in some columns.
type key struct {
	columns []Column
	seed    maphash.Seed
}

func (k key) hash(i int) uint64 {
	const odd = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	var h uint64
	for _, c := range k.columns {
		// The order of the cells matters, and so does where one ends.
		h = (h<<23 | h>>41) ^ maphash.String(k.seed, c.At(i))
		h *= odd
	}
	return h
}

func equal(a key, i int, b key, j int) bool {
	for n, c := range a.columns {
		if c.At(i) != b.columns[n].At(j) {
			return false
		}
	}
	return true
}

// rowIndex finds the first row that has the same cells: a table of open
// addresses with linear probing. Cells are compared when hashes agree, so
// that what it finds does not depend on the hash.
type rowIndex struct {
	key    key
	slots  []uint32 // row + 1; 0 is free
	hashes []uint64 // of the rows in slots
	mask   uint64
	levels int // number of different keys
}

// newRowIndex indexes rows 0..rows-1 of a table, those left out for which
// skip is true.
func newRowIndex(k key, rows int, skip func(i int) bool) *rowIndex {
	size := 16
	for size < 2*rows {
		size *= 2
	}
	x := &rowIndex{key: k, slots: make([]uint32, size), hashes: make([]uint64, size), mask: uint64(size - 1)}
	for i := range rows {
		if skip != nil && skip(i) {
			continue
		}
		h := k.hash(i)
		s := x.slot(h, k, i)
		if x.slots[s] == 0 {
			x.slots[s], x.hashes[s] = uint32(i)+1, h
			x.levels++
		}
	}
	return x
}

// slot returns where the key of row i of k is, or would be put.
func (x *rowIndex) slot(h uint64, k key, i int) uint64 {
	s := h & x.mask
	for x.slots[s] != 0 && (x.hashes[s] != h || !equal(x.key, int(x.slots[s])-1, k, i)) {
		s = (s + 1) & x.mask
	}
	return s
}

// find returns the first indexed row with the cells of row i of k.
func (x *rowIndex) find(k key, i int) (int, bool) {
	s := x.slot(k.hash(i), k, i)
	return int(x.slots[s]) - 1, x.slots[s] != 0
}
