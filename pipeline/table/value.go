package table

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// Values are some values of a column of Parquet, in the order of the rows.
type Values struct {
	stored []parquet.Value
	kind   *kind
}

// Len returns their number.
func (v *Values) Len() int { return len(v.stored) }

// Null reports whether there is no value i.
func (v *Values) Null(i int) bool { return v.stored[i].IsNull() }

// Numbers reports whether the values are numbers; a text, a time and a truth
// value are none.
func (v *Values) Numbers() bool { return v.kind.number != nil }

// Float returns value i as a number. A null is no number.
func (v *Values) Float(i int) (float64, bool) {
	if v.kind.number == nil || v.stored[i].IsNull() {
		return math.NaN(), false
	}
	return v.kind.number(v.stored[i]), true
}

// Text returns value i as text, valid until the next call: a number as the
// shortest text that reads back as it, a null as nothing. It may be written into
// scratch.
func (v *Values) Text(scratch []byte, i int) []byte {
	switch value := v.stored[i]; {
	case value.IsNull():
		return scratch[:0]
	case v.kind.utf8:
		return value.ByteArray()
	default:
		return v.kind.text(scratch[:0], value)
	}
}

// check refuses bytes that are no text, and says which.
func (v *Values) check() (int, error) {
	if !v.kind.utf8 {
		return 0, nil
	}
	for i := range v.stored {
		if !v.stored[i].IsNull() && !utf8.Valid(v.stored[i].ByteArray()) {
			return i, errors.New("the bytes are no UTF-8 text; write the column as text or number")
		}
	}
	return 0, nil
}

// kind is how the values of one column are read.
type kind struct {
	text   func(to []byte, v parquet.Value) []byte
	number func(v parquet.Value) float64 // nil: no numbers
	single bool                          // numbers are float32 or less
	utf8   bool                          // the bytes are the text
	refuse string                        // what is not read
}

var (
	textKind   = &kind{utf8: true}
	doubleKind = &kind{
		text:   func(to []byte, v parquet.Value) []byte { return appendFloat(to, v.Double(), 64) },
		number: func(v parquet.Value) float64 { return v.Double() },
	}
	floatKind = &kind{
		text:   func(to []byte, v parquet.Value) []byte { return appendFloat(to, float64(v.Float()), 32) },
		number: func(v parquet.Value) float64 { return float64(v.Float()) },
		single: true,
	}
	halfKind = &kind{
		text:   func(to []byte, v parquet.Value) []byte { return appendFloat(to, half(v.ByteArray()), 32) },
		number: func(v parquet.Value) float64 { return half(v.ByteArray()) },
		single: true,
	}
	intKind = &kind{
		text:   func(to []byte, v parquet.Value) []byte { return strconv.AppendInt(to, integer(v), 10) },
		number: func(v parquet.Value) float64 { return float64(integer(v)) },
	}
	uintKind = &kind{
		text:   func(to []byte, v parquet.Value) []byte { return strconv.AppendUint(to, unsigned(v), 10) },
		number: func(v parquet.Value) float64 { return float64(unsigned(v)) },
	}
	boolKind = &kind{text: func(to []byte, v parquet.Value) []byte {
		if v.Boolean() {
			return append(to, "True"...)
		}
		return append(to, "False"...)
	}}
	dateKind = &kind{text: func(to []byte, v parquet.Value) []byte {
		return time.Unix(int64(v.Int32())*24*3600, 0).UTC().AppendFormat(to, time.DateOnly)
	}}
	int96Kind = &kind{text: func(to []byte, v parquet.Value) []byte {
		return appendTime(to, int96(v.Int96()), time.DateTime)
	}}
	uuidKind = &kind{text: func(to []byte, v parquet.Value) []byte {
		b := v.ByteArray()
		for i, end := range []int{4, 6, 8, 10, 16} {
			from := []int{0, 4, 6, 8, 10}[i]
			if i > 0 {
				to = append(to, '-')
			}
			to = hex.AppendEncode(to, b[from:end])
		}
		return to
	}}
)

// appendFloat writes whole numbers without exponent where they are exact, so
// that 1.0 is the text of 1.
func appendFloat(to []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(to, "NaN"...)
	case math.IsInf(v, 1):
		return append(to, "inf"...)
	case math.IsInf(v, -1):
		return append(to, "-inf"...)
	}
	layout := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		layout = 'e'
	}
	return strconv.AppendFloat(to, v, layout, -1, bits)
}

// integer reads INT32 and INT64; what a narrower type says fits either.
func integer(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func unsigned(v parquet.Value) uint64 {
	if v.Kind() == parquet.Int32 {
		return uint64(v.Uint32())
	}
	return v.Uint64()
}

// half reads an IEEE 754 half-precision number, little-endian.
func half(b []byte) float64 {
	bits := binary.LittleEndian.Uint16(b)
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits>>15 != 0 {
		v = -v
	}
	return v
}

// int96 reads the timestamps of older writers: nanoseconds of the day, then the
// Julian day (Parquet format, "INT96 timestamp": 2,440,588 is 1970-01-01).
func int96(v deprecated.Int96) time.Time {
	nanos := int64(v[1])<<32 | int64(v[0])
	return time.Unix((int64(v[2])-2_440_588)*24*3600, 0).Add(time.Duration(nanos)).UTC()
}

// appendTime writes a time with as many decimals of a second as it has.
func appendTime(to []byte, t time.Time, layout string) []byte {
	to = t.AppendFormat(to, layout)
	if nanos := t.Nanosecond(); nanos != 0 {
		digits := strconv.Itoa(1_000_000_000 + nanos)[1:]
		for digits[len(digits)-1] == '0' {
			digits = digits[:len(digits)-1]
		}
		to = append(append(to, '.'), digits...)
	}
	return to
}

// kindOfElement says how a column is read. The logical type decides, then the
// older converted type, then the physical one.
func kindOfElement(e *format.SchemaElement) *kind {
	if !e.Type.Valid {
		return &kind{refuse: "no values"}
	}
	physical := parquet.Kind(e.Type.V)
	if k := logicalKind(e, physical); k != nil {
		return k
	}
	if k := convertedKind(e, physical); k != nil {
		return k
	}
	switch physical {
	case parquet.Boolean:
		return boolKind
	case parquet.Int32, parquet.Int64:
		return intKind
	case parquet.Int96:
		return int96Kind
	case parquet.Float:
		return floatKind
	case parquet.Double:
		return doubleKind
	}
	return textKind
}

// logicalKind reads the logical type; nil where there is none that matters.
func logicalKind(e *format.SchemaElement, physical parquet.Kind) *kind {
	whole := physical == parquet.Int32 || physical == parquet.Int64
	switch t := e.LogicalType.Value.(type) {
	case *format.DecimalType:
		return decimalKind(int(t.Scale), physical)
	case *format.IntType:
		switch {
		case whole && t.IsSigned:
			return intKind
		case whole:
			return uintKind
		}
	case *format.Float16Type:
		if physical == parquet.FixedLenByteArray && e.TypeLength.V == 2 {
			return halfKind
		}
	case *format.DateType:
		if physical == parquet.Int32 {
			return dateKind
		}
	case *format.TimeType:
		if whole {
			return timeKind(unitOf(t.Unit))
		}
	case *format.TimestampType:
		if physical == parquet.Int64 {
			return timestampKind(unitOf(t.Unit), t.IsAdjustedToUTC)
		}
	case *format.UUIDType:
		if physical == parquet.FixedLenByteArray && e.TypeLength.V == 16 {
			return uuidKind
		}
	case *format.NullType:
		return &kind{text: func(to []byte, _ parquet.Value) []byte { return to }}
	case *format.BsonType:
		return &kind{refuse: "BSON"}
	case *format.GeometryType, *format.GeographyType:
		return &kind{refuse: "shapes of geography"}
	}
	return nil
}

// convertedKind reads the annotation that writers used before logical types.
func convertedKind(e *format.SchemaElement, physical parquet.Kind) *kind {
	if !e.ConvertedType.Valid {
		return nil
	}
	whole := physical == parquet.Int32 || physical == parquet.Int64
	switch e.ConvertedType.V {
	case deprecated.Decimal:
		return decimalKind(int(e.Scale.V), physical)
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		if whole {
			return uintKind
		}
	case deprecated.Date:
		if physical == parquet.Int32 {
			return dateKind
		}
	case deprecated.TimeMillis:
		if whole {
			return timeKind(time.Millisecond)
		}
	case deprecated.TimeMicros:
		if whole {
			return timeKind(time.Microsecond)
		}
	case deprecated.TimestampMillis:
		if whole {
			return timestampKind(time.Millisecond, true)
		}
	case deprecated.TimestampMicros:
		if whole {
			return timestampKind(time.Microsecond, true)
		}
	case deprecated.Bson:
		return &kind{refuse: "BSON"}
	case deprecated.Interval:
		return &kind{refuse: "intervals of time"}
	}
	return nil
}

func unitOf(u format.TimeUnit) time.Duration {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return time.Millisecond
	case *format.MicroSeconds:
		return time.Microsecond
	}
	return time.Nanosecond
}

// timestampKind writes 2013-10-01 05:00:00, with +00:00 where the time is one
// of UTC, as pandas does.
func timestampKind(unit time.Duration, utc bool) *kind {
	second := int64(time.Second / unit)
	return &kind{text: func(to []byte, v parquet.Value) []byte {
		n := integer(v)
		seconds, rest := n/second, n%second
		to = appendTime(to, time.Unix(seconds, rest*int64(unit)).UTC(), time.DateTime)
		if utc {
			to = append(to, "+00:00"...)
		}
		return to
	}}
}

func timeKind(unit time.Duration) *kind {
	second := int64(time.Second / unit)
	return &kind{text: func(to []byte, v parquet.Value) []byte {
		n := integer(v)
		return appendTime(to, time.Unix(n/second, n%second*int64(unit)).UTC(), time.TimeOnly)
	}}
}

// decimalKind reads DECIMAL: an unscaled integer and a number of digits after
// the point.
func decimalKind(scale int, physical parquet.Kind) *kind {
	if scale < 0 || scale > 1000 {
		return &kind{refuse: "decimals of scale " + strconv.Itoa(scale)}
	}
	var text func(to []byte, v parquet.Value) []byte
	switch physical {
	case parquet.Int32, parquet.Int64:
		text = func(to []byte, v parquet.Value) []byte {
			return appendDecimal(to, strconv.FormatInt(integer(v), 10), scale)
		}
	case parquet.ByteArray, parquet.FixedLenByteArray:
		text = func(to []byte, v parquet.Value) []byte {
			return appendDecimal(to, twosComplement(v.ByteArray()).String(), scale)
		}
	default:
		return &kind{refuse: "decimals kept as " + physical.String()}
	}
	return &kind{text: text, number: func(v parquet.Value) float64 {
		if n := v.Kind(); (n == parquet.Int32 || n == parquet.Int64) && scale < len(pow10) {
			if i := integer(v); i > -1<<53 && i < 1<<53 {
				return float64(i) / pow10[scale] // both are exact, the quotient rounds once
			}
		}
		var buffer [64]byte
		x, _ := Number(text(buffer[:0], v))
		return x
	}}
}

// twosComplement reads a big-endian integer.
func twosComplement(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

// appendDecimal sets the point into the digits of an integer.
func appendDecimal(to []byte, digits string, scale int) []byte {
	if digits[0] == '-' {
		to, digits = append(to, '-'), digits[1:]
	}
	if scale == 0 {
		return append(to, digits...)
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	at := len(digits) - scale
	return append(append(append(to, digits[:at]...), '.'), digits[at:]...)
}
