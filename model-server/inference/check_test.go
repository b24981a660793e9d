package inference

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestColumnShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ shape, want, read []int64 }{
		{[]int64{5}, []int64{-1, 1}, []int64{5, 1}},
		{[]int64{1}, []int64{1, 1}, []int64{1, 1}},
		{[]int64{5, 1}, []int64{-1}, []int64{5}},
		{[]int64{5}, []int64{-1, 5}, []int64{5}},    // one row or five?
		{[]int64{1, 5}, []int64{-1}, []int64{1, 5}}, // a row is no list of rows
		{[]int64{5, 1}, []int64{-1, 1}, []int64{5, 1}},
		{nil, []int64{-1, 1}, nil},
	} {
		assert.Equal(t, c.read, columnShape(c.shape, c.want), "%v for %v", c.shape, c.want)
	}
}
