package v2

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// DecodeRequest reads the body of an infer request. Every error is an *Error.
// Nothing of the result refers to body.
func DecodeRequest(body []byte, limits Limits) (*Request, error) {
	p, err := newParser(body, limits)
	if err != nil {
		return nil, err
	}
	r := &Request{}
	if err := p.request(r); err != nil {
		return nil, err
	}
	if len(r.Outputs) == 0 { // the protocol: an empty list asks for all
		r.Outputs = nil
	}
	return r, p.end("the request")
}

// DecodeResponse reads the body of an answer. Every error is an *Error.
func DecodeResponse(body []byte, limits Limits) (*Response, error) {
	p, err := newParser(body, limits)
	if err != nil {
		return nil, err
	}
	r := &Response{}
	if err := p.response(r); err != nil {
		return nil, err
	}
	return r, p.end("the answer")
}

func newParser(body []byte, limits Limits) (*parser, error) {
	p := &parser{b: body, limits: limits.WithDefaults()}
	if int64(len(body)) > p.limits.Body {
		return nil, TooLarge(p.limits.Body)
	}
	return p, nil
}

func (p *parser) end(what string) error {
	p.next()
	if p.i < len(p.b) {
		return p.syntax("there is something after %s: %s", what, p.found())
	}
	return nil
}

// keys is the set of keys that an object has had so far.
type keys uint16

const (
	keyID keys = 1 << iota
	keyTensors
	keyOutputs
	keyModel
	keyVersion
	keyName
	keyShape
	keyDatatype
	keyData
)

// once refuses a key that was there before: two spellings of one request would
// be read differently by different programs.
func (k *keys) once(key keys, name string) error {
	if *k&key != 0 {
		return invalid("the key %q is there twice", name)
	}
	*k |= key
	return nil
}

func (p *parser) request(r *Request) error {
	const what = "the request"
	var seen keys
	for more, err := p.enter('{', what); ; more, err = p.follow('}', what) {
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := p.key(what)
		if err != nil {
			return err
		}
		switch string(key) {
		case "id":
			err = p.name(&r.ID, &seen, keyID, "id")
		case "inputs":
			if err = seen.once(keyTensors, "inputs"); err == nil {
				r.Inputs, err = p.tensors("inputs")
			}
		case "outputs":
			if err = seen.once(keyOutputs, "outputs"); err == nil {
				r.Outputs, err = p.outputNames()
			}
		default:
			err = p.skip(1)
		}
		if err != nil {
			return err
		}
	}
	if seen&keyTensors == 0 {
		return invalid(`the request has no "inputs"`)
	}
	return nil
}

func (p *parser) response(r *Response) error {
	const what = "the answer"
	var seen keys
	for more, err := p.enter('{', what); ; more, err = p.follow('}', what) {
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := p.key(what)
		if err != nil {
			return err
		}
		switch string(key) {
		case "id":
			err = p.name(&r.ID, &seen, keyID, "id")
		case "model_name":
			err = p.name(&r.Model, &seen, keyModel, "model_name")
		case "model_version":
			err = p.name(&r.Version, &seen, keyVersion, "model_version")
		case "outputs":
			if err = seen.once(keyTensors, "outputs"); err == nil {
				r.Outputs, err = p.tensors("outputs")
			}
		default:
			err = p.skip(1)
		}
		if err != nil {
			return err
		}
	}
	if seen&keyTensors == 0 {
		return invalid(`the answer has no "outputs"`)
	}
	return nil
}

// name reads a short string that may be null, which is as if it were absent.
func (p *parser) name(to *string, seen *keys, key keys, what string) error {
	if err := seen.once(key, what); err != nil {
		return err
	}
	if p.next() == 'n' {
		if start := p.i; string(p.word()) != "null" {
			p.i = start
			return p.syntax("expected a string, found %s", p.found())
		}
		return nil
	}
	if p.next() != '"' {
		return invalid("%q must be a string, found %s", what, p.found())
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	if len(text) > p.limits.Text {
		return invalid("%q has %d bytes, at most %d", what, len(text), p.limits.Text)
	}
	*to = string(text)
	return nil
}

func (p *parser) outputNames() ([]string, error) {
	if p.next() != '[' {
		return nil, invalid(`"outputs" must be an array, found %s`, p.found())
	}
	var names []string
	for more, err := p.enter('[', "outputs"); ; more, err = p.follow(']', "outputs") {
		if err != nil || !more {
			return names, err
		}
		if len(names) >= p.limits.Tensors {
			return nil, invalid(`"outputs" asks for more than %d tensors`, p.limits.Tensors)
		}
		name, err := p.outputName(len(names))
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
}

func (p *parser) outputName(index int) (string, error) {
	if p.next() != '{' {
		return "", invalid("outputs[%d] must be an object with a name, found %s", index, p.found())
	}
	var (
		name string
		seen keys
	)
	for more, err := p.enter('{', "outputs"); ; more, err = p.follow('}', "outputs") {
		if err != nil {
			return "", err
		}
		if !more {
			break
		}
		key, err := p.key("outputs")
		if err != nil {
			return "", err
		}
		if string(key) == "name" {
			err = p.name(&name, &seen, keyName, "name")
		} else {
			err = p.skip(3)
		}
		if err != nil {
			return "", err
		}
	}
	if name == "" {
		return "", invalid("outputs[%d] has no name", index)
	}
	return name, nil
}

func (p *parser) tensors(side string) ([]tensor.Tensor, error) {
	if p.next() != '[' {
		return nil, invalid("%q must be an array, found %s", side, p.found())
	}
	var out []tensor.Tensor
	for more, err := p.enter('[', side); ; more, err = p.follow(']', side) {
		if err != nil || !more {
			return out, err
		}
		if len(out) >= p.limits.Tensors {
			return nil, invalid("%q has more than %d tensors", side, p.limits.Tensors)
		}
		out = append(out, tensor.Tensor{})
		if err := p.tensor(place{side, len(out) - 1, &out[len(out)-1]}); err != nil {
			return nil, err
		}
	}
}

// place is where in a body a tensor stands, and the tensor.
type place struct {
	side  string // inputs, outputs
	index int
	*tensor.Tensor
}

func (at place) String() string {
	if at.Name != "" {
		return fmt.Sprintf("%s %q", at.side[:len(at.side)-1], at.Name)
	}
	return fmt.Sprintf("%s[%d]", at.side, at.index)
}

// tensor reads one input or output, standing at its '{'.
func (p *parser) tensor(at place) error {
	if p.next() != '{' {
		return invalid("%s must be an object, found %s", at, p.found())
	}
	var (
		seen   keys
		later  = -1 // where the data is that came before its type
		binary bool
	)
	const needed = keyShape | keyDatatype
	for more, err := p.enter('{', at.side); ; more, err = p.follow('}', at.side) {
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := p.key(at.side)
		if err != nil {
			return err
		}
		switch string(key) {
		case "name":
			err = p.name(&at.Name, &seen, keyName, "name")
		case "datatype":
			if err = seen.once(keyDatatype, "datatype"); err == nil {
				err = p.datatype(at)
			}
		case "shape":
			if err = seen.once(keyShape, "shape"); err == nil {
				err = p.shape(at)
			}
		case "data":
			if err = seen.once(keyData, "data"); err != nil {
				return err
			}
			if seen&needed == needed {
				err = p.data(at)
			} else {
				later = p.i
				err = p.skip(3)
			}
		case "parameters":
			err = p.binaryParameter(&binary)
		default:
			err = p.skip(3)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case at.Name == "":
		return invalid("%s has no name", at)
	case seen&keyDatatype == 0:
		return invalid("%s has no datatype", at)
	case seen&keyShape == 0:
		return invalid("%s has no shape", at)
	case seen&keyData == 0 && binary:
		return invalid("%s has binary data, which is not spoken here; send JSON (tritonclient: binary_data=False)", at)
	case seen&keyData == 0:
		return invalid("%s has no data", at)
	case later >= 0:
		end := p.i
		p.i = later
		if err := p.data(at); err != nil {
			return err
		}
		p.i = end
	}
	return nil
}

// binaryParameter looks for the mark of the binary extension, so that its
// absence here can be explained.
func (p *parser) binaryParameter(found *bool) error {
	const what = "parameters"
	if p.next() != '{' {
		return p.skip(3)
	}
	for more, err := p.enter('{', what); ; more, err = p.follow('}', what) {
		if err != nil || !more {
			return err
		}
		key, err := p.key(what)
		if err != nil {
			return err
		}
		*found = *found || string(key) == "binary_data_size"
		if err := p.skip(4); err != nil {
			return err
		}
	}
}

func (p *parser) datatype(at place) error {
	if p.next() != '"' {
		return invalid("%s: the datatype must be a string, found %s", at, p.found())
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	for _, d := range tensor.Datatypes {
		if string(text) == string(d) { // compares, allocates nothing
			at.Datatype = d
			return nil
		}
	}
	return invalid("%s: the datatype %s is not known; known are %v", at, quote(text), tensor.Datatypes)
}

func (p *parser) shape(at place) error {
	if p.next() != '[' {
		return invalid("%s: the shape must be an array of integers, found %s", at, p.found())
	}
	at.Shape = make([]int64, 0, 2)
	for more, err := p.enter('[', "shape"); ; more, err = p.follow(']', "shape") {
		if err != nil || !more {
			return err
		}
		i := len(at.Shape)
		if i >= p.limits.Dims {
			return invalid("%s: the shape has more than %d dimensions", at, p.limits.Dims)
		}
		if c := p.next(); c != '-' && (c < '0' || c > '9') {
			return invalid("%s: shape[%d] must be an integer, found %s", at, i, p.found())
		}
		n, err := p.number()
		switch {
		case err != nil:
			return err
		case n.infinite || !n.integer:
			return invalid("%s: shape[%d] must be an integer, found %s", at, i, quote(n.literal))
		case n.negative:
			return invalid("%s: shape[%d] is negative", at, i)
		case !n.exact || n.mantissa > uint64(p.limits.Elements):
			return invalid("%s: shape[%d] is more than %d", at, i, p.limits.Elements)
		}
		at.Shape = append(at.Shape, int64(n.mantissa))
	}
}
