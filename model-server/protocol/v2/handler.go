package v2

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/inference"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Core is the model that the protocol speaks for.
type Core interface {
	Describe() inference.Description
	Ready() bool
	// Infer returns the outputs of those names, in that order; nil: all. Errors
	// are *inference.RequestError, *inference.ModelError, or the end of ctx.
	Infer(ctx context.Context, inputs []tensor.Tensor, names []string) ([]tensor.Tensor, error)
}

var _ Core = (*inference.Model)(nil)

// HandlerOptions say how to serve.
type HandlerOptions struct {
	Limits Limits       // zeros: the defaults
	Logger *slog.Logger // a line for each request at the level debug; nil: none
}

type handler struct {
	core   Core
	what   inference.Description
	limits Limits
	log    *slog.Logger
	logs   bool // there is a log to point at
	fixed  fixedBodies
}

// Handler serves a model at /
func Handler(core Core, o HandlerOptions) http.Handler {
	h := &handler{core: core, what: core.Describe(), limits: o.Limits.WithDefaults(), log: o.Logger, logs: o.Logger != nil}
	if !h.logs {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.fixed = describe(h.what)
	return h
}

// fixedBodies are answers that never change.
type fixedBodies struct {
	server, model, live, ready, unready, modelReady, modelUnready []byte
}

func describe(d inference.Description) fixedBodies {
	model := ModelMetadata{Name: d.Name, Versions: []string{d.Version}, Platform: d.Platform, Parameters: Parameters{ParameterEngine: d.Engine}}
	model.Inputs, model.Outputs = DescribeModel(d.Signature)
	if d.Digest != "" {
		model.Parameters[ParameterBundle] = d.Digest
	}
	return fixedBodies{
		server:       Marshal(ServerMetadata{Name: "dosirak-model-server", Version: d.Release, Extensions: []string{}}),
		model:        Marshal(model),
		live:         Marshal(Live{Live: true}),
		ready:        Marshal(Ready{Ready: true}),
		unready:      Marshal(Ready{}),
		modelReady:   Marshal(Ready{Name: d.Name, Ready: true}),
		modelUnready: Marshal(Ready{Name: d.Name}),
	}
}

// answer is what goes back to the caller.
type answer struct {
	status int
	body   []byte
	allow  string // with 405
	pooled *[]byte
}

func failure(e *Error) answer {
	return answer{status: e.Status, body: Marshal(ErrorBody{Error: e.Message})}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	route, handle := h.route(r)
	var a answer
	switch {
	case handle == nil:
		a = failure(Errorf(http.StatusNotFound, "there is nothing at this path; the model is at /v2/models/%s", h.what.Name))
	case route == routeNone:
		a = handle(r)
	case route == routeInfer && r.Method != http.MethodPost:
		a = failure(Errorf(http.StatusMethodNotAllowed, "use POST here"))
		a.allow = "POST"
	case route != routeInfer && r.Method != http.MethodGet && r.Method != http.MethodHead:
		a = failure(Errorf(http.StatusMethodNotAllowed, "use GET here"))
		a.allow = "GET, HEAD"
	default:
		a = handle(r)
	}
	header := w.Header()
	header["Content-Type"] = contentType
	header["X-Content-Type-Options"] = noSniff
	header["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	if a.allow != "" {
		header.Set("Allow", a.allow)
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(a.body); err != nil {
		h.log.Debug("the caller went away", "route", route)
	}
	if a.pooled != nil {
		*a.pooled = a.body
		putBuffer(a.pooled)
	}
	if h.log.Enabled(r.Context(), slog.LevelDebug) {
		// The route, not the path: paths come from outside.
		h.log.Debug("request", "method", method(r.Method), "route", route, "status", a.status, "ms", float64(time.Since(start).Microseconds())/1000)
	}
}

var (
	contentType = []string{ContentType}
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
func (h *handler) route(r *http.Request) (string, func(*http.Request) answer) {
	fixed := func(body []byte) func(*http.Request) answer {
		return func(*http.Request) answer { return answer{status: http.StatusOK, body: body} }
	}
	ready := func(yes, no []byte) func(*http.Request) answer {
		if h.core.Ready() {
			return fixed(yes)
		}
		return func(*http.Request) answer { return answer{status: http.StatusServiceUnavailable, body: no} }
	}
	path := r.URL.EscapedPath()
	switch path {
	case "/v2/health/live":
		return routeLive, fixed(h.fixed.live)
	case "/v2/health/ready":
		return routeReady, ready(h.fixed.ready, h.fixed.unready)
	case "/v2", "/v2/":
		return routeServer, fixed(h.fixed.server)
	}
	rest, ok := strings.CutPrefix(path, "/v2/models/")
	if !ok {
		return routeNone, nil
	}
	name, rest, _ := strings.Cut(rest, "/")
	if decoded, err := url.PathUnescape(name); err != nil || decoded != h.what.Name {
		return routeNone, h.unknown("there is no model of this name here; the model is %q", h.what.Name)
	}
	if versioned, ok := strings.CutPrefix(rest, "versions/"); ok {
		var v string
		v, rest, _ = strings.Cut(versioned, "/")
		if v != h.what.Version {
			return routeNone, h.unknown("the model %q has the version %s only", h.what.Name, h.what.Version)
		}
	}
	switch rest {
	case "":
		return routeModel, fixed(h.fixed.model)
	case "ready":
		return routeModelReady, ready(h.fixed.modelReady, h.fixed.modelUnready)
	case "infer":
		return routeInfer, h.infer
	}
	return routeNone, nil
}

func (h *handler) unknown(format string, args ...any) func(*http.Request) answer {
	return func(*http.Request) answer { return failure(Errorf(http.StatusNotFound, format, args...)) }
}

// infer answers POST .../infer.
func (h *handler) infer(r *http.Request) answer {
	buffer := getBuffer()
	body, err := h.read(r, *buffer)
	*buffer = body
	if err != nil {
		putBuffer(buffer)
		return failed(err)
	}
	request, err := DecodeRequest(body, h.limits)
	putBuffer(buffer) // nothing of the request refers to it
	if err != nil {
		return failed(err)
	}
	outputs, err := h.core.Infer(r.Context(), request.Inputs, request.Outputs)
	if err != nil {
		return failed(err)
	}
	buffer = getBuffer()
	body, err = AppendResponse((*buffer)[:0], &Response{
		Model: h.what.Name, Version: h.what.Version, ID: request.ID, Outputs: outputs,
	})
	if err != nil {
		putBuffer(buffer)
		h.log.Error("the answer cannot be written", "error", err.Error())
		return failed(&inference.ModelError{Err: err, Logged: h.logs})
	}
	return answer{status: http.StatusOK, body: body, pooled: buffer}
}

// statuses are the codes for what is wrong with a request.
var statuses = map[inference.Kind]int{
	inference.Invalid:  http.StatusBadRequest,
	inference.TooLarge: http.StatusRequestEntityTooLarge,
}

// failed is the answer to err.
func failed(err error) answer {
	var (
		e       *Error
		request *inference.RequestError
		model   *inference.ModelError
	)
	switch {
	case errors.As(err, &e):
		return failure(e)
	case errors.As(err, &request):
		return failure(Errorf(statuses[request.Kind], "%s", request.Message))
	case errors.As(err, &model):
		return failure(Errorf(http.StatusInternalServerError, "%s", model.Public()))
	}
	return failure(Errorf(http.StatusServiceUnavailable, "the request was given up"))
}
