package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
)

// version of the one model that a server has. The protocol wants versions to
// be text; what is served is told by the bundle's digest.
const version = "1"

// fixedBodies are answers that never change.
type fixedBodies struct {
	server, model, live, ready, unready, modelReady, modelUnready []byte
}

func (s *Server) describe() fixedBodies {
	model := v2.ModelMetadata{Name: s.name, Versions: []string{version}, Platform: s.platform, Parameters: v2.Parameters{v2.ParameterEngine: s.engine.Name()}}
	model.Inputs, model.Outputs = v2.DescribeModel(s.signature)
	if s.digest != "" {
		model.Parameters[v2.ParameterBundle] = s.digest
	}
	return fixedBodies{
		server:       v2.Marshal(v2.ServerMetadata{Name: "dosirak-model-server", Version: s.options.Release, Extensions: []string{}}),
		model:        v2.Marshal(model),
		live:         v2.Marshal(v2.Live{Live: true}),
		ready:        v2.Marshal(v2.Ready{Ready: true}),
		unready:      v2.Marshal(v2.Ready{}),
		modelReady:   v2.Marshal(v2.Ready{Name: s.name, Ready: true}),
		modelUnready: v2.Marshal(v2.Ready{Name: s.name}),
	}
}

// answer is what goes back to the caller.
type answer struct {
	status int
	body   []byte
	allow  string // with 405
	pooled *[]byte
}

func failure(e *v2.Error) answer {
	return answer{status: e.Status, body: v2.Marshal(v2.ErrorBody{Error: e.Message})}
}

// Handler serves the V2 protocol and the probes /livez and /readyz.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	route, handle := s.route(r)
	var a answer
	switch {
	case handle == nil:
		a = failure(v2.Errorf(http.StatusNotFound, "there is nothing at this path; the model is at /v2/models/%s", s.name))
	case route == routeNone:
		a = handle(r)
	case route == routeInfer && r.Method != http.MethodPost:
		a = failure(v2.Errorf(http.StatusMethodNotAllowed, "use POST here"))
		a.allow = "POST"
	case route != routeInfer && r.Method != http.MethodGet && r.Method != http.MethodHead:
		a = failure(v2.Errorf(http.StatusMethodNotAllowed, "use GET here"))
		a.allow = "GET, HEAD"
	default:
		a = handle(r)
	}
	h := w.Header()
	h["Content-Type"] = contentType
	h["X-Content-Type-Options"] = noSniff
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(a.body); err != nil {
		s.log.Debug("the caller went away", "route", route)
	}
	if a.pooled != nil {
		*a.pooled = a.body
		putBuffer(a.pooled)
	}
	if s.log.Enabled(r.Context(), slog.LevelDebug) {
		// The route, not the path: paths come from outside.
		s.log.Debug("request", "method", method(r.Method), "route", route, "status", a.status, "ms", float64(time.Since(start).Microseconds())/1000)
	}
}

var (
	contentType = []string{v2.ContentType}
	noSniff     = []string{"nosniff"}
)

// method keeps what a caller invents out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return m
	}
	return "other"
}

const (
	routeNone       = "none"
	routeInfer      = "infer"
	routeServer     = "server"
	routeModel      = "model"
	routeLive       = "live"
	routeReady      = "ready"
	routeModelReady = "model-ready"
)

// route finds what answers a path. It does not clean paths and redirects
// nowhere: a path is one of the protocol's or it is nothing. A segment is
// decoded after the path is split, so that an encoded slash is part of a name.
func (s *Server) route(r *http.Request) (string, func(*http.Request) answer) {
	fixed := func(body []byte) func(*http.Request) answer {
		return func(*http.Request) answer { return answer{status: http.StatusOK, body: body} }
	}
	ready := func(yes, no []byte) func(*http.Request) answer {
		if s.ready.Load() {
			return fixed(yes)
		}
		return func(*http.Request) answer { return answer{status: http.StatusServiceUnavailable, body: no} }
	}
	path := r.URL.EscapedPath()
	switch path {
	case "/livez", "/v2/health/live":
		return routeLive, fixed(s.fixed.live)
	case "/readyz", "/v2/health/ready":
		return routeReady, ready(s.fixed.ready, s.fixed.unready)
	case "/v2", "/v2/":
		return routeServer, fixed(s.fixed.server)
	}
	rest, ok := strings.CutPrefix(path, "/v2/models/")
	if !ok {
		return routeNone, nil
	}
	name, rest, _ := strings.Cut(rest, "/")
	if decoded, err := url.PathUnescape(name); err != nil || decoded != s.name {
		return routeNone, s.unknown("there is no model of this name here; the model is %q", s.name)
	}
	if versioned, ok := strings.CutPrefix(rest, "versions/"); ok {
		var v string
		v, rest, _ = strings.Cut(versioned, "/")
		if v != version {
			return routeNone, s.unknown("the model %q has the version %s only", s.name, version)
		}
	}
	switch rest {
	case "":
		return routeModel, fixed(s.fixed.model)
	case "ready":
		return routeModelReady, ready(s.fixed.modelReady, s.fixed.modelUnready)
	case "infer":
		return routeInfer, s.infer
	}
	return routeNone, nil
}

func (s *Server) unknown(format string, args ...any) func(*http.Request) answer {
	return func(*http.Request) answer { return failure(v2.Errorf(http.StatusNotFound, format, args...)) }
}

// infer answers POST .../infer.
func (s *Server) infer(r *http.Request) answer {
	buffer := getBuffer()
	body, err := s.read(r, *buffer)
	*buffer = body
	if err != nil {
		putBuffer(buffer)
		return s.failed(err)
	}
	request, err := v2.DecodeRequest(body, s.options.Limits)
	putBuffer(buffer) // nothing of the request refers to it
	if err != nil {
		return s.failed(err)
	}
	if err := s.checkNames(request.Outputs); err != nil {
		return s.failed(err)
	}
	outputs, err := s.Infer(r.Context(), request.Inputs)
	if err != nil {
		return s.failed(err)
	}
	buffer = getBuffer()
	body, err = v2.AppendResponse((*buffer)[:0], &v2.Response{
		Model: s.name, Version: version, ID: request.ID, Outputs: s.choose(outputs, request.Outputs),
	})
	if err != nil {
		putBuffer(buffer)
		return s.failed(err)
	}
	return answer{status: http.StatusOK, body: body, pooled: buffer}
}

// failed is the answer to err: what a caller did wrong is told, what went
// wrong here is logged.
func (s *Server) failed(err error) answer {
	var e *v2.Error
	if errors.As(err, &e) {
		return failure(e)
	}
	var (
		value    *engine.InputError
		limit    *engine.LimitError
		panicked *panicError
	)
	switch {
	case errors.As(err, &value):
		return failure(v2.Errorf(http.StatusBadRequest, "the model does not take a value of this request: %s", clip(value.What)))
	case errors.As(err, &limit):
		return failure(v2.Errorf(http.StatusRequestEntityTooLarge, "the model %s for this request; send fewer rows at a time", limit.What))
	case errors.As(err, &panicked):
		// The value may quote data; the stack says where the bug is.
		s.log.Error("the engine panicked", "engine", s.engine.Name(), "stack", panicked.stack)
	case errors.Is(err, context.Canceled):
		s.log.Debug("the caller went away", "route", routeInfer)
	default:
		s.log.Error("inference failed", "engine", s.engine.Name(), "error", err.Error())
	}
	where := ""
	if s.logs {
		where = "; the server's log says why"
	}
	return failure(v2.Errorf(http.StatusInternalServerError, "the model failed on this request%s", where))
}

// read reads the body into buffer, which it grows as bytes come in: a length
// that is only announced makes no room.
func (s *Server) read(r *http.Request, buffer []byte) ([]byte, error) {
	limit := s.options.Limits.Body
	if r.ContentLength > limit {
		return buffer, v2.TooLarge(limit)
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return buffer, v2.Errorf(http.StatusUnsupportedMediaType, "compressed bodies are not read here; send JSON as it is")
	}
	buffer = buffer[:0]
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case int64(len(buffer)) > limit:
			return buffer, v2.TooLarge(limit)
		case err == io.EOF:
			return buffer, binaryPart(r, len(buffer))
		case errors.Is(err, os.ErrDeadlineExceeded):
			return buffer, v2.Errorf(http.StatusRequestTimeout, "the body did not arrive in time")
		case err != nil:
			return buffer, v2.Errorf(http.StatusBadRequest, "the body did not arrive whole")
		}
	}
}

// binaryPart refuses a body of which only the first part is JSON.
// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
func binaryPart(r *http.Request, size int) error {
	header := r.Header.Get("Inference-Header-Content-Length")
	if n, err := strconv.Atoi(header); header == "" || err == nil && n == size {
		return nil
	}
	return v2.Errorf(http.StatusBadRequest, "the binary tensor extension is not spoken here; send JSON (tritonclient: binary_data=False)")
}

// Buffers of bodies are used again, up to a size: one huge request must not
// keep its memory for ever.
const largestKept = 4 << 20

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) <= largestKept {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}
