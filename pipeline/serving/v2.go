package serving

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// v2Client speaks the Open Inference Protocol. This file and its brothers
// v2_*.go are the only ones of the pipeline that spell it.
type v2Client struct{ exchanger }

func newV2(url string) *v2Client { return &v2Client{newExchanger(url, v2.ContentType)} }

// v2Elements is how many values an answer may have.
const v2Elements = 1 << 26

func v2Model(model string) string { return "/v2/models/" + url.PathEscape(model) }
func v2Infer(model string) string { return v2Model(model) + "/infer" }

// call is exchange where only 200 will do.
func (c *v2Client) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := c.exchange(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		return nil, statusKind(&StatusError{URL: c.base + path, Status: r.status, Message: v2Message(r.body)})
	}
	return r.body, nil
}

// v2Message is the text of an error object, or the beginning of what is none.
func v2Message(body []byte) string {
	var object v2.ErrorBody
	if json.Unmarshal(body, &object) == nil && object.Error != "" {
		return quote.Clip(object.Error, 2000)
	}
	if len(body) == 0 {
		return "(no text)"
	}
	return fmt.Sprintf("%q", quote.Clip(string(body[:min(len(body), 1000)]), 200))
}

// Ready asks GET /v2/health/ready.
func (c *v2Client) Ready(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, "/v2/health/ready", nil)
	return err
}

// Describe asks for the model's metadata.
func (c *v2Client) Describe(ctx context.Context, model string) (Description, error) {
	path := v2Model(model)
	body, err := c.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return Description{}, err
	}
	unreadable := func(err error) error {
		return fault.ServerMisbehaves.Failed(&unreadableError{c.base + path, "model metadata", err})
	}
	var m v2.ModelMetadata
	if err := json.Unmarshal(body, &m); err != nil {
		return Description{}, unreadable(err)
	}
	signature, err := m.Signature()
	if err != nil {
		return Description{}, unreadable(err)
	}
	return Description{Name: m.Name, Signature: signature, Bundle: m.Bundle()}, nil
}

var v2Buffers = sync.Pool{New: func() any { return new([]byte) }}

// Infer asks the model.
func (c *v2Client) Infer(ctx context.Context, model string, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	path := v2Infer(model)
	buffer := v2Buffers.Get().(*[]byte)
	body, err := v2.AppendRequest((*buffer)[:0], &v2.Request{Inputs: inputs})
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("writing the request for %s: %w", c.base+path, err))
	}
	*buffer = body
	answer, err := c.call(ctx, http.MethodPost, path, body)
	if err != nil {
		// The transport may still be reading a body whose exchange failed: the
		// buffer is left to it.
		return nil, err
	}
	v2Buffers.Put(buffer)
	return c.outputs(path, answer)
}

// outputs reads the tensors of an answer.
func (c *v2Client) outputs(path string, body []byte) ([]tensor.Tensor, error) {
	answer, err := v2.DecodeResponse(body, v2.Limits{Body: maxBody, Elements: v2Elements})
	if err != nil {
		return nil, fault.ServerMisbehaves.Failed(&unreadableError{c.base + path, "inference response", err})
	}
	return answer.Outputs, nil
}
