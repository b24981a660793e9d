package server

import (
	"net/http"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
)

// protocols are what callers speak, each at its paths. The first answers where
// there is nothing.
func (s *Server) protocols() []spoken {
	limits := v2.Limits{Body: s.options.Limits.Body, Elements: s.options.Limits.Elements}
	return []spoken{
		{"/v2", v2.Handler(s.model, v2.HandlerOptions{Limits: limits, Logger: s.options.Logger})},
	}
}

type spoken struct {
	at      string
	handler http.Handler
}

// Handler serves the protocols and the probes /livez and /readyz.
func (s *Server) Handler() http.Handler { return s.handler }

// handle does not use http.ServeMux, which cleans paths and redirects: a path
// is one that is known here or it is nothing.
func (s *Server) handle() http.Handler {
	protocols := s.protocols()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.inFlight.Add(1)
		defer s.inFlight.Add(-1)
		switch r.URL.Path {
		case "/livez":
			probe(w, r, "live", true)
			return
		case "/readyz":
			probe(w, r, "ready", s.model.Ready())
			return
		}
		for _, p := range protocols {
			if r.URL.Path == p.at || strings.HasPrefix(r.URL.Path, p.at+"/") {
				p.handler.ServeHTTP(w, r)
				return
			}
		}
		protocols[0].handler.ServeHTTP(w, r)
	})
}

// probe answers what asks whether the process lives, or wants requests.
func probe(w http.ResponseWriter, r *http.Request, what string, yes bool) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = w.Write([]byte(`{"error":"use GET here"}`))
	case yes:
		_, _ = w.Write([]byte(`{"` + what + `":true}`))
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"` + what + `":false}`))
	}
}
