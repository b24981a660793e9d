package githubtest

import (
	"fmt"
	"net/http"
)

// Behaviour is how GitHub behaves on a bad day. Zero fields turn things off.
type Behaviour struct {
	PageSize  int // most items a page; GitHub's own limit is 100
	FailReads int // every nth reading call is answered by 502
	Secondary int // every nth writing call is refused by the secondary limit, with Retry-After
	Primary   int // every nth call finds the hourly limit used up
	Stale     int // what is new is missing from this many lists
	Quota     int // calls a minute, of REST and of GraphQL each; 0 is GitHub's own limit an hour
}

// Hostile is the default.
func Hostile() Behaviour {
	return Behaviour{PageSize: 2, FailReads: 4, Secondary: 5, Primary: 11, Stale: 1, Quota: 30}
}

// Calm is a good day, for tests that count calls.
func Calm() Behaviour { return Behaviour{PageSize: 100} }

// When says on which side of a call's effect a fault lies.
type When bool

const (
	Before When = false
	After  When = true
)

// Limit of GitHub's by which a call is refused.
type Limit string

const (
	Primary   Limit = "primary"
	Secondary Limit = "secondary"
	Overdue   Limit = "overdue" // the quota's reset lies in the past
)

// Fault is a failure at one call.
type Fault struct {
	When   When
	Status int  // answered instead, 0 cuts the connection
	Cut    bool // with After: half of the answer arrives
	Limit  Limit
	// Dead cuts every later call too, as when the calling process is killed;
	// Revive ends it.
	Dead bool
}

// FailCall plans a fault for the nth call from now, counted from 1.
func (s *Server) FailCall(n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned[len(s.calls)+n] = f
}

// FailNext plans a fault for the next call of an operation, named as in
// GitHub's description ("pulls/create") or by its GraphQL field
// ("updateRefs").
func (s *Server) FailNext(operation string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[operation] = append(s.next[operation], f)
}

// Interfere runs f just before the effect of the next call of an operation:
// somebody else who writes at the same time.
func (s *Server) Interfere(operation string, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interfere[operation] = append(s.interfere[operation], f)
}

// Revive lets calls through again after a fault with Dead. It reports whether
// the fault had come about, and forgets it otherwise.
func (s *Server) Revive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.dead
	s.dead = false
	clear(s.planned)
	return was
}

// Settle lets the lists catch up, as some seconds do.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.state.pulls {
		p.hidden = 0
	}
	for _, c := range s.state.comments {
		c.hidden = 0
	}
	for _, st := range s.state.statuses {
		st.hidden = 0
	}
	for _, i := range s.state.issues {
		i.hidden = 0
	}
	for _, d := range s.state.deployments {
		d.hidden = 0
	}
}

// Unused lists the faults and interferences that have not come about.
func (s *Server) Unused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unused []string
	for n := range s.planned {
		unused = append(unused, fmt.Sprintf("a fault at call %d", n))
	}
	for operation, faults := range s.next {
		if len(faults) > 0 {
			unused = append(unused, fmt.Sprintf("%d faults at %s", len(faults), operation))
		}
	}
	for operation, fs := range s.interfere {
		if len(fs) > 0 {
			unused = append(unused, fmt.Sprintf("%d interferences at %s", len(fs), operation))
		}
	}
	return unused
}

// fault takes the fault that is due at this call, if any.
func (s *Server) fault(operation string) (Fault, bool) {
	if f, ok := s.planned[len(s.calls)]; ok {
		delete(s.planned, len(s.calls))
		return f, true
	}
	if faults := s.next[operation]; len(faults) > 0 {
		s.next[operation] = faults[1:]
		return faults[0], true
	}
	return Fault{}, false
}

// badDay answers instead of the handler on every nth call, and reports whether
// it did. The same call tried again gets through.
func (s *Server) badDay(w http.ResponseWriter, write bool, resource string) bool {
	turn := func(counter *int, every int) bool {
		if every == 0 {
			return false
		}
		*counter++
		return *counter%every == 0
	}
	switch {
	case turn(&s.turns.all, s.Behaviour.Primary):
		s.fail(w, Fault{Limit: Primary}, resource)
	case write && turn(&s.turns.writes, s.Behaviour.Secondary):
		s.fail(w, Fault{Limit: Secondary}, resource)
	case !write && turn(&s.turns.reads, s.Behaviour.FailReads):
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "<html><title>Unicorn!</title></html>")
	default:
		return false
	}
	return true
}
