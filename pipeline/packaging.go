package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

func (l *line) image(ctx context.Context, s sealed) (image.Built, error) {
	return step(ctx, l, "image", l.project.Config.Serve.Repository, func(ctx context.Context, _ *store.Step) (image.Built, error) {
		out, err := l.run.Path("image")
		if err != nil {
			return image.Built{}, err
		}
		return image.Build(ctx, image.Options{
			BundleDir: s.Dir, Model: l.project.Config.Model, Server: l.env.Server, Repository: l.project.Config.Serve.Repository,
			OutDir: out, Release: l.env.Release, CacheDir: l.env.CacheDir,
		})
	})
}

func (l *line) smoke(ctx context.Context, s sealed, built image.Built) (smoke.Result, error) {
	return step(ctx, l, "smoke", l.asked.Profile, func(ctx context.Context, _ *store.Step) (smoke.Result, error) {
		profile, err := smoke.ParseProfile(l.asked.Profile)
		if err != nil {
			return smoke.Result{}, err
		}
		opened, err := bundle.Open(s.Dir)
		if err != nil {
			return smoke.Result{}, err
		}
		platform, err := image.ParsePlatform(built.Platform)
		if err != nil {
			return smoke.Result{}, err
		}
		target := serving.Auto{
			Container: serving.Container{Archive: built.Archive, Memory: l.exam.SLO.MemoryBytes},
			Arch:      platform.Arch,
			Process: func(ctx context.Context) (serving.Target, error) {
				binary, err := l.env.Server.Binary(ctx, image.Host())
				if err != nil {
					return nil, err
				}
				return serving.Process{Argv: serving.ServerArgv(binary, l.project.Config.Model, s.Dir)}, nil
			},
		}
		done := 0
		return smoke.Run(ctx, smoke.Options{
			Target: target, Bundle: opened, Model: l.project.Config.Model, Profile: profile, SLO: l.exam.SLO, RequireDigest: true,
			ImageSize: built.Size, ImageTransfers: built.CompressedSize,
			Progress: func(r smoke.Row) {
				done++
				l.env.Observer.Update("smoke", done, 0, r.Name)
			},
		})
	})
}
