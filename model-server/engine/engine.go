// Package engine is the contract between the server and what computes
// predictions. Each sub-package is one engine; a new one is one new folder.
package engine

import (
	"context"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Loader makes an engine of a model file within a budget, which bounds loading
// and then each answer.
type Loader func(ctx context.Context, model []byte, budget Budget) (Engine, error)

// Engine computes a model's outputs. Implementations are safe for concurrent
// use.
type Engine interface {
	// Name is the engine's name in metadata and logs: "native", "onnxruntime".
	Name() string
	// Signature describes the inputs and outputs of the loaded model.
	Signature() bundle.Signature
	// Infer computes the outputs of one request, in the signature's order.
	// Inputs are complete and checked against the signature by the caller.
	Infer(ctx context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error)
	Close() error
}
