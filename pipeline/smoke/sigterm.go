package smoke

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// drainBound is how long a server may take from SIGTERM to its end. Docker
// kills after 10 s unless told otherwise, Kubernetes after 30 s.
const drainBound = 10 * time.Second

// answerBound is how many bytes of the answer are read: one row's.
const answerBound = 1 << 20

// actBound is how long is waited for a sign that the server acts on SIGTERM
// before the rest of the request in flight is sent: it takes no connection any
// more, is no longer ready, or has ended. A busy machine delays signals, so a
// fixed pause would let a server pass that drops what is in flight.
const actBound = 2 * time.Second

// checkSigterm sends half a request, asks the server to end, sends the other
// half, and expects the right answer and exit code 0.
func checkSigterm(ctx context.Context, s *session) outcome {
	if !s.instance.Owned() {
		return notRun("the server was not started by this test")
	}
	if code, ended, err := s.instance.Exited(ctx); err == nil && ended {
		return fail("the server has ended already, with exit code %d", code)
	}
	good, err := s.goodRequest()
	if err != nil {
		return notRun("no good request is known that could be in flight: %s", quoted(err.Error()))
	}
	// Connections of ours that are open and unused are no requests in flight,
	// and servers wait for them (Go's for five seconds).
	s.client.Close()
	half, err := s.begin(ctx, good)
	if err != nil {
		return fail("a request that should be in flight at SIGTERM: %v", err)
	}
	defer half.conn.Close()
	asked := time.Now()
	if err := s.instance.Terminate(ctx); err != nil {
		return unclear("SIGTERM could not be sent: %s", quoted(err.Error()))
	}
	s.awaitAction(ctx)
	got, err := half.finish()
	if err != nil {
		return fail("the request in flight at SIGTERM was dropped: %v", err)
	}
	if len(s.inputs) > 0 {
		if wrong := bundle.CompareOutputs(oneRow(s.answers, 0), got, s.golden.Tolerance); len(wrong) > 0 {
			return fail("the request in flight at SIGTERM got a wrong answer: %s", cleaned(wrong[0].String()))
		}
	}
	bounded, cancel := context.WithTimeout(ctx, s.drainBound()-time.Since(asked))
	defer cancel()
	code, err := s.instance.Wait(bounded)
	took := time.Since(asked).Seconds()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fail("still running %.0f s after SIGTERM", took)
	case err != nil:
		return unclear("how it ended cannot be told: %s", quoted(err.Error()))
	case code != 0:
		return fail("ended with exit code %d %.1f s after SIGTERM, not 0", code, took)
	}
	return pass("finished the request in flight and ended with 0 after %.1f s", took)
}

func (s *session) drainBound() time.Duration {
	if s.options.DrainBound > 0 {
		return s.options.DrainBound
	}
	return drainBound
}

// awaitAction waits until the server shows that it acts on SIGTERM.
func (s *session) awaitAction(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, actBound)
	defer cancel()
	for ctx.Err() == nil {
		a, err := s.client.get(ctx, 500*time.Millisecond, "/v2/health/ready")
		if err != nil || a.status != http.StatusOK {
			return
		}
		s.client.Close()
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// halfRequest is a request whose headers and half of the body are sent.
type halfRequest struct {
	conn    net.Conn
	answers *bufio.Reader
	rest    []byte
}

// continueBound is how long is waited for "100 Continue". A server need not
// send it; one that does has the request in its hands, and not only the
// connection in a queue that it will close unread.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
const continueBound = 500 * time.Millisecond

// begin sends the first half. It speaks HTTP by hand, since a client would not
// stop in the middle.
func (s *session) begin(ctx context.Context, inputs []tensor.Tensor) (*halfRequest, error) {
	body, err := v2.AppendRequest(nil, &v2.Request{Inputs: inputs})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s.client.URL())
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: requestBound}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	half := &halfRequest{conn, bufio.NewReader(conn), body[len(body)/2:]}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
		inferPath(s.model), u.Host, v2.ContentType, len(body))
	if err := half.send([]byte(head), body[:len(body)/2]); err != nil {
		conn.Close()
		return nil, err
	}
	return half, nil
}

// send writes the head, waits for the server to take the request up, and
// writes the first half of the body.
func (h *halfRequest) send(head, body []byte) error {
	if _, err := h.conn.Write(head); err != nil {
		return plain(err)
	}
	if err := h.conn.SetReadDeadline(time.Now().Add(continueBound)); err != nil {
		return err
	}
	// Nothing is taken from the reader: finish reads it again.
	if _, err := h.answers.Peek(1); err != nil && !errors.Is(plain(err), errNoAnswer) {
		return plain(err)
	}
	if err := h.conn.SetDeadline(time.Now().Add(drainBound)); err != nil {
		return err
	}
	_, err := h.conn.Write(body)
	return err
}

// finish sends the other half and reads the answer.
func (h *halfRequest) finish() ([]tensor.Tensor, error) {
	if _, err := h.conn.Write(h.rest); err != nil {
		return nil, plain(err)
	}
	response, err := http.ReadResponse(h.answers, nil)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(h.answers, nil)
	}
	if err != nil {
		return nil, plain(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, answerBound))
	if err != nil {
		return nil, plain(err)
	}
	return outputs(answer{response.StatusCode, raw})
}
