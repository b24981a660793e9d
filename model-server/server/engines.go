package server

import (
	"context"

	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
)

// load makes the engine of a model file where the options name none.
func load(ctx context.Context, model []byte, budget engine.Budget) (engine.Engine, error) {
	return native.Load(ctx, model, budget)
}
