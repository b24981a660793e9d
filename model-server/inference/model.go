package inference

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Version of the one model that a server has. Protocols want versions to be
// text; what is served is told by the bundle's digest.
const Version = "1"

// DefaultMaxRows is the largest request that is taken.
const DefaultMaxRows = 1 << 16

// Options describe a model beside its engine.
type Options struct {
	Name     string
	Platform string       // of the format: "onnx_onnxv1"
	Digest   string       // of the bundle; "" for a bare model file
	Release  string       // of the server
	MaxRows  int          // of one request; 0: DefaultMaxRows
	Logger   *slog.Logger // nil: no log
	// Signature is the bundle's, with the roles that were judged; nil: the
	// engine's.
	Signature *bundle.Signature
}

// Model is one model that answers. It is for any number of callers at once.
type Model struct {
	engine    engine.Engine
	signature bundle.Signature
	inputs    map[string]int // index in signature.Inputs by name
	outputs   map[string]int
	options   Options
	logs      bool // there is a log to point at
	ready     atomic.Bool
}

// New returns the model that e computes. It is not ready until SetReady.
func New(e engine.Engine, o Options) *Model {
	m := &Model{engine: e, options: o, logs: o.Logger != nil, signature: e.Signature()}
	if !m.logs {
		m.options.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxRows == 0 {
		m.options.MaxRows = DefaultMaxRows
	}
	if o.Signature != nil {
		m.signature = *o.Signature
	}
	m.inputs, m.outputs = index(m.signature.Inputs), index(m.signature.Outputs)
	return m
}

func index(specs []bundle.TensorSpec) map[string]int {
	out := make(map[string]int, len(specs))
	for i, spec := range specs {
		out[spec.Name] = i
	}
	return out
}

// Description is what protocols say of a model.
type Description struct {
	Name, Version, Platform string
	Engine                  string
	Digest                  string // of the bundle; "" for a bare model file
	Release                 string // of the server
	Signature               bundle.Signature
}

// Describe returns what does not change while the model is served.
func (m *Model) Describe() Description {
	o := m.options
	return Description{o.Name, Version, o.Platform, m.engine.Name(), o.Digest, o.Release, m.signature}
}

// Ready reports whether requests should be sent here.
func (m *Model) Ready() bool { return m.ready.Load() }

// SetReady says from when on, and until when, requests should be sent here.
// They are answered before and after, too.
func (m *Model) SetReady(ready bool) { m.ready.Store(ready) }

// Close releases the model. No request may be in flight.
func (m *Model) Close() error { return m.engine.Close() }

// Infer checks inputs against the signature, computes the outputs and returns
// those that names lists, in that order; nil: all, in the signature's. Errors
// are *RequestError, *ModelError, or the end of ctx.
func (m *Model) Infer(ctx context.Context, inputs []tensor.Tensor, names []string) ([]tensor.Tensor, error) {
	if err := m.checkNames(names); err != nil {
		return nil, err
	}
	ordered, err := m.check(inputs)
	if err != nil {
		return nil, err
	}
	outputs, err := m.compute(ctx, ordered)
	if err != nil {
		return nil, m.failed(err)
	}
	chosen := m.choose(outputs, names)
	if err := m.measure(chosen); err != nil {
		return nil, err
	}
	return chosen, nil
}

// An answer larger than this is not written: a model may blow up what it is
// asked, in numbers or in text.
const (
	maxAnswerElements = 1 << 24
	maxAnswerText     = 64 << 20
)

func (m *Model) measure(outputs []tensor.Tensor) error {
	elements, text := 0, 0
	for i := range outputs {
		elements += outputs[i].Len()
		for _, s := range outputs[i].Strs {
			text += len(s)
		}
	}
	switch {
	case elements > maxAnswerElements:
		return &RequestError{TooLarge, fmt.Sprintf("the answer has %d elements, at most %d are sent; send fewer rows at a time, or ask for fewer outputs", elements, maxAnswerElements)}
	case text > maxAnswerText:
		return &RequestError{TooLarge, fmt.Sprintf("the answer has %d bytes of text, at most %d are sent; send fewer rows at a time, or ask for fewer outputs", text, maxAnswerText)}
	}
	return nil
}

// compute turns a panic of the engine into an error: one request that finds a
// bug must not end all others.
func (m *Model) compute(ctx context.Context, inputs []tensor.Tensor) (outputs []tensor.Tensor, err error) {
	defer func() {
		if p := recover(); p != nil {
			outputs, err = nil, &panicError{value: p, stack: string(debug.Stack())}
		}
	}()
	outputs, err = m.engine.Infer(ctx, inputs)
	if err == nil && len(outputs) != len(m.signature.Outputs) {
		err = fmt.Errorf("the engine gave %d outputs, the signature has %d", len(outputs), len(m.signature.Outputs))
	}
	return outputs, err
}

// failed tells what a caller did wrong from what went wrong here, which is
// logged.
func (m *Model) failed(err error) error {
	var (
		value    *engine.InputError
		limit    *engine.LimitError
		panicked *panicError
	)
	log, name := m.options.Logger, m.engine.Name()
	switch {
	case errors.As(err, &value):
		return refuse("the model does not take a value of this request: %s", Clip(value.What))
	case errors.As(err, &limit):
		return &RequestError{TooLarge, fmt.Sprintf("the model %s for this request; send fewer rows at a time", limit.What)}
	case errors.Is(err, context.Canceled):
		log.Debug("the caller went away")
		return err
	case errors.As(err, &panicked):
		// The value may quote data; the stack says where the bug is.
		log.Error("the engine panicked", "engine", name, "stack", panicked.stack)
	default:
		log.Error("inference failed", "engine", name, "error", err.Error())
	}
	return &ModelError{err, m.logs}
}

// choose returns the outputs that were asked for, in that order.
func (m *Model) choose(outputs []tensor.Tensor, names []string) []tensor.Tensor {
	if names == nil {
		return outputs
	}
	out := make([]tensor.Tensor, len(names))
	for i, name := range names {
		out[i] = outputs[m.outputs[name]]
	}
	return out
}
