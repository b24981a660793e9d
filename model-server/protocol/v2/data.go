package v2

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// data reads the data of t, whose type and shape are known.
func (p *parser) data(t *tensor.Tensor, location func() string) error {
	n, err := tensor.Elements(t.Shape, p.limits.Elements)
	if err != nil {
		return invalid("%s: %s", location(), err)
	}
	if n > p.limits.Elements-p.elements {
		return invalid("the tensors have more than %d elements together", p.limits.Elements)
	}
	p.elements += n
	if p.next() != '[' {
		return invalid("%s: the data must be an array, found %s", location(), p.found())
	}
	l := list{p: p, shape: t.Shape, n: n, datatype: t.Datatype, location: location}
	switch {
	case t.Datatype == tensor.FP32:
		t.F32, err = read(l, (*parser).fp32)
	case t.Datatype == tensor.FP64:
		t.F64, err = read(l, (*parser).fp64)
	case t.Datatype == tensor.Bool:
		t.Bools, err = read(l, (*parser).boolean)
	case t.Datatype == tensor.Bytes:
		t.Strs, err = read(l, (*parser).str)
	case t.Datatype.Unsigned():
		_, hi := t.Datatype.Range()
		t.U64, err = read(l, func(p *parser) (uint64, bool, error) { return p.unsigned(uint64(hi)) })
	default:
		lo, hi := t.Datatype.Range()
		t.I64, err = read(l, func(p *parser) (int64, bool, error) { return p.signed(lo, hi) })
	}
	return err
}

// list is what reading the data of one tensor needs to know.
type list struct {
	p        *parser
	shape    []int64
	n        int // elements that the shape says
	datatype tensor.Datatype
	location func() string
}

// element reads one element. It returns false where what stands there is no
// value of the type; an error where it is not even JSON.
type element[T any] func(*parser) (T, bool, error)

func read[T any](l list, one element[T]) ([]T, error) {
	// An element takes two bytes at least, "1,": a shape that claims more than
	// the rest of the body can hold gets no more room for it.
	out := make([]T, 0, min(l.n, (len(l.p.b)-l.p.i)/2+1))
	start := l.p.i
	l.p.i++
	nested := l.p.next() == '[' && len(l.shape) > 1
	l.p.i = start
	dims := []int64{int64(l.n)}
	if nested {
		dims = l.shape
	}
	out, err := level(l, out, dims, one)
	if err == nil && len(out) != l.n {
		err = invalid("%s: the data has %d elements, its shape %v says %d", l.location(), len(out), l.shape, l.n)
	}
	return out, err
}

// level reads one array of the nesting: elements where it is the innermost.
func level[T any](l list, out []T, dims []int64, one element[T]) ([]T, error) {
	p := l.p
	if p.next() != '[' {
		return out, invalid("%s: data[%d]: expected an array of %d, found %s; the data is neither flat nor nested as its shape %v says", l.location(), len(out), dims[0], p.found(), l.shape)
	}
	p.i++
	want := dims[0]
	if p.next() == ']' {
		p.i++
		if want != 0 {
			return out, l.count(0, want, len(dims) == len(l.shape) || len(l.shape) == 0)
		}
		return out, nil
	}
	for have := int64(0); ; have++ {
		if have == want {
			return out, l.more(want)
		}
		if len(dims) > 1 {
			var err error
			if out, err = level(l, out, dims[1:], one); err != nil {
				return out, err
			}
		} else {
			c := p.next()
			at := p.i
			v, ok, err := one(p)
			if err != nil {
				return out, err
			}
			if !ok {
				p.i = at
				return out, l.refuse(len(out), c)
			}
			out = append(out, v)
		}
		switch p.next() {
		case ',':
			p.i++
		case ']':
			p.i++
			if have+1 != want {
				return out, l.count(have+1, want, len(dims) == len(l.shape) || len(dims) == 1 && int(want) == l.n)
			}
			return out, nil
		default:
			return out, p.syntax("expected ',' or ']' in the data, found %s", p.found())
		}
	}
}

func (l list) count(have, want int64, whole bool) error {
	if whole {
		return invalid("%s: the data has %d elements, its shape %v says %d", l.location(), have, l.shape, want)
	}
	return invalid("%s: the data has an array of %d elements where its shape %v says %d", l.location(), have, l.shape, want)
}

func (l list) more(want int64) error {
	return invalid("%s: the data has an array of more than %d elements, its shape is %v", l.location(), want, l.shape)
}

// refuse says why what stands at the parser is no element.
func (l list) refuse(index int, c byte) error {
	p, hint := l.p, ""
	switch {
	case c == '[':
		return invalid("%s: data[%d] is an array; the data is neither flat nor nested as its shape %v says", l.location(), index, l.shape)
	case c == 'n' && l.datatype.Float():
		hint = `; a missing value is written "NaN"`
	case l.datatype.Signed() || l.datatype.Unsigned():
		lo, hi := l.datatype.Range()
		hint = "; expected an integer from " + strconv.FormatInt(lo, 10) + " to " + strconv.FormatInt(hi, 10)
		if l.datatype == tensor.Uint64 {
			hint = "; expected an integer from 0 to " + strconv.FormatUint(math.MaxUint64, 10)
		}
	case l.datatype == tensor.Bool:
		hint = "; expected true or false"
	case l.datatype == tensor.Bytes:
		hint = "; expected a string"
	}
	end := p.i
	if c == '"' {
		if text, err := p.text(); err == nil {
			return invalid("%s: data[%d]: the string %s is no %s%s", l.location(), index, quote(text), l.datatype, hint)
		}
	}
	for end < len(p.b) && end-p.i <= quoted && p.b[end] != ',' && p.b[end] != ']' && p.b[end] > ' ' {
		end++
	}
	return invalid("%s: data[%d]: %s is no %s%s", l.location(), index, quote(p.b[p.i:end]), l.datatype, hint)
}

// Powers of ten that float64 and float32 hold exactly: a mantissa that is
// exact too needs one rounding, that of the multiplication or division.
// W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990.
var (
	pow10   = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
	pow10f  = [...]float32{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10}
	quietly = math.NaN()
)

func (p *parser) fp64() (float64, bool, error) {
	n, special, ok, err := p.float()
	if err != nil || !ok || n.literal == nil {
		return special, ok, err
	}
	if n.exact && n.mantissa < 1<<53 && n.exponent >= -22 && n.exponent <= 22 {
		v := float64(n.mantissa)
		if n.exponent < 0 {
			v /= pow10[-n.exponent]
		} else {
			v *= pow10[n.exponent]
		}
		if n.negative {
			v = -v
		}
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
	if n.exact && n.mantissa < 1<<24 && n.exponent >= -10 && n.exponent <= 10 {
		v := float32(n.mantissa)
		if n.exponent < 0 {
			v /= pow10f[-n.exponent]
		} else {
			v *= pow10f[n.exponent]
		}
		if n.negative {
			v = -v
		}
		return v, !math.IsInf(float64(v), 0), nil
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
			return n, quietly, true, nil
		case "Infinity", "Inf":
			return n, math.Inf(1), true, nil
		case "-Infinity", "-Inf":
			return n, math.Inf(-1), true, nil
		}
	case c == 'N' || c == 'I':
		switch string(p.word()) {
		case "NaN":
			return n, quietly, true, nil
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

func (p *parser) signed(lo, hi int64) (int64, bool, error) {
	n, ok, err := p.integer()
	if err != nil || !ok {
		return 0, false, err
	}
	if n.negative {
		// -lo does not fit an int64 where lo is the smallest one; its bits do.
		return -int64(n.mantissa), n.mantissa <= uint64(-lo), nil
	}
	return int64(n.mantissa), n.mantissa <= uint64(hi), nil
}

func (p *parser) unsigned(hi uint64) (uint64, bool, error) {
	n, ok, err := p.integer()
	if err != nil || !ok {
		return 0, false, err
	}
	return n.mantissa, n.mantissa <= hi && (!n.negative || n.mantissa == 0), nil
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

func tooLarge(limit int64) *Error {
	return Errorf(413, "the body has more than %d bytes; send fewer rows at a time", limit)
}
