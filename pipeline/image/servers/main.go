// Command servers builds the model servers that a release of dosirak carries
// into this folder. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := fault.Usage(errors.New("usage: servers VERSION"))
	if len(os.Args) == 2 {
		err = build(ctx, filepath.Join("pipeline", "image", "servers"), os.Args[1])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
	}
	os.Exit(fault.ExitCode(err))
}

// build builds both servers through a temporary cache, so that they are built
// anew, and leaves them in dir.
func build(ctx context.Context, dir, version string) error {
	cache, err := os.MkdirTemp(dir, ".cache-*")
	if err != nil {
		return fault.Usage(fmt.Errorf("run this at the root of the repository: %w", err))
	}
	defer os.RemoveAll(cache)
	source := image.Source{Version: version, CacheDir: cache, Environ: os.Environ()}
	for _, arch := range []string{"amd64", "arm64"} {
		p := image.Platform{OS: "linux", Arch: arch}
		binary, err := source.Binary(ctx, p)
		if err != nil {
			return err
		}
		name := filepath.Join(dir, "model-server-linux-"+arch)
		if err := os.Rename(binary, name); err != nil {
			return fault.Environment(err)
		}
		fmt.Println(name)
	}
	return nil
}
