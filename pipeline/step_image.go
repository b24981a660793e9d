package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

func (s *session) image(ctx context.Context, candidate sealed) (image.Built, error) {
	return step(ctx, s, "image", s.project.Config.Serve.Repository, func(ctx context.Context, _ *store.Step) (image.Built, error) {
		out, err := s.run.Path("image")
		if err != nil {
			return image.Built{}, err
		}
		return image.Build(ctx, image.Options{
			BundleDir: candidate.Dir, Model: s.project.Config.Model, Server: s.env.Server, Repository: s.project.Config.Serve.Repository,
			OutDir: out, Release: s.env.Release, CacheDir: s.env.CacheDir,
		})
	})
}
