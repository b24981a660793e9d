package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "MatMul", 2, 2, 1, buildMatMul, sameType(floats))
	register("", "Gemm", 2, 3, 1, buildGemm, sameType(floats))
}

// MatMul is numpy.matmul: matrices in the last two dimensions, the others
// broadcast, a vector on either side is a row or a column.
func buildMatMul(n *Node) (Kernel, error) {
	// A constant right side, the usual one, is turned once.
	var turned *tensor.Tensor
	if b := n.Constant(1); b != nil && len(b.Shape) == 2 {
		var err error
		if turned, err = n.turned(b); err != nil {
			return nil, err
		}
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		a, b := in[0], in[1]
		if a.Datatype != b.Datatype || !a.Datatype.Float() {
			return nil, fmt.Errorf("inputs are %s and %s, expected twice FP32 or twice FP64", a.Datatype, b.Datatype)
		}
		if len(a.Shape) == 0 || len(b.Shape) == 0 {
			return nil, fmt.Errorf("inputs have shapes %v and %v, expected at least one dimension", a.Shape, b.Shape)
		}
		shapeA, shapeB := a.Shape, b.Shape
		if len(shapeA) == 1 {
			shapeA = []int64{1, shapeA[0]}
		}
		if len(shapeB) == 1 {
			shapeB = []int64{shapeB[0], 1}
		}
		batchA, batchB := shapeA[:len(shapeA)-2], shapeB[:len(shapeB)-2]
		rows, depth := int(shapeA[len(shapeA)-2]), int(shapeA[len(shapeA)-1])
		columns := int(shapeB[len(shapeB)-1])
		if shapeB[len(shapeB)-2] != int64(depth) {
			return nil, fmt.Errorf("shapes %v and %v do not fit each other", a.Shape, b.Shape)
		}
		batch, err := broadcast(batchA, batchB)
		if err != nil {
			return nil, err
		}
		out, err := c.newTensor(a.Datatype, append(append([]int64{}, batch...), int64(rows), int64(columns)))
		if err != nil {
			return nil, err
		}
		if err := c.afford(int64(out.Len()) * int64(depth)); err != nil {
			return nil, err
		}
		if turned != nil {
			b = turned
		} else if b, err = c.turn(reshaped(b, shapeB)); err != nil {
			return nil, err
		}
		var stopped error
		indices(batch, [][]int{steps(batchA, batch), steps(batchB, batch)}, func(i int, at []int) {
			if stopped == nil {
				stopped = c.multiply(out, a, b, i, at[0], at[1], rows, depth, columns)
			}
		})
		if stopped != nil {
			return nil, stopped
		}
		shape := append([]int64{}, batch...)
		if len(a.Shape) > 1 {
			shape = append(shape, int64(rows))
		}
		if len(b.Shape) > 0 && len(in[1].Shape) > 1 {
			shape = append(shape, int64(columns))
		}
		return []*tensor.Tensor{reshaped(out, shape)}, nil
	}, nil
}

// turned is turn of a constant. Nodes that multiply by the same one share it.
func (n *Node) turned(t *tensor.Tensor) (*tensor.Tensor, error) {
	if done, ok := n.loading.turned[t]; ok {
		return done, nil
	}
	done, err := n.loading.call.turn(t)
	if err == nil {
		n.loading.turned[t] = done
	}
	return done, err
}

// turn transposes the last two dimensions, so that a column is contiguous.
func (c *Call) turn(t *tensor.Tensor) (*tensor.Tensor, error) {
	if err := c.Take(Size(t)); err != nil {
		return nil, err
	}
	if err := c.Spend(int64(t.Len())); err != nil {
		return nil, err
	}
	rows, columns := int(t.Shape[len(t.Shape)-2]), int(t.Shape[len(t.Shape)-1])
	out := *t
	out.F32, out.F64 = make([]float32, len(t.F32)), make([]float64, len(t.F64))
	size := rows * columns
	for i := 0; size > 0 && i < t.Len(); i += size {
		if t.F32 != nil {
			copy(out.F32[i:], transposed(t.F32[i:i+size], rows, columns))
		} else {
			copy(out.F64[i:], transposed(t.F64[i:i+size], rows, columns))
		}
	}
	return &out, nil
}

// multiply computes one product of matrices; b is turned.
func (c *Call) multiply(out, a, b *tensor.Tensor, i, ia, ib, rows, depth, columns int) error {
	for r := range rows {
		if err := c.Spend(int64(depth) * int64(columns)); err != nil {
			return err
		}
		for c := range columns {
			at := (i*rows+r)*columns + c
			x, y := (ia*rows+r)*depth, (ib*columns+c)*depth
			if out.F32 != nil {
				out.F32[at] = float32(dot(a.F32[x:x+depth], b.F32[y:y+depth]))
			} else {
				out.F64[at] = dot64(a.F64[x:x+depth], b.F64[y:y+depth])
			}
		}
	}
	return nil
}

// Gemm is alpha·A·B + beta·C on matrices.
func buildGemm(n *Node) (Kernel, error) {
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	transA, transB := n.int("transA", 0) != 0, n.int("transB", 0) != 0
	n.ignore("broadcast") // opset 6; later ones always broadcast
	var turned *tensor.Tensor
	if b := n.Constant(1); b != nil && len(b.Shape) == 2 && !transB {
		var err error
		if turned, err = n.turned(b); err != nil {
			return nil, err
		}
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		a, b := in[0], in[1]
		if a.Datatype != b.Datatype || !a.Datatype.Float() {
			return nil, fmt.Errorf("inputs are %s and %s, expected twice FP32 or twice FP64", a.Datatype, b.Datatype)
		}
		if len(a.Shape) != 2 || len(b.Shape) != 2 {
			return nil, fmt.Errorf("inputs have shapes %v and %v, expected matrices", a.Shape, b.Shape)
		}
		rows, depth, columns, depthB := a.Shape[0], a.Shape[1], b.Shape[1], b.Shape[0]
		var err error
		if transA {
			rows, depth = depth, rows
			if a, err = c.turn(a); err != nil {
				return nil, err
			}
		}
		switch {
		case transB:
			columns, depthB = depthB, columns
		case turned != nil:
			b = turned
		default:
			if b, err = c.turn(b); err != nil {
				return nil, err
			}
		}
		if depth != depthB {
			return nil, fmt.Errorf("shapes %v and %v do not fit each other", in[0].Shape, in[1].Shape)
		}
		out, err := c.newTensor(a.Datatype, []int64{rows, columns})
		if err != nil {
			return nil, err
		}
		if err := c.afford(int64(out.Len()) * depth); err != nil {
			return nil, err
		}
		if err := c.multiply(out, a, b, 0, 0, 0, int(rows), int(depth), int(columns)); err != nil {
			return nil, err
		}
		for i := range out.F32 {
			out.F32[i] = float32(alpha * out.F32[i])
		}
		for i := range out.F64 {
			out.F64[i] = float64(float64(alpha) * out.F64[i])
		}
		if len(in) < 3 || in[2] == nil {
			return []*tensor.Tensor{out}, nil
		}
		bias := in[2]
		if shape, err := broadcast(bias.Shape, out.Shape); err != nil || len(shape) != 2 || shape[0] != rows || shape[1] != columns || bias.Datatype != out.Datatype {
			return nil, fmt.Errorf("input C is %s %v, the product %s %v", bias.Datatype, bias.Shape, out.Datatype, out.Shape)
		}
		indices(out.Shape, [][]int{steps(bias.Shape, out.Shape)}, func(i int, at []int) {
			if out.F32 != nil {
				out.F32[i] += float32(beta * bias.F32[at[0]])
			} else {
				out.F64[i] += float64(float64(beta) * bias.F64[at[0]])
			}
		})
		return []*tensor.Tensor{out}, nil
	}, nil
}
