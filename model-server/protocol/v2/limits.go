package v2

// Limits bounds what one body may ask for.
type Limits struct {
	Body     int64 // bytes, after which reading stops
	Elements int   // of all tensors of one body together
	Tensors  int   // inputs, or outputs
	Dims     int   // of one shape
	Depth    int   // nesting of values that are skipped
	Text     int   // bytes of a name or id
}

// DefaultLimits are those of a server for tables and small models. 64 MiB is
// also Triton's limit of a body.
func DefaultLimits() Limits {
	return Limits{Body: 64 << 20, Elements: 1 << 24, Tensors: 4096, Dims: 16, Depth: 64, Text: 1024}
}

// WithDefaults returns l with every zero replaced by its default.
func (l Limits) WithDefaults() Limits {
	d := DefaultLimits()
	if l.Body == 0 {
		l.Body = d.Body
	}
	for _, f := range []struct{ to, from *int }{
		{&l.Elements, &d.Elements}, {&l.Tensors, &d.Tensors}, {&l.Dims, &d.Dims}, {&l.Depth, &d.Depth}, {&l.Text, &d.Text},
	} {
		if *f.to == 0 {
			*f.to = *f.from
		}
	}
	return l
}
