package server

import (
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
)

// load makes the engine of a model file where the options name none.
func load(model []byte) (engine.Engine, error) { return native.Load(model) }
