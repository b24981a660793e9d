package v2

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// AppendRequest appends the body of r to dst. An error says which tensor is
// not consistent (see tensor.Check) or not valid UTF-8.
func AppendRequest(dst []byte, r *Request) ([]byte, error) {
	dst = append(dst, '{')
	if r.ID != "" {
		dst = append(dst, `"id":`...)
		dst = appendString(dst, r.ID)
		dst = append(dst, ',')
	}
	dst = append(dst, `"inputs":`...)
	dst, err := appendTensors(dst, r.Inputs)
	if err != nil {
		return nil, err
	}
	if len(r.Outputs) > 0 {
		dst = append(dst, `,"outputs":[`...)
		for i, name := range r.Outputs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"name":`...)
			dst = appendString(dst, name)
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}'), nil
}

// AppendResponse appends the body of r to dst; errors are those of
// AppendRequest.
func AppendResponse(dst []byte, r *Response) ([]byte, error) {
	dst = append(dst, `{"model_name":`...)
	dst = appendString(dst, r.Model)
	if r.Version != "" {
		dst = append(dst, `,"model_version":`...)
		dst = appendString(dst, r.Version)
	}
	if r.ID != "" {
		dst = append(dst, `,"id":`...)
		dst = appendString(dst, r.ID)
	}
	dst = append(dst, `,"outputs":`...)
	dst, err := appendTensors(dst, r.Outputs)
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

func appendTensors(dst []byte, tensors []tensor.Tensor) ([]byte, error) {
	dst = append(dst, '[')
	for i := range tensors {
		t := &tensors[i]
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("writing tensors: %w", err)
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":`...)
		dst = appendString(dst, t.Name)
		dst = append(dst, `,"datatype":"`...)
		dst = append(dst, t.Datatype...)
		dst = append(dst, `","shape":[`...)
		for j, d := range t.Shape {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(dst, d, 10)
		}
		dst = append(dst, `],"data":[`...)
		var err error
		if dst, err = appendData(dst, t); err != nil {
			return nil, fmt.Errorf("writing tensors: %w", err)
		}
		dst = append(dst, ']', '}')
	}
	return append(dst, ']'), nil
}

// appendData writes the elements, flat, each followed by a comma of which the
// last is taken off.
func appendData(dst []byte, t *tensor.Tensor) ([]byte, error) {
	switch {
	case t.Datatype == tensor.FP32:
		for _, v := range t.F32 {
			dst = append(appendFloat(dst, float64(v), 32), ',')
		}
	case t.Datatype == tensor.FP64:
		for _, v := range t.F64 {
			dst = append(appendFloat(dst, v, 64), ',')
		}
	case t.Datatype == tensor.Bool:
		for _, v := range t.Bools {
			dst = append(strconv.AppendBool(dst, v), ',')
		}
	case t.Datatype == tensor.Bytes:
		for i, v := range t.Strs {
			if !utf8.ValidString(v) {
				return nil, fmt.Errorf("tensor %q element %d is not valid UTF-8", t.Name, i)
			}
			dst = append(appendString(dst, v), ',')
		}
	case t.Datatype.Unsigned():
		for _, v := range t.U64 {
			dst = append(strconv.AppendUint(dst, v, 10), ',')
		}
	default:
		for _, v := range t.I64 {
			dst = append(strconv.AppendInt(dst, v, 10), ',')
		}
	}
	if t.Len() > 0 {
		dst = dst[:len(dst)-1]
	}
	return dst, nil
}

// appendFloat writes the fewest digits that read back to the same bits.
func appendFloat(dst []byte, v float64, bits int) []byte {
	// Whole numbers are frequent in tables and cheaper to write as such; -0
	// would lose its sign.
	if n := int64(v); float64(n) == v && n > -1e6 && n < 1e6 && (n != 0 || !math.Signbit(v)) {
		return strconv.AppendInt(dst, n, 10)
	}
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

// appendString writes s in quotes. What is not valid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendEscaped(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// Marshal returns the body of metadata, health or an error. Its types hold
// text, integers and lists of them, which always encode.
func Marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		text, _ = json.Marshal(ErrorBody{Error: "the answer could not be written"})
	}
	return text
}
