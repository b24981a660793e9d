package serving

import (
	"context"
	"errors"
	"fmt"
)

// Auto is a Target that runs the image in Docker where that can be done, else
// the server as a process; the result says which, and why.
type Auto struct {
	Container Container
	Arch      string // of the image, in Go's names
	// Process makes the other target. It is called only when it is needed, since
	// it may have to build a server for this machine.
	Process func(ctx context.Context) (Target, error)
}

// explained is a Server with the reason why it is what it is.
type explained struct {
	Server
	why string
}

func (e explained) Why() string { return e.why }

// Start starts the first that can be. A Docker that answers and then fails is
// an error, not a reason to test something else: it may be the image's fault.
func (a Auto) Start(ctx context.Context) (Server, error) {
	engine, err := a.Container.Docker.Probe(ctx)
	if err == nil && engine.Arch != a.Arch {
		err = fmt.Errorf("the image is for %s and Docker runs on %s", a.Arch, engine.Arch)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return a.process(ctx, err)
	}
	i, err := a.Container.Start(ctx)
	if errors.Is(err, ErrUnreachable) && ctx.Err() == nil {
		return a.process(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	return explained{i, "Docker " + engine.Version + " answers"}, nil
}

func (a Auto) process(ctx context.Context, reason error) (Server, error) {
	target, err := a.Process(ctx)
	if err != nil {
		return nil, err
	}
	i, err := target.Start(ctx)
	if err != nil {
		return nil, err
	}
	return explained{i, reason.Error() + "; the server runs as a process"}, nil
}
