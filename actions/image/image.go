// Package image is the action that builds the serving image of a bundle, and
// pushes it where it is told to.
package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
)

// Complete fills in what a build takes from this machine.
type Complete func(*image.Options) error

// Keys has the credentials for registries: those of docker login, and for
// GitHub's a token.
type Keys func(j *runner.Job, token string) authn.Keychain

// Action returns the action.
func Action(complete Complete, keys Keys) runner.Action {
	return runner.Action{
		Name:    "image",
		Short:   "Build the serving image of a bundle, and push it",
		Inputs:  []string{"bundle", "out", "platform", "name", "repository", "push", "registry-token"},
		Secrets: []string{"registry-token"},
		Outputs: []string{"digest", "bundle", "reference", "archive", "layout", "size", "pushed"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			o := image.Options{BundleDir: j.Input("bundle"), OutDir: j.Input("out"), Model: j.Input("name"), Repository: j.Input("repository")}
			if o.BundleDir == "" {
				return 0, fault.Usage(errors.New("input bundle is empty: name the folder of a sealed bundle"))
			}
			var err error
			if platform := j.Input("platform"); platform != "" {
				if o.Platform, err = image.ParsePlatform(platform); err != nil {
					return 0, err
				}
			}
			if err := complete(&o); err != nil {
				return 0, err
			}
			push, token := j.Input("push"), j.Input("registry-token")
			built, err := image.Build(ctx, o)
			if err != nil {
				return 0, err
			}
			values := map[string]string{
				"digest": built.Digest, "bundle": built.Bundle, "reference": built.Reference,
				"archive": built.Archive, "layout": built.Layout, "size": fmt.Sprint(built.Size),
			}
			if push != "" {
				if values["pushed"], err = image.Push(ctx, built, push, keys(j, token)); err != nil {
					return 0, errors.Join(j.SetAll(values), err)
				}
			}
			fmt.Fprintf(j.Out, "%s, %.1f MB, %.1f MB to pull\n", built.Digest, float64(built.Size)/1e6, float64(built.CompressedSize)/1e6)
			return 0, j.SetAll(values)
		},
	}
}
