package v2

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// DecodeRequest reads the body of an infer request. Every error is an *Error.
// Nothing of the result refers to body.
func DecodeRequest(body []byte, limits Limits) (*Request, error) {
	r := &Request{}
	var seen keys
	err := decodeTop(body, limits, "the request", func(p *parser, key []byte) error {
		switch string(key) {
		case "id":
			return first(&seen, keyID, "id", p.name(&r.ID, "id"))
		case "inputs":
			return first(&seen, keyTensors, "inputs", p.tensors("inputs", &r.Inputs))
		case "outputs":
			r.Outputs = []string{}
			return first(&seen, keyOutputs, "outputs", p.outputNames(&r.Outputs))
		}
		return p.skip(1)
	})
	switch {
	case err != nil:
		return nil, err
	case seen&keyTensors == 0:
		return nil, invalid(`the request has no "inputs"`)
	}
	if len(r.Outputs) == 0 { // the protocol: an empty list asks for all
		r.Outputs = nil
	}
	return r, nil
}

// DecodeResponse reads the body of an answer. Every error is an *Error.
func DecodeResponse(body []byte, limits Limits) (*Response, error) {
	r := &Response{}
	var seen keys
	err := decodeTop(body, limits, "the answer", func(p *parser, key []byte) error {
		switch string(key) {
		case "id":
			return first(&seen, keyID, "id", p.name(&r.ID, "id"))
		case "model_name":
			return first(&seen, keyModel, "model_name", p.name(&r.Model, "model_name"))
		case "model_version":
			return first(&seen, keyVersion, "model_version", p.name(&r.Version, "model_version"))
		case "outputs":
			return first(&seen, keyTensors, "outputs", p.tensors("outputs", &r.Outputs))
		}
		return p.skip(1)
	})
	switch {
	case err != nil:
		return nil, err
	case seen&keyTensors == 0:
		return nil, invalid(`the answer has no "outputs"`)
	}
	return r, nil
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

// first returns err, or an error where key was there before: two spellings of
// one request would be read differently by different programs.
func first(seen *keys, key keys, name string, err error) error {
	if err == nil && *seen&key != 0 {
		return invalid("the key %q is there twice", name)
	}
	*seen |= key
	return err
}

func decodeTop(body []byte, limits Limits, what string, member func(*parser, []byte) error) error {
	p := &parser{b: body, limits: limits.WithDefaults()}
	if int64(len(body)) > p.limits.Body {
		return tooLarge(p.limits.Body)
	}
	if err := p.object(what, func(key []byte) error { return member(p, key) }); err != nil {
		return err
	}
	p.next()
	if p.i < len(p.b) {
		return p.syntax("there is something after %s: %s", what, p.found())
	}
	return nil
}

// name reads a short string that may be null, which is as if it were absent.
func (p *parser) name(to *string, what string) error {
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

func (p *parser) tensors(side string, to *[]tensor.Tensor) error {
	if p.next() != '[' {
		return invalid("%q must be an array, found %s", side, p.found())
	}
	return p.array(side, func(i int) error {
		if i >= p.limits.Tensors {
			return invalid("%q has more than %d tensors", side, p.limits.Tensors)
		}
		t, err := p.tensor(side, i)
		if err != nil {
			return err
		}
		*to = append(*to, t)
		return nil
	})
}

func (p *parser) outputNames(to *[]string) error {
	if p.next() != '[' {
		return invalid(`"outputs" must be an array, found %s`, p.found())
	}
	return p.array("outputs", func(i int) error {
		if i >= p.limits.Tensors {
			return invalid(`"outputs" asks for more than %d tensors`, p.limits.Tensors)
		}
		name := ""
		if p.next() != '{' {
			return invalid("outputs[%d] must be an object with a name, found %s", i, p.found())
		}
		var seen keys
		err := p.object("an output", func(key []byte) error {
			if string(key) == "name" {
				return first(&seen, keyName, "name", p.name(&name, "name"))
			}
			return p.skip(3)
		})
		if err == nil && name == "" {
			return invalid("outputs[%d] has no name", i)
		}
		*to = append(*to, name)
		return err
	})
}

// tensor reads one input or output, standing at its '{'.
func (p *parser) tensor(side string, index int) (tensor.Tensor, error) {
	if p.next() != '{' {
		return tensor.Tensor{}, invalid("%s[%d] must be an object, found %s", side, index, p.found())
	}
	var (
		t        tensor.Tensor
		seen     keys
		later    = -1 // where the data is that came before its type
		binary   bool
		location = func() string {
			if t.Name != "" {
				return fmt.Sprintf("%s %q", side[:len(side)-1], t.Name)
			}
			return fmt.Sprintf("%s[%d]", side, index)
		}
	)
	const needed = keyShape | keyDatatype
	err := p.object(side, func(key []byte) error {
		switch string(key) {
		case "name":
			return first(&seen, keyName, "name", p.name(&t.Name, "name"))
		case "datatype":
			return first(&seen, keyDatatype, "datatype", p.datatype(&t.Datatype, location))
		case "shape":
			return first(&seen, keyShape, "shape", p.shape(&t.Shape, location))
		case "data":
			if seen&keyData != 0 {
				return invalid("%s: the key %q is there twice", location(), "data")
			}
			seen |= keyData
			if seen&needed == needed && later < 0 {
				return p.data(&t, location)
			}
			later = p.i
			return p.skip(3)
		case "parameters":
			return p.binaryParameter(&binary)
		}
		return p.skip(3)
	})
	switch {
	case err != nil:
		return t, err
	case t.Name == "":
		return t, invalid("%s[%d] has no name", side, index)
	case seen&keyDatatype == 0:
		return t, invalid("%s has no datatype", location())
	case seen&keyShape == 0:
		return t, invalid("%s has no shape", location())
	case seen&keyData == 0 && binary:
		return t, invalid("%s has binary data, which is not spoken here; send JSON (tritonclient: binary_data=False)", location())
	case seen&keyData == 0:
		return t, invalid("%s has no data", location())
	case later >= 0:
		end := p.i
		p.i = later
		if err := p.data(&t, location); err != nil {
			return t, err
		}
		p.i = end
	}
	return t, nil
}

// binaryParameter looks for the mark of the binary extension, so that its
// absence here can be explained.
func (p *parser) binaryParameter(found *bool) error {
	if p.next() != '{' {
		return p.skip(3)
	}
	return p.object("parameters", func(key []byte) error {
		*found = *found || string(key) == "binary_data_size"
		return p.skip(4)
	})
}

func (p *parser) datatype(to *tensor.Datatype, location func() string) error {
	if p.next() != '"' {
		return invalid("%s: the datatype must be a string, found %s", location(), p.found())
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	for _, d := range tensor.Datatypes {
		if string(text) == string(d) { // compares, allocates nothing
			*to = d
			return nil
		}
	}
	return invalid("%s: the datatype %s is not known; known are %v", location(), quote(text), tensor.Datatypes)
}

func (p *parser) shape(to *[]int64, location func() string) error {
	if p.next() != '[' {
		return invalid("%s: the shape must be an array of integers, found %s", location(), p.found())
	}
	shape := make([]int64, 0, 2)
	err := p.array("shape", func(i int) error {
		if i >= p.limits.Dims {
			return invalid("%s: the shape has more than %d dimensions", location(), p.limits.Dims)
		}
		if c := p.next(); c != '-' && (c < '0' || c > '9') {
			return invalid("%s: shape[%d] must be an integer, found %s", location(), i, p.found())
		}
		n, err := p.number()
		switch {
		case err != nil:
			return err
		case n.infinite || !n.integer:
			return invalid("%s: shape[%d] must be an integer, found %s", location(), i, quote(n.literal))
		case n.negative:
			return invalid("%s: shape[%d] is negative", location(), i)
		case !n.exact || n.mantissa > uint64(p.limits.Elements):
			return invalid("%s: shape[%d] is more than %d", location(), i, p.limits.Elements)
		}
		shape = append(shape, int64(n.mantissa))
		return nil
	})
	*to = shape
	return err
}
