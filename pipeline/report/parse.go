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

// DefaultLimits are far above what a run writes: 200 metrics with 50 slices
// each take about 6 MB.
func DefaultLimits() Limits { return Limits{Bytes: 16 << 20, Items: 50_000, Depth: 16} }

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
	r.rename()
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
	s := scanner{dec: dec, limits: limits, fields: map[reflect.Type]map[string]reflect.Type{}}
	if err := s.value(reflect.TypeFor[Report]()); err != nil {
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
	fields map[reflect.Type]map[string]reflect.Type
	path   []place // where the scanner is; written out only for an error
}

// place is a key, or an index where the key is "".
type place struct {
	key   string
	index int
}

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("%s: %s", where(pathText(s.path)), fmt.Sprintf(format, args...))
}

func pathText(path []place) string {
	var b strings.Builder
	for _, p := range path {
		switch {
		case p.key == "":
			fmt.Fprintf(&b, "[%d]", p.index)
		case b.Len() > 0:
			b.WriteString("." + p.key)
		default:
			b.WriteString(p.key)
		}
	}
	return b.String()
}

// within scans a value of type t at p.
func (s *scanner) within(p place, t reflect.Type) error {
	s.path = append(s.path, p)
	err := s.value(t)
	s.path = s.path[:len(s.path)-1]
	return err
}

func (s *scanner) value(t reflect.Type) error {
	if len(s.path) > s.limits.Depth {
		return s.fail("nested deeper than %d levels", s.limits.Depth)
	}
	token, err := s.dec.Token()
	if err != nil {
		return s.fail("%s", quote(err.Error()))
	}
	if token == nil {
		if t.Kind() == reflect.Pointer {
			return nil
		}
		return s.fail("is null")
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
		if s.fields[t] == nil {
			s.fields[t] = fieldsOf(t)
		}
		return s.object(func(key string) (reflect.Type, bool) { ft, ok := s.fields[t][key]; return ft, ok })
	case delim == '{' && t.Kind() == reflect.Map:
		return s.object(func(string) (reflect.Type, bool) { return t.Elem(), true })
	case delim == '[' && t.Kind() == reflect.Slice:
		for i := 0; s.dec.More(); i++ {
			if i >= s.limits.Items {
				return s.fail("more than %d items", s.limits.Items)
			}
			if err := s.within(place{index: i}, t.Elem()); err != nil {
				return err
			}
		}
		return s.end()
	}
	return s.fail("is not %s", kindName(t))
}

func (s *scanner) object(field func(key string) (reflect.Type, bool)) error {
	seen := map[string]bool{}
	for s.dec.More() {
		token, err := s.dec.Token()
		if err != nil {
			return s.fail("%s", quote(err.Error()))
		}
		key, _ := token.(string)
		t, known := field(key)
		at := place{key: key}
		if key == "" {
			at.key = "?"
		}
		switch {
		case !known:
			s.path = append(s.path, at)
			return s.fail("unknown field")
		case seen[key]:
			s.path = append(s.path, at)
			return s.fail("stands there twice")
		case len(seen) >= s.limits.Items:
			return s.fail("more than %d items", s.limits.Items)
		}
		seen[key] = true
		if err := s.within(at, t); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *scanner) end() error {
	if _, err := s.dec.Token(); err != nil {
		return s.fail("%s", quote(err.Error()))
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
