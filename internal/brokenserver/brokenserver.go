// Package brokenserver is a V2 inference server with a switch for each way in
// which a server can misbehave, for the tests of what tests servers.
//
// It serves one model: y is the sum of the two columns of x. Without a fault
// it is a good server. The fault stands among the engine hints of the bundle
// that it serves, so that it reaches the server the same way in a process and
// in a container that takes no settings.
package brokenserver

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Fault is a way to misbehave.
type Fault string

// The faults. "" is none.
const (
	NeverReady        Fault = "never-ready"          // health answers 503 for ever
	EndsAtStart       Fault = "ends-at-start"        // exits with 3 before it listens
	SlowToStart       Fault = "slow-to-start"        // ready after 300 ms
	WrongName         Fault = "wrong-name"           // metadata of another model
	WrongSignature    Fault = "wrong-signature"      // metadata with another data type
	WrongDigest       Fault = "wrong-digest"         // metadata with another bundle
	NoDigest          Fault = "no-digest"            // metadata without a bundle
	WrongAnswers      Fault = "wrong-answers"        // off by one per cent
	WrongInBatch      Fault = "wrong-in-batch"       // the last rows of a batch answered with the first's
	WrongAlone        Fault = "wrong-alone"          // a row alone is answered differently
	OtherType         Fault = "other-type"           // FP64 where FP32 is promised
	ErrorOnBadInput   Fault = "500-on-bad-input"     // bad inputs are server errors
	AcceptsBadInput   Fault = "accepts-bad-input"    // bad inputs are answered with 200
	PlainErrors       Fault = "plain-errors"         // errors are no JSON objects
	LeaksStack        Fault = "leaks-stack"          // error texts have a stack trace
	HangsOnBadInput   Fault = "hangs-on-bad-input"   // bad inputs are answered after 5 s
	CrashesOnBadInput Fault = "crashes-on-bad-input" // bad inputs end the process
	BreaksAfterBad    Fault = "breaks-after-bad"     // after a bad input good ones get 500
	AnyModel          Fault = "any-model"            // answers for models that it does not have
	DiesAfterFirst    Fault = "dies-after-first"     // one answer, then exit code 1
	Slow              Fault = "slow"                 // 40 ms for an answer
	FailsUnderLoad    Fault = "fails-under-load"     // every 20th answer is a 503
	Hoards            Fault = "hoards"               // holds 96 MB more than it needs
	IgnoresSIGTERM    Fault = "ignores-sigterm"      // goes on
	DropsInFlight     Fault = "drops-in-flight"      // ends at once on SIGTERM
	ExitsNonZero      Fault = "exits-non-zero"       // drains, then exit code 7
)

// Model is the name of the model.
const Model = "sum"

// Bundle returns the bundle that a server with fault f serves.
func Bundle(f Fault) bundle.Bundle {
	b := bundle.Bundle{
		Model: bundle.Model{Name: Model, Format: bundle.FormatONNX, File: "model.onnx"},
		Signature: bundle.Signature{
			Inputs:  []bundle.TensorSpec{{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 2}}},
			Outputs: []bundle.TensorSpec{{Name: "y", Datatype: tensor.FP32, Shape: []int64{-1}, Role: bundle.RoleValue}},
		},
	}
	if f != "" {
		b.Engine = map[string]string{"fault": string(f)}
	}
	return b
}

// Write writes such a bundle with golden examples into the new folder dir.
func Write(dir string, f Fault) error {
	const rows = 8
	x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{rows, 2}}
	for i := range rows * 2 {
		x.F32 = append(x.F32, float32(i)/4)
	}
	golden, err := bundle.NewGolden([]tensor.Tensor{x}, []tensor.Tensor{sum(&x)}, bundle.Tolerance{Absolute: 1e-6, Relative: 1e-6})
	if err != nil {
		return err
	}
	_, err = bundle.Write(dir, Bundle(f), []byte("the sum of two columns"), golden)
	return err
}

func sum(x *tensor.Tensor) tensor.Tensor {
	y := tensor.Tensor{Name: "y", Datatype: tensor.FP32, Shape: []int64{int64(x.Rows())}}
	for i := range x.Rows() {
		y.F32 = append(y.F32, x.F32[2*i]+x.F32[2*i+1])
	}
	return y
}

// Server answers for a bundle, with its fault.
type Server struct {
	fault    Fault
	digest   string
	name     string
	ready    time.Time
	requests atomic.Int64
	bad      atomic.Int64
	hoard    []byte
}

// Open reads the bundle in dir. It does not verify it: nothing here is honest.
func Open(dir, name string) (*Server, error) {
	raw, err := os.ReadFile(filepath.Join(dir, bundle.File))
	if err != nil {
		return nil, err
	}
	var b bundle.Bundle
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, err
	}
	s := &Server{fault: Fault(b.Engine["fault"]), digest: bundle.Digest(raw), name: name, ready: time.Now()}
	switch s.fault {
	case SlowToStart:
		s.ready = s.ready.Add(300 * time.Millisecond)
	case NeverReady:
		s.ready = s.ready.Add(time.Hour)
	case Hoards:
		s.hoard = make([]byte, 96<<20)
		for i := 0; i < len(s.hoard); i += 4096 {
			s.hoard[i] = 1
		}
	}
	return s, nil
}

// Fault is the server's fault.
func (s *Server) Fault() Fault { return s.fault }

// ServeHTTP speaks V2.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch model := "/v2/models/" + s.name; {
	case r.URL.Path == "/v2/health/ready":
		if time.Now().Before(s.ready) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.write(w, http.StatusOK, v2.Marshal(v2.Ready{Ready: true}))
	case r.URL.Path == model:
		s.write(w, http.StatusOK, v2.Marshal(s.metadata()))
	case r.URL.Path == model+"/infer", s.fault == AnyModel && strings.HasSuffix(r.URL.Path, "/infer"):
		s.infer(w, r)
	default:
		s.refuse(w, v2.Errorf(http.StatusNotFound, "no such path"))
	}
}

func (s *Server) metadata() v2.ModelMetadata {
	m := v2.ModelMetadata{Name: s.name, Platform: "onnx_onnxv1", Parameters: v2.Parameters{v2.ParameterBundle: s.digest}}
	m.Inputs, m.Outputs = v2.DescribeModel(Bundle("").Signature)
	switch s.fault {
	case WrongName:
		m.Name = "product"
	case WrongSignature:
		m.Inputs[0].Datatype = tensor.FP64
	case WrongDigest:
		m.Parameters[v2.ParameterBundle] = "sha256:" + strings.Repeat("0", 64)
	case NoDigest:
		m.Parameters = nil
	}
	return m
}

func (s *Server) infer(w http.ResponseWriter, r *http.Request) {
	const limit = 1 << 20
	if r.ContentLength > limit {
		s.refuse(w, v2.Errorf(http.StatusRequestEntityTooLarge, "the body is too large"))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit))
	if err != nil {
		s.refuse(w, v2.Errorf(http.StatusBadRequest, "reading the body"))
		return
	}
	request, err := v2.DecodeRequest(body, v2.DefaultLimits())
	if err != nil || len(request.Inputs) != 1 || request.Inputs[0].Name != "x" ||
		request.Inputs[0].Datatype != tensor.FP32 || len(request.Inputs[0].Shape) != 2 || request.Inputs[0].Shape[1] != 2 {
		s.refuse(w, v2.Errorf(http.StatusBadRequest, "x must be FP32 of the shape [-1 2]"))
		return
	}
	n := s.requests.Add(1)
	switch {
	case s.fault == DiesAfterFirst && n > 1:
		os.Exit(1)
	case s.fault == Slow:
		time.Sleep(40 * time.Millisecond)
	case s.fault == FailsUnderLoad && n%20 == 0:
		s.write(w, http.StatusServiceUnavailable, v2.Marshal(v2.ErrorBody{Error: "busy"}))
		return
	case s.fault == BreaksAfterBad && s.bad.Load() > 0:
		s.write(w, http.StatusInternalServerError, v2.Marshal(v2.ErrorBody{Error: "broken"}))
		return
	}
	y := sum(&request.Inputs[0])
	s.spoil(&y)
	answer, err := v2.AppendResponse(nil, &v2.Response{Model: s.name, Outputs: []tensor.Tensor{y}})
	if err != nil {
		s.refuse(w, v2.Errorf(http.StatusInternalServerError, "writing the answer"))
		return
	}
	s.write(w, http.StatusOK, answer)
}

// spoil makes an answer wrong.
func (s *Server) spoil(y *tensor.Tensor) {
	switch {
	case s.fault == WrongAnswers:
		for i := range y.F32 {
			y.F32[i] *= 1.01
		}
	case s.fault == WrongInBatch && len(y.F32) > 1:
		y.F32[len(y.F32)-1] = y.F32[0]
	case s.fault == WrongAlone && len(y.F32) == 1:
		y.F32[0]++
	case s.fault == OtherType:
		y.Datatype = tensor.FP64
		for _, v := range y.F32 {
			y.F64 = append(y.F64, float64(v))
		}
		y.F32 = nil
	}
}

// refuse answers a bad request.
func (s *Server) refuse(w http.ResponseWriter, e *v2.Error) {
	s.bad.Add(1)
	switch s.fault {
	case ErrorOnBadInput:
		e.Status = http.StatusInternalServerError
	case AcceptsBadInput:
		e.Status = http.StatusOK
	case PlainErrors:
		http.Error(w, e.Message, e.Status)
		return
	case LeaksStack:
		e.Message = string(debug.Stack())
	case HangsOnBadInput:
		time.Sleep(5 * time.Second)
	case CrashesOnBadInput:
		os.Exit(2)
	}
	s.write(w, e.Status, v2.Marshal(v2.ErrorBody{Error: e.Message}))
}

func (s *Server) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", v2.ContentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller went away
}
