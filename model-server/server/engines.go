package server

import (
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
)

// engines computes each format of bundle.Formats, by its name.
var engines = map[string]engine.Loader{
	bundle.FormatONNX: native.Load,
}

// formatOf is the format of a model and what loads it. A bundle names its
// format; a bare file is told by its bytes, and where those are of no format,
// the first one's reader says what is wrong with them.
func formatOf(opened *bundle.Opened, model []byte, o Options) (bundle.Format, engine.Loader) {
	format := bundle.Formats[0]
	if opened != nil {
		if f, known := bundle.FormatOf(opened.Bundle.Model.Format); known {
			format = f
		}
	} else if f, known, _ := bundle.Recognise(model); known {
		format = f
	}
	if o.Load != nil {
		return format, o.Load
	}
	return format, engines[format.Name]
}
