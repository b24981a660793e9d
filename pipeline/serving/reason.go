package serving

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// explaining is a client of a server whose log can be read.
type explaining struct {
	Client
	server Server
}

// Infer asks, and says what the log says of a failure.
func (e explaining) Infer(ctx context.Context, model string, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	outputs, err := e.Client.Infer(ctx, model, inputs)
	return outputs, e.explain(ctx, err)
}

// Prepare writes a request whose failures are explained too.
func (e explaining) Prepare(model string, inputs []tensor.Tensor) (Call, error) {
	call, err := e.Client.Prepare(model, inputs)
	if err != nil {
		return nil, err
	}
	return explainingCall{call, e}, nil
}

type explainingCall struct {
	Call
	of explaining
}

func (c explainingCall) Send(ctx context.Context) error { return c.of.explain(ctx, c.Call.Send(ctx)) }

// explain adds the log's reason to a failure of the server.
func (e explaining) explain(ctx context.Context, err error) error {
	var status *StatusError
	if errors.As(err, &status) && status.Status >= http.StatusInternalServerError {
		status.Reason = reason(e.server.Logs(context.WithoutCancel(ctx)))
	}
	return err
}

// reasonBound is how much of a log's line stands in an error.
const reasonBound = 2000

// reason is the last complaint in a log: of the JSON lines of this project's
// server the last of level ERROR, of any other log its last line that names an
// error. "" where nothing complains.
func reason(log string) string {
	said := ""
	for line := range strings.Lines(log) {
		var entry struct {
			Level, Msg, Error, Stack string
		}
		if json.Unmarshal([]byte(line), &entry) == nil {
			if entry.Level == "ERROR" {
				said = entry.Msg
				if entry.Error != "" {
					said = entry.Error
				}
				if entry.Stack != "" {
					said += ", which is a bug of dosirak: please report it with what `dosirak serve` logs for this model"
				}
			}
			continue
		}
		if lower := strings.ToLower(line); strings.Contains(lower, "error") || strings.Contains(lower, "exception") {
			said = strings.TrimSpace(line)
		}
	}
	return quote.Clip(quote.Line(said), reasonBound)
}
