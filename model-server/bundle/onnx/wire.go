package onnx

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// maxSize is the limit of protobuf's own messages.
	maxSize = math.MaxInt32
	// maxDepth bounds graphs in attributes and types in types.
	maxDepth = 32
	// A message costs a struct of up to some 200 bytes, whatever its length;
	// real ones have 8 bytes and more, so a file of empty ones is refused.
	messagesAtLeast = 4096
	bytesPerMessage = 8
)

// ParseError says where in the model reading it failed.
type ParseError struct {
	Where string // "graph, node 3, attribute coefficients"
	Err   error
}

func (e *ParseError) Error() string {
	if e.Where == "" {
		return "reading the ONNX model: " + e.Err.Error()
	}
	return fmt.Sprintf("reading the ONNX model: %s: %v", e.Where, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }

func inside(where string, err error) error {
	var p *ParseError
	if errors.As(err, &p) {
		if p.Where == "" {
			return &ParseError{where, p.Err}
		}
		return &ParseError{where + ", " + p.Where, p.Err}
	}
	return &ParseError{where, err}
}

// reader carries what is bounded over a whole model.
type reader struct {
	model    *Model
	depth    int
	messages int
	interned map[string]string
}

// field is one field of a message, not yet interpreted.
type field struct {
	r       *reader
	message string
	num     protowire.Number
	kind    protowire.Type
	scalar  uint64 // varint, fixed32, fixed64
	bytes   []byte
	raw     []byte // tag and value
}

// each calls do for every field of a message.
func (r *reader) each(message string, data []byte, do func(f *field) error) error {
	r.messages--
	if r.messages < 0 {
		return errors.New("holds more messages than its size can explain")
	}
	if r.depth++; r.depth > maxDepth {
		return fmt.Errorf("is nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	f := field{r: r, message: message}
	for len(data) > 0 {
		num, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return wireError(message, n)
		}
		f.num, f.kind, f.bytes, f.scalar = num, kind, nil, 0
		m := 0
		switch kind {
		case protowire.VarintType:
			f.scalar, m = protowire.ConsumeVarint(data[n:])
		case protowire.BytesType:
			f.bytes, m = protowire.ConsumeBytes(data[n:])
		case protowire.Fixed32Type:
			var v uint32
			v, m = protowire.ConsumeFixed32(data[n:])
			f.scalar = uint64(v)
		case protowire.Fixed64Type:
			f.scalar, m = protowire.ConsumeFixed64(data[n:])
		default:
			return fmt.Errorf("%s has a field %d of the unknown wire type %d", message, num, kind)
		}
		if m < 0 {
			return wireError(message, m)
		}
		f.raw = data[:n+m]
		data = data[n+m:]
		if err := do(&f); err != nil {
			return err
		}
	}
	return nil
}

func wireError(message string, code int) error {
	err := protowire.ParseError(code)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is damaged: a field is longer than what holds it", message)
	}
	return fmt.Errorf("%s is damaged: %w", message, err)
}

func (f *field) want(kind protowire.Type) error {
	if f.kind != kind {
		return fmt.Errorf("field %d of %s has wire type %d, expected %d", f.num, f.message, f.kind, kind)
	}
	return nil
}

// opaque keeps the field by digest: it has no type here.
func (f *field) opaque() error {
	f.r.messages--
	if f.r.messages < 0 {
		return errors.New("holds more messages than its size can explain")
	}
	f.r.model.Opaque = append(f.r.model.Opaque, Opaque{f.message, int32(f.num), sha256.Sum256(f.raw)})
	return nil
}

func (f *field) text(to *string) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	*to = f.r.intern(f.bytes)
	return nil
}

// texts appends one string of a repeated field.
func (f *field) texts(to *[]string) error {
	var s string
	if err := f.text(&s); err != nil {
		return err
	}
	*to = append(*to, s)
	return nil
}

// intern keeps one copy of short texts: the modes of a tree's nodes are a few
// words, a hundred thousand times over.
func (r *reader) intern(b []byte) string {
	if s, ok := r.interned[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(b) <= 64 && len(r.interned) < 4096 {
		r.interned[s] = s
	}
	return s
}

func (f *field) int64(to *int64) error {
	if err := f.want(protowire.VarintType); err != nil {
		return err
	}
	*to = int64(f.scalar)
	return nil
}

func (f *field) float32(to *float32) error {
	if err := f.want(protowire.Fixed32Type); err != nil {
		return err
	}
	*to = math.Float32frombits(uint32(f.scalar))
	return nil
}

// varints appends a repeated varint field, packed or not, each value passed
// through convert.
func varints[T any](f *field, to *[]T, convert func(uint64) T) error {
	if f.kind == protowire.VarintType {
		*to = append(*to, convert(f.scalar))
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	count := 0
	for _, b := range f.bytes {
		if b < 0x80 {
			count++
		}
	}
	*to = grow(*to, count)
	for data := f.bytes; len(data) > 0; {
		v, n := protowire.ConsumeVarint(data)
		if n < 0 {
			return wireError(f.message, n)
		}
		*to = append(*to, convert(v))
		data = data[n:]
	}
	return nil
}

// fixed32s appends a repeated float field, packed or not.
func (f *field) fixed32s(to *[]float32) error {
	if f.kind == protowire.Fixed32Type {
		*to = append(*to, math.Float32frombits(uint32(f.scalar)))
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.bytes)%4 != 0 {
		return fmt.Errorf("field %d of %s: %d bytes are no whole number of floats", f.num, f.message, len(f.bytes))
	}
	*to = grow(*to, len(f.bytes)/4)
	for data := f.bytes; len(data) > 0; data = data[4:] {
		v, _ := protowire.ConsumeFixed32(data)
		*to = append(*to, math.Float32frombits(v))
	}
	return nil
}

// fixed64s appends a repeated double field, packed or not.
func (f *field) fixed64s(to *[]float64) error {
	if f.kind == protowire.Fixed64Type {
		*to = append(*to, math.Float64frombits(f.scalar))
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.bytes)%8 != 0 {
		return fmt.Errorf("field %d of %s: %d bytes are no whole number of doubles", f.num, f.message, len(f.bytes))
	}
	*to = grow(*to, len(f.bytes)/8)
	for data := f.bytes; len(data) > 0; data = data[8:] {
		v, _ := protowire.ConsumeFixed64(data)
		*to = append(*to, math.Float64frombits(v))
	}
	return nil
}

// grow makes room for n more elements; append would double what is exact.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	out := make([]T, len(s), len(s)+n)
	copy(out, s)
	return out
}
