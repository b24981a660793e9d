package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// decoder fills Go values from a syntax tree and collects all problems.
//
// A struct's fields are its mapping's keys, by the tag yaml; a field without
// that tag is not decoded, one with ",inline" lends its fields. The tag default
// holds the YAML text of the value that an absent key has. A type may decode
// itself from a scalar (encoding.TextUnmarshaler) or a node (nodeDecoder).
type decoder struct {
	problems []Problem
	places   map[string]place // of values, by path
	missing  []string         // paths of sections that are required and absent
	nullable bool             // whether null stands for a nil pointer
}

type place struct {
	line, column int
	failed       bool // a problem was reported, so that rules stay silent
}

type nodeDecoder interface {
	decodeNode(d *decoder, n ast.Node, path string)
}

func newDecoder() *decoder { return &decoder{places: map[string]place{"": {line: 1, column: 1}}} }

// problem reports a problem of the value at path, or, when that is absent, of
// the nearest value around it.
func (d *decoder) problem(path, format string, args ...any) { d.coded(nil, path, format, args...) }

// coded reports a problem that has a code of its own.
func (d *decoder) coded(code *fault.Code, path, format string, args ...any) {
	p := d.at(path)
	d.problems = append(d.problems, Problem{Line: p.line, Column: p.column, Path: path, Message: fmt.Sprintf(format, args...), Code: code})
}

// fail reports a problem of the value at n and silences the rules for it.
func (d *decoder) fail(n ast.Node, path, format string, args ...any) {
	line, column := nodePosition(n)
	d.places[path] = place{line, column, true}
	d.problem(path, format, args...)
}

// at returns the place of the value at path or of the nearest one around it.
func (d *decoder) at(path string) place {
	for {
		if p, ok := d.places[path]; ok {
			return p
		}
		path = parent(path)
	}
}

func (d *decoder) given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// silenced reports whether a problem was already reported for path or for
// what is around it.
func (d *decoder) silenced(path string) bool {
	for {
		if d.places[path].failed {
			return true
		}
		if path == "" {
			return false
		}
		path = parent(path)
	}
}

// parent cuts the last step off a path: a.b[1].c, a.b[1], a.b, a, "".
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// decode fills v from n.
func (d *decoder) decode(n ast.Node, v reflect.Value, path string) {
	line, column := nodePosition(n)
	d.places[path] = place{line: line, column: column}
	if null(n) && d.nullable && v.Kind() == reflect.Pointer {
		return
	}
	if null(n) {
		d.fail(n, path, "has no value; give it one or remove the key")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if self, ok := v.Addr().Interface().(nodeDecoder); ok {
		self.decodeNode(d, n, path)
		return
	}
	if self, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		text, ok := scalarText(n)
		if !ok {
			d.fail(n, path, "is %s, expected one value", describe(n))
		} else if err := self.UnmarshalText([]byte(text)); err != nil {
			// An error that begins with the key would say it twice.
			d.fail(n, path, "%s", strings.TrimPrefix(err.Error(), path[strings.LastIndex(path, ".")+1:]+" "))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.sequence(n, v, path)
	case reflect.String:
		d.text(n, v, path)
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.fail(n, path, "is %s, expected true or false", describe(n))
		}
	case reflect.Int, reflect.Int64:
		d.integer(n, v, path)
	case reflect.Float64:
		d.float(n, v, path)
	default:
		// A field of another kind is a mistake of this package, found by its tests.
		panic("spec: no decoding of " + v.Type().String())
	}
}

// decodeForm decodes n, whose place is known, into a struct that stands for
// the written form of a type.
func (d *decoder) decodeForm(n ast.Node, form any, path string) {
	d.mapping(n, reflect.ValueOf(form).Elem(), path)
}

func null(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return n == nil || ok
}

func (d *decoder) text(n ast.Node, v reflect.Value, path string) {
	switch n := n.(type) {
	case *ast.StringNode:
		v.SetString(n.Value)
	case *ast.LiteralNode:
		v.SetString(n.Value.Value)
	default:
		hint := ""
		if text, ok := scalarText(n); ok {
			hint = fmt.Sprintf("; write %q", text)
		}
		d.fail(n, path, "is %s, expected a text%s", describe(n), hint)
	}
}

func (d *decoder) integer(n ast.Node, v reflect.Value, path string) {
	text, ok := number(n)
	i, err := strconv.ParseInt(text, 10, v.Type().Bits())
	if !ok || err != nil {
		d.fail(n, path, "is %s, expected a whole number in decimal digits", describe(n))
		return
	}
	v.SetInt(i)
}

func (d *decoder) float(n ast.Node, v reflect.Value, path string) {
	text, ok := number(n)
	f, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(text, "xX_") {
		d.fail(n, path, "is %s, expected a finite number", describe(n))
		return
	}
	v.SetFloat(f)
}

// number returns the text of a number; a plain text is left to the caller to
// parse, since 1e-6 is a number to YAML and not to every library.
func number(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return strings.TrimSpace(n.GetToken().Value), true
	case *ast.StringNode:
		return n.Value, n.Token.Type == token.StringType
	}
	return "", false
}

// scalarText returns the text of a scalar as it is written, quotes taken off.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	}
	return "", false
}

// describe says what a node is, for "is ..., expected ...".
func describe(n ast.Node) string {
	text, _ := scalarText(n)
	if plain, ok := number(n); ok {
		if _, err := strconv.ParseFloat(plain, 64); err == nil {
			return "the number " + strings.Trim(quote(text), `"`)
		}
	}
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "the text " + quote(text)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + strings.Trim(quote(text), `"`)
	case *ast.BoolNode:
		return "the boolean " + text
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	return "something else"
}

func (d *decoder) sequence(n ast.Node, v reflect.Value, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		hint := ""
		if text, ok := scalarText(n); ok && v.Type().Elem().Kind() != reflect.Struct {
			hint = fmt.Sprintf("; write [%s]", strings.Trim(quote(text), `"`))
		}
		d.fail(n, path, "is %s, expected a list%s", describe(n), hint)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, value := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		if value == nil {
			d.problem(path, "entry %d has no value", i)
			continue
		}
		d.decode(value, v.Index(i), at)
	}
}

// field is one key of a struct.
type field struct {
	key   string
	value reflect.Value
	tag   reflect.StructTag
}

func fields(v reflect.Value) []field {
	var all []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		key, options, _ := strings.Cut(tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			all = append(all, fields(v.Field(i))...)
		case key != "" && key != "-":
			all = append(all, field{key, v.Field(i), tag})
		}
	}
	return all
}

func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		d.fail(n, path, "is %s, expected keys: %s", describe(n), strings.Join(keys(fields(v)), ", "))
		return
	}
	d.pairs(pairs, v, path)
}

func keys(all []field) []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.key
	}
	return names
}

// pairs decodes the pairs of a mapping and fills in the defaults of the rest.
func (d *decoder) pairs(pairs []*ast.MappingValueNode, v reflect.Value, path string) {
	all := fields(v)
	seen := map[string]int{}
	for _, pair := range pairs {
		tk := pair.Key.GetToken()
		line, column := position(tk)
		key := tk.Value
		if text, ok := scalarText(pair.Key); ok {
			key = text
		}
		report := func(code *fault.Code, format string, args ...any) {
			d.problems = append(d.problems, Problem{Line: line, Column: column, Path: path, Message: fmt.Sprintf(format, args...), Code: code})
		}
		if first, twice := seen[key]; twice {
			report(fault.ConfigSyntax, "key %s is given twice; the first is on line %d", quote(key), first)
			continue
		}
		seen[key] = line
		known := false
		for _, f := range all {
			if f.key == key {
				known = true
				d.decode(pair.Value, f.value, join(path, key))
			}
		}
		if !known {
			d.unknown(key, keys(all), place{line, column, true}, path, report)
		}
	}
	for _, f := range all {
		if _, given := seen[f.key]; !given {
			d.absent(f, join(path, f.key))
		}
	}
}

// unknown reports a key that a mapping does not know. The rules are silent
// about the key that was meant: it is not missing.
func (d *decoder) unknown(key string, known []string, at place, path string, report func(code *fault.Code, format string, args ...any)) {
	near, ok := "", false
	if len(d.problems) < mostShown {
		near, ok = spelling.Nearest(key, known)
	}
	switch {
	case ok:
		report(fault.ConfigUnknownKey, "unknown key %s; did you mean %q?", quote(key), near)
		if meant := join(path, near); !d.given(meant) {
			d.places[meant] = at
		}
	case len(known) == 0:
		report(fault.ConfigUnknownKey, "unknown key %s; none is known here", quote(key))
	default:
		report(fault.ConfigUnknownKey, "unknown key %s; known are %s", quote(key), strings.Join(known, ", "))
	}
}

// absent gives the field of an absent key its default; a section gets those of
// its own keys.
func (d *decoder) absent(f field, path string) {
	if text := f.tag.Get("default"); text != "" {
		root, problems := document([]byte(text))
		if len(problems) > 0 {
			panic("spec: default of " + path + ": " + problems[0].Message) // a mistake of this package, found by its tests
		}
		inner := newDecoder()
		inner.decode(root, f.value, path)
		if len(inner.problems) > 0 {
			panic("spec: default of " + path + ": " + inner.problems[0].Message)
		}
		return
	}
	if _, self := f.value.Addr().Interface().(encoding.TextUnmarshaler); self || f.value.Kind() != reflect.Struct {
		return
	}
	if strings.HasPrefix(f.tag.Get("validate"), "required") {
		d.missing = append(d.missing, path)
	}
	d.pairs(nil, f.value, path)
}
