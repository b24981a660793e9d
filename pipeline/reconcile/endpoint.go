package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// host is what may stand in messages and issues as it is.
var host = regexp.MustCompile(`^[A-Za-z0-9._-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

// ParseAddress reads the address of an endpoint, such as
// https://models.example.org/flights, without a slash at the end.
func ParseAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !host.MatchString(u.Host) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fault.BadEndpoint.Usage(fmt.Errorf("--endpoint %q: give an address such as https://models.example.org", text))
	}
	return strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), nil
}

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Ask asks a V2 server which bundle it serves as model, and the golden
// examples of the bundle that it should serve. No load is put on it: one
// description, one inference.
func Ask(ctx context.Context, address, model string, want *bundle.Opened) (Observation, error) {
	golden, err := want.Golden()
	if err != nil {
		return Observation{}, fault.Usage(fmt.Errorf("reading the golden examples: %w", err))
	}
	inputs, outputs, err := golden.Tensors()
	if err != nil {
		return Observation{}, fault.Usage(fmt.Errorf("reading the golden examples: %w", err))
	}
	client, err := serving.Dial(address, serving.V2)
	if err != nil {
		return Observation{}, err
	}
	defer client.Close()

	description, err := client.Describe(ctx, model)
	if err != nil {
		return refusal(ctx, err)
	}
	answer := Observation{State: InSync, Detail: "it serves the bundle"}
	switch serves := description.Bundle; {
	case serves == want.Digest:
		answer.Bundle = serves
	case digestPattern.MatchString(serves):
		return Observation{State: OutOfSync, Bundle: serves, Detail: fmt.Sprintf("it serves the bundle %s", serves)}, nil
	case serves != "":
		return Observation{State: OutOfSync, Detail: "the digest that it tells is none"}, nil
	case len(inputs) == 0:
		return Observation{State: Unknown, Detail: "it tells no digest, and the bundle has no golden examples to ask"}, nil
	default:
		answer.Detail = "it tells no digest"
	}
	if len(inputs) == 0 {
		answer.Detail += "; there are no golden examples to ask"
		return answer, nil
	}
	got, err := client.Infer(ctx, model, inputs)
	if err != nil {
		return refusal(ctx, err)
	}
	if wrong := bundle.CompareOutputs(outputs, got, golden.Tolerance); len(wrong) > 0 {
		answer.State = OutOfSync
		answer.Detail += fmt.Sprintf(", and %d values of its golden answers are wrong", len(wrong))
		return answer, nil
	}
	answer.Detail += " and gives its golden answers"
	return answer, nil
}

// refusal tells a server that lacks the model from one that cannot be asked.
// What the server said is left out: it is outside text.
func refusal(ctx context.Context, err error) (Observation, error) {
	if ctx.Err() != nil {
		return Observation{}, err
	}
	var status *serving.StatusError
	switch {
	case !errors.As(err, &status):
		if fault.ExitCode(err) == fault.CodeFailed {
			return Observation{State: OutOfSync, Detail: "what it answers is not the Open Inference Protocol"}, nil
		}
		return Observation{State: Unknown, Detail: "it cannot be reached"}, nil
	case status.Status == http.StatusNotFound:
		return Observation{State: OutOfSync, Detail: "it does not serve the model (404)"}, nil
	case status.Status == http.StatusUnauthorized, status.Status == http.StatusForbidden:
		return Observation{State: Unknown, Detail: fmt.Sprintf("it asks for credentials (%d); reconcile from inside the network, or give an address that needs none", status.Status)}, nil
	case status.Status == http.StatusBadRequest:
		return Observation{State: OutOfSync, Detail: "it refuses the golden examples (400)"}, nil
	}
	return Observation{State: Unknown, Detail: fmt.Sprintf("it answers %d", status.Status)}, nil
}
