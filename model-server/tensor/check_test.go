package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestElements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shape []int64
		limit int
		want  int
		err   string
	}{
		"scalar":                {nil, 10, 1, ""},
		"empty":                 {[]int64{0, 5}, 10, 0, ""},
		"matrix":                {[]int64{2, 5}, 10, 10, ""},
		"too many":              {[]int64{2, 6}, 10, 0, "more than 10"},
		"overflow":              {[]int64{math.MaxInt64, math.MaxInt64}, 10, 0, "more than 10"},
		"negative":              {[]int64{-1, 2}, 10, 0, "negative"},
		"overflow behind a nil": {[]int64{0, math.MaxInt64, math.MaxInt64}, 10, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Elements(c.shape, c.limit)
			if c.err != "" {
				assert.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tensor Tensor
		err    string
	}{
		"good":           {Tensor{Datatype: FP32, Shape: []int64{1, 2}, F32: []float32{1, 2}}, ""},
		"scalar":         {Tensor{Datatype: Int64, I64: []int64{1}}, ""},
		"unknown type":   {Tensor{Datatype: "FP16", Shape: []int64{0}}, `unknown data type "FP16"`},
		"length":         {Tensor{Name: "x", Datatype: FP32, Shape: []int64{3}, F32: []float32{1}}, `tensor "x" has 1 elements, its shape [3] needs 3`},
		"other slice":    {Tensor{Datatype: FP32, Shape: []int64{1}, F64: []float64{1}}, "has 0 elements"},
		"two slices":     {Tensor{Datatype: FP32, Shape: []int64{1}, F32: []float32{1}, F64: []float64{1}}, "another type"},
		"int8 range":     {Tensor{Datatype: Int8, Shape: []int64{1}, I64: []int64{128}}, "128 is outside INT8 (-128 to 127)"},
		"uint8 range":    {Tensor{Datatype: Uint8, Shape: []int64{1}, U64: []uint64{256}}, "256 is outside UINT8 (0 to 255)"},
		"uint64 is wide": {Tensor{Datatype: Uint64, Shape: []int64{1}, U64: []uint64{math.MaxUint64}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.tensor.Check()
			if c.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.err)
		})
	}
}

func TestSlice(t *testing.T) {
	t.Parallel()
	matrix := Tensor{Name: "x", Datatype: FP32, Shape: []int64{3, 2}, F32: []float32{1, 2, 3, 4, 5, 6}}
	part := matrix.Slice(1, 3)
	assert.Equal(t, Tensor{Name: "x", Datatype: FP32, Shape: []int64{2, 2}, F32: []float32{3, 4, 5, 6}}, part)
	empty := matrix.Slice(1, 1)
	require.NoError(t, empty.Check())
	assert.Equal(t, []int64{3, 2}, matrix.Shape, "the original keeps its shape")
}
