package dataset

import (
	"context"
	"hash/maphash"
	"math"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// key is what rows are looked up by: their cells in some columns, by what they
// say and not by how it is written.
type key struct {
	columns []Column
	seed    maphash.Seed
	names   bool // the cells are names (ids, groups), not values
}

// reading is what a cell says: a number or a text.
type reading struct {
	text string
	bits uint64 // of a number; 0 for a text
}

// missingBits stands for a value that is missing; no number has its bits.
const missingBits = 0x7ff8_dead_0000_0001

// read returns what a cell says. Of values, 1, 1.0 and True are one, and every
// spelling of "missing"; numbers with a fraction are equal where they are as
// float32, so that a table that went through one meets itself. Of names, 1 and
// 1.0 are one, and all else is text.
func (k key) read(cell string) reading {
	if k.names {
		return reading{text: Name(cell)}
	}
	v, ok := table.Number(cell)
	switch {
	case !ok:
		if b, word := table.TrueFalse(cell); word {
			v = 0
			if b {
				v = 1
			}
			break
		}
		return reading{text: cell}
	case math.IsNaN(v):
		return reading{bits: missingBits}
	}
	if !whole(v) {
		v = float64(float32(v))
	}
	return reading{bits: math.Float64bits(v+0) ^ 1<<63} // -0 is 0, and 0 is no text
}

// Name returns the name that a cell holds: an id that pandas made a float,
// 17.0, is 17.
func Name(cell string) string {
	head, zeros, point := strings.Cut(cell, ".")
	if !point || zeros == "" || head == "" || strings.Trim(zeros, "0") != "" {
		return cell
	}
	if strings.Trim(strings.TrimPrefix(head, "-"), "0123456789") != "" || head == "-" {
		return cell
	}
	return head
}

func (k key) hash(i int) uint64 {
	const odd = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	var h uint64
	for _, c := range k.columns {
		// The order of the cells matters, and so does where one ends.
		r := k.read(c.At(i))
		if r.bits == 0 {
			r.bits = maphash.String(k.seed, r.text)
		} else {
			r.bits = (r.bits ^ r.bits>>32) * odd
		}
		h = (h<<23 | h>>41) ^ r.bits
		h *= odd
	}
	return h ^ h>>29
}

func equal(a key, i int, b key, j int) bool {
	for n, c := range a.columns {
		x, y := c.At(i), b.columns[n].At(j)
		if x != y && a.read(x) != a.read(y) {
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
	counts []uint32 // rows with the key in slots
	mask   uint64
	levels int // number of different keys
}

// cancelEvery is the number of rows after which a context is looked at.
const cancelEvery = 1 << 14

// newRowIndex indexes rows 0..rows-1 of a table, those left out for which
// skip is true.
func newRowIndex(ctx context.Context, k key, rows int, skip func(i int) bool) *rowIndex {
	size := 16
	for size < 2*rows {
		size *= 2
	}
	x := &rowIndex{key: k, slots: make([]uint32, size), hashes: make([]uint64, size), counts: make([]uint32, size), mask: uint64(size - 1)}
	for i := range rows {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			break // the caller looks
		}
		if skip != nil && skip(i) {
			continue
		}
		h := k.hash(i)
		s := x.slot(h, k, i)
		if x.slots[s] == 0 {
			x.slots[s], x.hashes[s] = uint32(i)+1, h
			x.levels++
		}
		x.counts[s]++
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

// repeats returns the number of indexed rows whose key another row has too,
// and the sum of the squares of how many rows each such key has.
func (x *rowIndex) repeats() (rows int, squares float64) {
	for _, n := range x.counts {
		if n > 1 {
			rows += int(n)
			squares += float64(n) * float64(n)
		}
	}
	return rows, squares
}
