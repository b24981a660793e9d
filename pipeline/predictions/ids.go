package predictions

import "hash/maphash"

// duplicate returns the first row whose id stands in an earlier row.
func duplicate(ids []string) (first, second int, found bool) {
	if ascending(ids) {
		return 0, 0, false
	}
	_, first, second, found = newIndex(ids)
	return first, second, found
}

// ascending reports whether ids rise strictly, shorter ones first: so do
// numbers that are counted up and texts of one length in order. Then there is
// no duplicate and no need of a table.
func ascending(ids []string) bool {
	for i := 1; i < len(ids); i++ {
		a, b := ids[i-1], ids[i]
		if len(a) > len(b) || (len(a) == len(b) && a >= b) {
			return false
		}
	}
	return true
}

// index finds the row of an id: an open-addressing table of rows, 4 bytes a
// slot, which is a third of what a map of strings takes.
type index struct {
	seed  maphash.Seed
	slots []int32 // row + 1
	ids   []string
}

// newIndex builds the table of ids; it stops at the first duplicate.
func newIndex(ids []string) (x *index, first, second int, dup bool) {
	size := 16
	for size < 2*len(ids) {
		size *= 2
	}
	x = &index{seed: maphash.MakeSeed(), slots: make([]int32, size), ids: ids}
	for i, id := range ids {
		at := x.slot(id)
		if row := x.slots[at]; row != 0 {
			return x, int(row - 1), i, true
		}
		x.slots[at] = int32(i + 1)
	}
	return x, 0, 0, false
}

// slot returns the slot that holds id, or the empty one where it belongs.
func (x *index) slot(id string) int {
	mask := len(x.slots) - 1
	at := int(maphash.String(x.seed, id)) & mask
	for x.slots[at] != 0 && x.ids[x.slots[at]-1] != id {
		at = (at + 1) & mask
	}
	return at
}

// row returns the row of id, or -1.
func (x *index) row(id string) int { return int(x.slots[x.slot(id)]) - 1 }
