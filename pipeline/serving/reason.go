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
	var status *StatusError
	if errors.As(err, &status) && status.Status >= http.StatusInternalServerError {
		status.Reason = reason(e.server.Logs(context.WithoutCancel(ctx)))
	}
	return outputs, err
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
