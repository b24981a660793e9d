package v2

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// table is a request of rows with columns as they are in practice: numbers
// with a few decimals, whole numbers, short text.
func table(rows int) *Request {
	random := rand.New(rand.NewPCG(1, 2))
	r := &Request{}
	for c := range 15 {
		t := tensor.Tensor{Name: fmt.Sprintf("column_%d", c), Shape: []int64{int64(rows), 1}}
		for range rows {
			switch {
			case c < 10:
				t.Datatype = tensor.FP32
				t.F32 = append(t.F32, float32(random.IntN(100_000))/100)
			case c < 13:
				t.Datatype = tensor.Int64
				t.I64 = append(t.I64, random.Int64N(2000))
			default:
				t.Datatype = tensor.Bytes
				t.Strs = append(t.Strs, fmt.Sprintf("L%d", random.IntN(100)))
			}
		}
		r.Inputs = append(r.Inputs, t)
	}
	return r
}

func matrix(rows, columns int) *Request {
	t := tensor.Tensor{Name: "X", Datatype: tensor.FP32, Shape: []int64{int64(rows), int64(columns)}}
	random := rand.New(rand.NewPCG(1, 2))
	for range rows * columns {
		t.F32 = append(t.F32, random.Float32())
	}
	return &Request{Inputs: []tensor.Tensor{t}}
}

// standardRequest is what encoding/json makes of the same body.
type standardRequest struct {
	Inputs []struct {
		Name     string          `json:"name"`
		Datatype tensor.Datatype `json:"datatype"`
		Shape    []int64         `json:"shape"`
		Data     []any           `json:"data"`
	} `json:"inputs"`
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name    string
		request *Request
	}{{"1x4", matrix(1, 4)}, {"1x15_columns", table(1)}, {"1024x15_columns", table(1024)}, {"1024x15", matrix(1024, 15)}} {
		body, err := AppendRequest(nil, c.request)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name+"/v2", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := DecodeRequest(body, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/encoding_json", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var r standardRequest
				if err := json.Unmarshal(body, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct {
		name    string
		request *Request
	}{{"1x4", matrix(1, 4)}, {"1024x15_columns", table(1024)}, {"1024x15", matrix(1024, 15)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var buffer []byte
			for b.Loop() {
				body, err := AppendRequest(buffer[:0], c.request)
				if err != nil {
					b.Fatal(err)
				}
				buffer = body
			}
			b.SetBytes(int64(len(buffer)))
		})
	}
}
