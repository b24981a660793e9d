package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

func (s *session) smoke(ctx context.Context, candidate sealed, built image.Built) (smoke.Result, error) {
	return step(ctx, s, "smoke", s.asked.Profile, func(ctx context.Context, _ *store.Step) (smoke.Result, error) {
		profile, err := smoke.ParseProfile(s.asked.Profile)
		if err != nil {
			return smoke.Result{}, err
		}
		opened, err := bundle.Open(candidate.Dir)
		if err != nil {
			return smoke.Result{}, err
		}
		platform, err := image.ParsePlatform(built.Platform)
		if err != nil {
			return smoke.Result{}, err
		}
		target := serving.Auto{
			Container: serving.Container{Archive: built.Archive, Memory: s.exam.SLO.MemoryBytes},
			Arch:      platform.Arch,
			Process: func(ctx context.Context) (serving.Target, error) {
				binary, err := s.env.Server.Binary(ctx, image.Host())
				if err != nil {
					return nil, err
				}
				return serving.Process{Argv: serving.ServerArgv(binary, s.project.Config.Model, candidate.Dir)}, nil
			},
		}
		done := 0
		return smoke.Run(ctx, smoke.Options{
			Target: target, Bundle: opened, Model: s.project.Config.Model, Profile: profile, SLO: s.exam.SLO, RequireDigest: true,
			ImageSize: built.Size, ImageTransfers: built.CompressedSize,
			Progress: func(r smoke.Row) {
				done++
				s.env.Observer.Update("smoke", done, 0, r.Name)
			},
		})
	})
}
