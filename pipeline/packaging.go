package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

func (l *line) image(ctx context.Context, s sealed) (image.Built, error) {
	return step(ctx, l, "image", l.Config.Serve.Repository, func(ctx context.Context, _ *store.Step) (image.Built, error) {
		out, err := l.run.Path("image")
		if err != nil {
			return image.Built{}, err
		}
		return image.Build(ctx, image.Options{
			BundleDir: s.Dir, Model: l.Config.Model, Server: l.Server, Repository: l.Config.Serve.Repository,
			OutDir: out, Release: l.Release, CacheDir: l.CacheDir,
		})
	})
}

func (l *line) smoke(ctx context.Context, s sealed, built image.Built) (smoke.Result, error) {
	return step(ctx, l, "smoke", l.Profile, func(ctx context.Context, _ *store.Step) (smoke.Result, error) {
		profile, err := smoke.ParseProfile(l.Profile)
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
		target := smoke.Auto{
			Container: smoke.Container{Archive: built.Archive, Memory: l.exam.SLO.MemoryBytes},
			Arch:      platform.Arch,
			Process: func(ctx context.Context) (smoke.Target, error) {
				binary, err := l.Server.Binary(ctx, image.Host())
				if err != nil {
					return nil, err
				}
				return smoke.Process{Argv: smoke.ServerArgv(binary, l.Config.Model, s.Dir)}, nil
			},
		}
		done := 0
		return smoke.Run(ctx, smoke.Options{
			Target: target, Bundle: opened, Model: l.Config.Model, Profile: profile, SLO: l.exam.SLO, RequireDigest: true,
			ImageSize: built.Size, ImageTransfers: built.CompressedSize,
			Progress: func(r smoke.Row) {
				done++
				l.Observer.Update("smoke", done, 0, r.Name)
			},
		})
	})
}
