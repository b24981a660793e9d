package v2

import (
	"math"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// data reads the data of a tensor whose type and shape are known.
func (p *parser) data(at place) error {
	n, err := tensor.Elements(at.Shape, p.limits.Elements)
	if err != nil {
		return invalid("%s: %s", at, err)
	}
	if n > p.limits.Elements-p.elements {
		return invalid("the tensors have more than %d elements together", p.limits.Elements)
	}
	p.elements += n
	if p.next() != '[' {
		return invalid("%s: the data must be an array, found %s", at, p.found())
	}
	switch d := at.Datatype; {
	case d == tensor.FP32:
		at.F32, err = read(p, at, n, (*parser).fp32)
	case d == tensor.FP64:
		at.F64, err = read(p, at, n, (*parser).fp64)
	case d == tensor.Bool:
		at.Bools, err = read(p, at, n, (*parser).boolean)
	case d == tensor.Bytes:
		at.Strs, err = read(p, at, n, (*parser).str)
	case d.Unsigned():
		_, hi := d.Range()
		p.lo, p.hi = 0, uint64(hi)
		at.U64, err = read(p, at, n, (*parser).unsigned)
	default:
		lo, hi := d.Range()
		p.lo, p.hi = uint64(-lo), uint64(hi) // -lo does not fit an int64 of the smallest lo; its bits do
		at.I64, err = read(p, at, n, (*parser).signed)
	}
	return err
}

// element reads one element. It returns false where what stands there is no
// value of the type; an error where it is not even JSON.
type element[T any] func(*parser) (T, bool, error)

func read[T any](p *parser, at place, n int, one element[T]) ([]T, error) {
	// An element takes two bytes at least, "1,": a shape that claims more than
	// the rest of the body can hold gets no more room for it.
	out := make([]T, 0, min(n, (len(p.b)-p.i)/2+1))
	start := p.i
	p.i++
	nested := p.next() == '[' && len(at.Shape) > 1
	p.i = start
	if nested {
		return level(p, at, out, at.Shape, one)
	}
	flat := [1]int64{int64(n)}
	return level(p, at, out, flat[:], one)
}

// level reads one array of the nesting: elements where it is the innermost.
// dims are the lengths from here inwards.
func level[T any](p *parser, at place, out []T, dims []int64, one element[T]) ([]T, error) {
	if p.next() != '[' {
		return out, invalid("%s: data[%d] is %s; the data is neither flat nor nested as its shape %v says", at, len(out), p.found(), at.Shape)
	}
	p.i++
	want, have := dims[0], int64(0)
	if p.next() == ']' {
		p.i++
		if want != 0 {
			return out, miscounted(at, len(dims), have, want)
		}
		return out, nil
	}
	for ; ; have++ {
		if have == want {
			return out, invalid("%s: the data has an array of more than %d elements, its shape is %v", at, want, at.Shape)
		}
		if len(dims) > 1 {
			var err error
			if out, err = level(p, at, out, dims[1:], one); err != nil {
				return out, err
			}
		} else {
			c, start := p.next(), p.i
			v, ok, err := one(p)
			if err != nil {
				return out, err
			}
			if !ok {
				p.i = start
				return out, p.refuse(at, len(out), c)
			}
			out = append(out, v)
		}
		switch p.next() {
		case ',':
			p.i++
		case ']':
			p.i++
			if have+1 != want {
				return out, miscounted(at, len(dims), have+1, want)
			}
			return out, nil
		default:
			return out, p.syntax("expected ',' or ']' in the data, found %s", p.found())
		}
	}
}

func miscounted(at place, depth int, have, want int64) error {
	if total, err := tensor.Elements(at.Shape, math.MaxInt32); err == nil && depth == 1 && want == int64(total) {
		return invalid("%s: the data has %d elements, its shape %v says %d", at, have, at.Shape, want)
	}
	return invalid("%s: the data has an array of %d elements where its shape %v says %d", at, have, at.Shape, want)
}

// refuse says why what stands at the parser, beginning with c, is no element.
func (p *parser) refuse(at place, index int, c byte) error {
	hint := ""
	switch d := at.Datatype; {
	case c == '[':
		return invalid("%s: data[%d] is an array; the data is neither flat nor nested as its shape %v says", at, index, at.Shape)
	case d == tensor.Uint64:
		hint = "; expected an integer from 0 to " + strconv.FormatUint(math.MaxUint64, 10)
	case d.Signed() || d.Unsigned():
		lo, hi := d.Range()
		hint = "; expected an integer from " + strconv.FormatInt(lo, 10) + " to " + strconv.FormatInt(hi, 10)
	case d == tensor.Bool:
		hint = "; expected true or false"
	case d == tensor.Bytes:
		hint = "; expected a string"
	}
	if c == '"' {
		text, err := p.text()
		if err != nil {
			return err
		}
		return invalid("%s: data[%d]: the string %s is no %s%s", at, index, quote(text), at.Datatype, hint)
	}
	end := p.i
	for end < len(p.b) && end-p.i <= quoted && p.b[end] != ',' && p.b[end] != ']' && p.b[end] > ' ' {
		end++
	}
	if end == p.i {
		return p.syntax("expected a value in the data, found %s", p.found())
	}
	return invalid("%s: data[%d]: %s is no %s%s", at, index, quote(p.b[p.i:end]), at.Datatype, hint)
}

// Powers of ten that a float64 holds exactly: with a mantissa that is exact
// too, one division or multiplication rounds once, and so correctly.
// W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990.
var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// double returns the float64 that is nearest to n, and false where that takes
// more than one operation.
func (n *number) double() (float64, bool) {
	if !n.exact || n.mantissa >= 1<<53 || n.exponent < -22 || n.exponent > 22 {
		return 0, false
	}
	v := float64(n.mantissa)
	if n.exponent < 0 {
		v /= pow10[-n.exponent]
	} else {
		v *= pow10[n.exponent]
	}
	if n.negative {
		v = -v
	}
	return v, true
}

func (p *parser) fp64() (float64, bool, error) {
	n, special, ok, err := p.float()
	if err != nil || !ok || n.literal == nil {
		return special, ok, err
	}
	if v, ok := n.double(); ok {
		return v, true, nil
	}
	v, err := strconv.ParseFloat(string(n.literal), 64)
	return v, err == nil, nil // the only error left is "out of range"
}

func (p *parser) fp32() (float32, bool, error) {
	n, special, ok, err := p.float()
	if err != nil || !ok || n.literal == nil {
		return float32(special), ok, err
	}
	// Rounding twice, to float64 and from there, is wrong only where the first
	// lands exactly between two float32: then the literal may have been on
	// either side. Below the normal range the halfway points are others.
	const halfway, below = 1 << 28, 1<<29 - 1
	if v, ok := n.double(); ok && math.Float64bits(v)&below != halfway && (math.Abs(v) >= 0x1p-126 || v == 0 && n.mantissa == 0) {
		f := float32(v)
		return f, !math.IsInf(float64(f), 0), nil
	}
	v, err := strconv.ParseFloat(string(n.literal), 32)
	return float32(v), err == nil, nil
}

// float reads a number, or one of the spellings of NaN and the infinities: then
// the number has no literal and special is the value.
func (p *parser) float() (n number, special float64, ok bool, err error) {
	switch c := p.next(); {
	case c == '-' || c >= '0' && c <= '9':
		n, err = p.number()
		if n.infinite {
			special = math.Inf(-1)
		}
		return n, special, err == nil, err
	case c == '"':
		text, err := p.text()
		if err != nil {
			return n, 0, false, err
		}
		switch string(text) {
		case "NaN":
			return n, math.NaN(), true, nil
		case "Infinity", "Inf":
			return n, math.Inf(1), true, nil
		case "-Infinity", "-Inf":
			return n, math.Inf(-1), true, nil
		}
	case c == 'N' || c == 'I' || c == 'n':
		switch string(p.word()) {
		case "null": // JSON's word for a missing value
			return n, math.NaN(), true, nil
		case "NaN":
			return n, math.NaN(), true, nil
		case "Infinity":
			return n, math.Inf(1), true, nil
		}
	}
	return n, 0, false, nil
}

// integer reads a number without fraction and exponent that fits 64 bits.
func (p *parser) integer() (n number, ok bool, err error) {
	if c := p.next(); c != '-' && (c < '0' || c > '9') {
		return n, false, nil
	}
	if n, err = p.number(); err != nil {
		return n, false, err
	}
	if n.infinite || !n.integer {
		return n, false, nil
	}
	if !n.exact { // 20 digits or more: 2^64-1 has 20
		n.mantissa, err = strconv.ParseUint(string(n.digits()), 10, 64)
		return n, err == nil, nil
	}
	return n, true, nil
}

func (n *number) digits() []byte {
	if n.negative {
		return n.literal[1:]
	}
	return n.literal
}

func (p *parser) signed() (int64, bool, error) {
	n, ok, err := p.integer()
	if err != nil || !ok {
		return 0, false, err
	}
	if n.negative {
		return -int64(n.mantissa), n.mantissa <= p.lo, nil
	}
	return int64(n.mantissa), n.mantissa <= p.hi, nil
}

func (p *parser) unsigned() (uint64, bool, error) {
	n, ok, err := p.integer()
	if err != nil || !ok {
		return 0, false, err
	}
	return n.mantissa, n.mantissa <= p.hi && (!n.negative || n.mantissa == 0), nil
}

func (p *parser) boolean() (bool, bool, error) {
	if c := p.next(); c != 't' && c != 'f' {
		return false, false, nil
	}
	switch string(p.word()) {
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	}
	return false, false, nil
}

func (p *parser) str() (string, bool, error) {
	if p.next() != '"' {
		return "", false, nil
	}
	text, err := p.text()
	return string(text), err == nil, err
}

// quoteASCII quotes text of a body so that it stands in a message on one line.
func quoteASCII(b []byte) string {
	if !utf8.Valid(b) {
		return strconv.QuoteToASCII(string(b))
	}
	return strconv.Quote(string(b))
}

// TooLarge is the error for a body over the limit.
func TooLarge(limit int64) *Error {
	return Errorf(http.StatusRequestEntityTooLarge, "the body has more than %d bytes; send fewer rows at a time", limit)
}
