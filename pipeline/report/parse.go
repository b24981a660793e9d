package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Limits bound what Parse reads.
type Limits struct {
	Bytes int // of the whole text
	Items int // of any one list or map
	Depth int // of nested objects and lists
}

// DefaultLimits are far above what a run writes: 200 metrics with 200 slices
// each take about 20 MB.
func DefaultLimits() Limits { return Limits{Bytes: 32 << 20, Items: 50_000, Depth: 16} }

// Parse reads a report that anyone may have written. See the package comment
// for what it refuses. The error names the field.
func Parse(data []byte, limits Limits) (*Report, error) {
	if len(data) > limits.Bytes {
		return nil, fmt.Errorf("reading the report: %d bytes, at most %d are allowed", len(data), limits.Bytes)
	}
	if err := scan(data, limits); err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	var r Report
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("reading the report: %s", quote(err.Error()))
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	return &r, nil
}

// Encode writes the canonical text: fields in the order of the types, two
// spaces, keys of maps sorted, empty lists as [], a final newline. It refuses
// what Parse would refuse, so that a report which was written can be read.
func Encode(r *Report) ([]byte, error) {
	c := *r
	c.Schema = SchemaName
	c.fillEmpty()
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&c); err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return b.Bytes(), nil
}

// fillEmpty turns nil lists that are always written into empty ones. It
// copies where it changes something below the top level.
func (r *Report) fillEmpty() {
	if r.Headline == nil {
		r.Headline = []Prose{}
	}
	if r.Metrics == nil {
		r.Metrics = []Metric{}
	}
	if r.Slices == nil {
		r.Slices = []Slice{}
	}
	if r.Replicates == nil {
		r.Replicates = []Replicate{}
	}
	if r.Exams == nil {
		r.Exams = []Exam{}
	}
	if r.Run.Seeds == nil {
		r.Run.Seeds = []int64{}
	}
	if r.Smoke != nil && r.Smoke.Checks == nil {
		s := *r.Smoke
		s.Checks = []Check{}
		r.Smoke = &s
	}
	if r.WhyDifferent != nil && r.WhyDifferent.Changes == nil {
		w := *r.WhyDifferent
		w.Changes = []Change{}
		r.WhyDifferent = &w
	}
	if r.Calibration != nil && r.Calibration.Candidate == nil {
		c := *r.Calibration
		c.Candidate = []Bin{}
		r.Calibration = &c
	}
}

// scan walks the tokens beside the types and refuses what encoding/json lets
// through: keys that differ in case, repeated keys, null where a value must
// stand, text after the end; and bounds depth and length before anything is
// allocated for them.
func scan(data []byte, limits Limits) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	s := scanner{dec: dec, limits: limits}
	if err := s.value(reflect.TypeFor[Report](), "", 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is text after the report's end")
	}
	return nil
}

type scanner struct {
	dec    *json.Decoder
	limits Limits
}

func (s *scanner) value(t reflect.Type, path string, depth int) error {
	if depth > s.limits.Depth {
		return fmt.Errorf("%s: nested deeper than %d levels", where(path), s.limits.Depth)
	}
	token, err := s.dec.Token()
	if err != nil {
		return fmt.Errorf("%s: %s", where(path), quote(err.Error()))
	}
	if token == nil {
		switch t.Kind() {
		case reflect.Pointer:
			return nil
		default:
			return fmt.Errorf("%s: is null", where(path))
		}
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil // the decoder checks that the value fits the type
	}
	switch {
	case delim == '{' && t.Kind() == reflect.Struct:
		fields := fieldsOf(t)
		return s.object(path, func(key, at string) error {
			ft, ok := fields[key]
			if !ok {
				return fmt.Errorf("%s: unknown field", where(at))
			}
			return s.value(ft, at, depth+1)
		})
	case delim == '{' && t.Kind() == reflect.Map:
		return s.object(path, func(key, at string) error { return s.value(t.Elem(), at, depth+1) })
	case delim == '[' && t.Kind() == reflect.Slice:
		for i := 0; s.dec.More(); i++ {
			if i >= s.limits.Items {
				return fmt.Errorf("%s: more than %d items", where(path), s.limits.Items)
			}
			if err := s.value(t.Elem(), fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return err
			}
		}
		return s.end(path)
	}
	return fmt.Errorf("%s: is not %s", where(path), kindName(t))
}

func (s *scanner) object(path string, field func(key, at string) error) error {
	seen := map[string]bool{}
	for s.dec.More() {
		token, err := s.dec.Token()
		if err != nil {
			return fmt.Errorf("%s: %s", where(path), quote(err.Error()))
		}
		key, _ := token.(string)
		at := strings.TrimPrefix(path+"."+string(NewText(key)), ".")
		if seen[key] {
			return fmt.Errorf("%s: stands there twice", where(at))
		}
		if len(seen) >= s.limits.Items {
			return fmt.Errorf("%s: more than %d items", where(path), s.limits.Items)
		}
		seen[key] = true
		if err := field(key, at); err != nil {
			return err
		}
	}
	return s.end(path)
}

func (s *scanner) end(path string) error {
	if _, err := s.dec.Token(); err != nil {
		return fmt.Errorf("%s: %s", where(path), quote(err.Error()))
	}
	return nil
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	}
	return "a number"
}

// where names a place in a report; "" is the whole of it.
func where(path string) string {
	if path == "" {
		return "the report"
	}
	return quotePath(path)
}

// quotePath keeps a path readable and its length bounded.
func quotePath(path string) string {
	if len(path) > 200 {
		path = path[:200] + "…"
	}
	q := quote(path)
	return q[1 : len(q)-1]
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f.Type
	}
	return fields
}
