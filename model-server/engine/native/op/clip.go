package op

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register("", "Clip", 1, 3, 1, buildClip, sameType(signed)) }

// Clip bounds every element; bounds are attributes before opset 11.
func buildClip(n *Node) (Kernel, error) {
	low, high := n.float("min", -math.MaxFloat32), n.float("max", math.MaxFloat32)
	fixed := n.version < 11
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		lo, hi := math.Inf(-1), math.Inf(1)
		ilo, ihi := int64(math.MinInt64), int64(math.MaxInt64)
		if fixed {
			lo, hi = float64(low), float64(high)
		}
		for k := 1; k < len(in) && !fixed; k++ {
			b := in[k]
			if b == nil {
				continue
			}
			if b.Len() != 1 || b.Datatype != t.Datatype {
				return nil, fmt.Errorf("bound %d is no single %s", k, t.Datatype)
			}
			v, _ := b.Float(0)
			switch {
			case k == 1:
				lo = v
				if b.Datatype.Signed() {
					ilo = b.I64[0]
				}
			default:
				hi = v
				if b.Datatype.Signed() {
					ihi = b.I64[0]
				}
			}
		}
		clip := func(v float64) float64 {
			// A NaN passes; where the bounds cross, the upper one counts.
			if v < lo {
				v = lo
			}
			if v > hi {
				v = hi
			}
			return v
		}
		return unary{
			f32: func(v float32) float32 { return float32(clip(float64(v))) },
			f64: clip,
			i64: func(v int64) int64 { return min(max(v, ilo), ihi) },
		}.kernel(c, []*tensor.Tensor{t})
	}, nil
}
