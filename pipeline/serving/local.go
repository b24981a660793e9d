package serving

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Local is this project's server in this process, on a loopback port.
type Local struct {
	server *server.Server
	url    string
	log    *tailWriter
	stop   context.CancelFunc
	served chan error
}

// Open loads the model file or bundle at path as the server that ships does,
// and serves it. An error of the model is of kind fault.Usage, one of the
// machine fault.Environment. What o says of a log is not used: the log is kept
// for Logs.
func Open(ctx context.Context, path string, o server.Options) (*Local, error) {
	l := &Local{log: &tailWriter{}, served: make(chan error, 1)}
	var err error
	if o.Logger, err = server.Logger(l.log, "error"); err != nil {
		return nil, err
	}
	if l.server, err = server.Open(ctx, path, o); err != nil {
		return nil, fault.Usage(err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fault.Environment(fmt.Errorf("listening on the loopback interface: %w", err)), l.server.Close())
	}
	l.url = "http://" + listener.Addr().String()
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go func() { l.served <- l.server.Serve(serving, listener) }()
	return l, nil
}

// Name is the model's name at the server.
func (l *Local) Name() string { return l.server.Name() }

// Signature describes the model's inputs and outputs.
func (l *Local) Signature() bundle.Signature { return l.server.Signature() }

func (l *Local) Kind() Kind                  { return KindLocal }
func (l *Local) Why() string                 { return "" }
func (l *Local) URL() string                 { return l.url }
func (l *Local) Protocol() Protocol          { return V2 }
func (l *Local) Lifecycle() Lifecycle        { return nil }
func (l *Local) Logs(context.Context) string { return l.log.String() }

// Stop drains and releases the model. Clients are closed before: their idle
// connections would hold it up.
func (l *Local) Stop(ctx context.Context) error {
	l.stop()
	select {
	case err := <-l.served:
		if err != nil {
			err = fault.Environment(err)
		}
		return errors.Join(err, l.server.Close())
	case <-ctx.Done():
		return fmt.Errorf("the server in this process does not end: %w", ctx.Err())
	}
}

// With opens the model at path as Open does, lets use ask it, and stops it. The
// error is use's, or that of stopping.
func With(ctx context.Context, path string, o server.Options, use func(*Local, Client) error) error {
	l, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	c, err := Connect(l)
	if err == nil {
		err = use(l, c)
		c.Close() // an idle connection would hold the server's end
	}
	return errors.Join(err, Stop(l))
}
