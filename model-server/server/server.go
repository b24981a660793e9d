package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/inference"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Options says how to serve. The zero value is usable.
type Options struct {
	Name    string       // of the model; empty: the bundle's, or the file's without its extension
	Release string       // version in the server's metadata
	Limits  Limits       // zeros: the defaults
	Logger  *slog.Logger // nil: no log

	// Load makes an engine of a model file; nil: the engine of its format.
	Load engine.Loader
	// Budget is what the model may use when it is loaded and for each answer;
	// zeros: engine.DefaultBudget. Models of strangers get
	// engine.UntrustedBudget.
	Budget engine.Budget

	// DrainDelay is how long requests are still taken after readiness turned
	// false, so that load balancers notice. DrainTimeout bounds how long
	// requests in flight may then go on; 0: DefaultDrainTimeout.
	DrainDelay, DrainTimeout time.Duration
}

// Limits bound a request, whatever the protocol.
type Limits struct {
	Rows     int   // 0: inference.DefaultMaxRows
	Elements int   // of all tensors together; 0: the protocol's default
	Body     int64 // bytes; 0: the protocol's default
}

const (
	// DefaultDrainDelay is what programs wait: enough for what asks several
	// times a second. Behind Kubernetes, whose endpoints follow the pod's own
	// state, nothing more is needed; a slower balancer needs its interval.
	DefaultDrainDelay = 200 * time.Millisecond
	// DefaultDrainTimeout stays under the ten seconds after which Docker kills
	// what it asked to stop.
	DefaultDrainTimeout = 8 * time.Second
)

// Server answers requests for one model.
type Server struct {
	model    *inference.Model
	what     inference.Description
	options  Options
	log      *slog.Logger
	inFlight atomic.Int64
	handler  http.Handler
}

// SelfTestError says that the model does not give its golden answers again:
// this server must not answer for it.
type SelfTestError struct {
	Bundle     string // digest
	Engine     string
	Mismatches []bundle.Mismatch
	Err        error // where the model gave no answer at all
}

func (e *SelfTestError) Error() string {
	const most = 3
	var b strings.Builder
	fmt.Fprintf(&b, "bundle %s: the golden answers do not hold with the %s engine", e.Bundle, e.Engine)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	for i, m := range e.Mismatches {
		if i == most {
			fmt.Fprintf(&b, "; and %d more", len(e.Mismatches)-most)
			break
		}
		fmt.Fprintf(&b, "; %s", m)
	}
	return b.String()
}

func (e *SelfTestError) Unwrap() error { return e.Err }

// Open loads the model at path, a bundle's folder or a bare model file, and is
// ready to serve it. A bundle is verified file by file and must give its
// golden answers again, else the error is a *SelfTestError. A damaged file
// gives a *bundle.DamagedError. ctx bounds the opening, not the serving.
func Open(ctx context.Context, path string, o Options) (*Server, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening the model: %w", err)
	}
	if !info.IsDir() {
		model, err := readModel(path, info)
		if err != nil {
			return nil, err
		}
		return open(ctx, model, path, fileName(path), nil, o)
	}
	opened, err := bundle.Open(path)
	if err != nil {
		return nil, err
	}
	model, err := opened.Model()
	if err != nil {
		return nil, err
	}
	return open(ctx, model, path, opened.Bundle.Model.Name, opened, o)
}

func readModel(path string, info os.FileInfo) ([]byte, error) {
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("opening the model: %s is neither a file nor a bundle's folder", path)
	case info.Size() == 0:
		return nil, &bundle.DamagedError{Path: path, What: "the model file is empty"}
	case info.Size() > bundle.MaxModel:
		return nil, &bundle.DamagedError{Path: path, What: fmt.Sprintf("the model file has %d bytes, at most %d", info.Size(), int64(bundle.MaxModel))}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the model: %w", err)
	}
	defer f.Close()
	model := make([]byte, info.Size())
	if _, err := io.ReadFull(f, model); err != nil {
		return nil, fmt.Errorf("reading the model %s: %w", path, err)
	}
	return model, nil
}

// open serves the bytes of a model; opened is nil for a bare file.
func open(ctx context.Context, model []byte, path, name string, opened *bundle.Opened, o Options) (*Server, error) {
	if o.DrainTimeout == 0 {
		o.DrainTimeout = DefaultDrainTimeout
	}
	if o.Name != "" {
		name = o.Name
	}
	if !validName(name) {
		return nil, fmt.Errorf("the model's name %q must be 1 to 128 letters, digits, '.', '_' or '-'; set another one", name)
	}
	format, load := formatOf(opened, model, o)
	e, err := load(ctx, model, o.Budget)
	if err != nil {
		return nil, fmt.Errorf("loading the model %s: %w", path, err)
	}
	about := inference.Options{Name: name, Platform: format.Platform, Release: o.Release, MaxRows: o.Limits.Rows, Logger: o.Logger}
	if opened != nil {
		if err := agrees(opened, e.Signature()); err != nil {
			return nil, errors.Join(err, e.Close())
		}
		// Roles and classes are what the bundle says: they were judged.
		about.Digest, about.Signature = opened.Digest, &opened.Bundle.Signature
	}
	s := &Server{model: inference.New(e, about), options: o, log: o.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.what = s.model.Describe()
	s.handler = s.handle()
	if opened != nil {
		if err := s.selfTest(ctx, opened); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	s.model.SetReady(true)
	return s, nil
}

// agrees holds the names, types and shapes of a bundle's signature against the
// model's.
func agrees(opened *bundle.Opened, model bundle.Signature) error {
	theirs := opened.Bundle.Signature
	for _, side := range []struct {
		name        string
		have, model []bundle.TensorSpec
	}{{"inputs", theirs.Inputs, model.Inputs}, {"outputs", theirs.Outputs, model.Outputs}} {
		same := slices.EqualFunc(side.have, side.model, func(a, b bundle.TensorSpec) bool {
			return a.Name == b.Name && a.Datatype == b.Datatype && slices.Equal(a.Shape, b.Shape)
		})
		if !same {
			return &bundle.DamagedError{
				Path: filepath.Join(opened.Dir, bundle.File),
				What: fmt.Sprintf("its %s are %s, the model's are %s; seal the model again", side.name, inference.ListSpecs(side.have), inference.ListSpecs(side.model)),
			}
		}
	}
	return nil
}

func (s *Server) selfTest(ctx context.Context, opened *bundle.Opened) error {
	golden, err := opened.Golden()
	if err != nil {
		return err
	}
	inputs, want, err := golden.Tensors()
	if err != nil {
		return err
	}
	if len(inputs) == 0 && len(want) == 0 {
		s.log.Warn("the bundle has no golden examples; nothing was tested", "bundle", s.what.Digest)
		return nil
	}
	got, err := s.Infer(ctx, inputs)
	if err != nil {
		return &SelfTestError{Bundle: s.what.Digest, Engine: s.what.Engine, Err: err}
	}
	if wrong := bundle.CompareOutputs(want, got, golden.Tolerance); len(wrong) > 0 {
		return &SelfTestError{Bundle: s.what.Digest, Engine: s.what.Engine, Mismatches: wrong}
	}
	return nil
}

// Name is the model's name in URLs.
func (s *Server) Name() string { return s.what.Name }

// Engine is the name of the engine that computes the answers.
func (s *Server) Engine() string { return s.what.Engine }

// Digest is the bundle's digest, "" for a bare model file.
func (s *Server) Digest() string { return s.what.Digest }

// Signature describes the inputs and outputs.
func (s *Server) Signature() bundle.Signature { return s.what.Signature }

// Infer answers as the protocols do, without one.
func (s *Server) Infer(ctx context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	return s.model.Infer(ctx, inputs, nil)
}

// Close releases the model. No request may be in flight.
func (s *Server) Close() error { return s.model.Close() }

// fileName is the name that a bare file's model gets: that of the file where
// it can be one.
func fileName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if !validName(name) {
		return "model"
	}
	return name
}

func validName(name string) bool {
	strange := strings.ContainsFunc(name, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !letter && !('0' <= r && r <= '9') && r != '.' && r != '_' && r != '-'
	})
	return name != "" && len(name) <= 128 && !strange && name[0] != '.'
}
