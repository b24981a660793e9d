package serving

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

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// v2Call is an inference request whose bytes are written.
type v2Call struct {
	client *v2Client
	path   string
	body   []byte
}

// Prepare writes an inference request.
func (c *v2Client) Prepare(model string, inputs []tensor.Tensor) (Call, error) {
	body, err := v2.AppendRequest(nil, &v2.Request{Inputs: inputs})
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("writing the request: %w", err))
	}
	return v2Call{c, v2Infer(model), body}, nil
}

func (c v2Call) Send(ctx context.Context) error {
	_, err := c.client.call(ctx, http.MethodPost, c.path, c.body)
	return err
}

// continueBound is how long is waited for "100 Continue". A server need not
// send it; one that does has the request in its hands, and not only the
// connection in a queue that it will close unread.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
const continueBound = 500 * time.Millisecond

const (
	dialBound = 5 * time.Second  // of the connection of a half
	halfBound = 10 * time.Second // from the first half to the answer
	halfMost  = 1 << 20          // bytes of the answer that are read
)

// v2Half is a request whose headers and half of the body are sent.
type v2Half struct {
	call    v2Call
	conn    net.Conn
	answers *bufio.Reader
	rest    []byte
}

// Begin speaks HTTP by hand, since a client would not stop in the middle.
func (c v2Call) Begin(ctx context.Context) (Half, error) {
	u, err := url.Parse(c.client.base)
	if err != nil {
		return nil, fault.Usage(err)
	}
	dialer := net.Dialer{Timeout: dialBound}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	middle := len(c.body) / 2
	half := &v2Half{c, conn, bufio.NewReader(conn), c.body[middle:]}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
		c.path, u.Host, v2.ContentType, len(c.body))
	if err := half.send([]byte(head), c.body[:middle]); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return half, nil
}

// send writes the head, waits for the server to take the request up, and
// writes the first half of the body.
func (h *v2Half) send(head, body []byte) error {
	if _, err := h.conn.Write(head); err != nil {
		return err
	}
	if err := h.conn.SetReadDeadline(time.Now().Add(continueBound)); err != nil {
		return err
	}
	// Nothing is taken from the reader: Finish reads it again.
	if _, err := h.answers.Peek(1); err != nil && !errors.Is(Plain(err), ErrNoAnswer) {
		return err
	}
	if err := h.conn.SetDeadline(time.Now().Add(halfBound)); err != nil {
		return err
	}
	_, err := h.conn.Write(body)
	return err
}

func (h *v2Half) Finish() ([]tensor.Tensor, error) {
	if _, err := h.conn.Write(h.rest); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(h.answers, nil)
	for err == nil && answer.StatusCode == http.StatusContinue {
		answer, err = http.ReadResponse(h.answers, nil)
	}
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, halfMost))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, statusKind(&StatusError{URL: h.call.client.base + h.call.path, Status: answer.StatusCode, Message: v2Message(body)})
	}
	return h.call.client.outputs(h.call.path, body)
}

func (h *v2Half) Close() error { return h.conn.Close() }
