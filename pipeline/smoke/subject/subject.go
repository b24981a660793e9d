// Package subject prepares what is tested by itself: a bundle, whose image is
// built first; an image that was written before; or a server that runs already.
//
// An image is not trusted to run outside of Docker. A bundle is data for this
// project's server, so where no Docker daemon answers that server runs as a
// process.
package subject

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
)

// Subject says what is tested: a bundle, an archive, or a URL with or without a
// bundle.
type Subject struct {
	Bundle, Archive, URL string
	Name                 string // that the model is served under; empty: the bundle's
}

// Builder is what the image of a bundle is built with.
type Builder struct {
	Server   image.Server
	Release  string
	CacheDir string
}

// Prepare prepares the subject in the folder work; only a bundle needs a
// builder. Profile, service level and progress are the caller's.
func Prepare(ctx context.Context, s Subject, builder func() (Builder, error), work string) (smoke.Options, error) {
	o := smoke.Options{Model: s.Name}
	switch {
	case s.Archive != "" && (s.URL != "" || s.Bundle != ""), s.Archive == "" && s.URL == "" && s.Bundle == "":
		return o, fault.BadCommand.Usage(errors.New("say what to test: a bundle, --archive FILE, or --url URL with or without a bundle"))
	case s.Archive != "":
		return s.ofArchive(o, work)
	}
	if s.Bundle != "" {
		var err error
		if o.Bundle, err = bundle.Open(s.Bundle); err != nil {
			return o, fault.BadBundle.Usage(fmt.Errorf("smoke test: %w", err))
		}
	}
	if s.URL != "" {
		return s.ofURL(o)
	}
	b, err := builder()
	if err != nil {
		return o, err
	}
	return s.ofBundle(ctx, o, b, work)
}

// ofURL tests a server that runs already.
func (s Subject) ofURL(o smoke.Options) (smoke.Options, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return o, fault.BadEndpoint.Usage(fmt.Errorf("--url %q: give an address such as http://127.0.0.1:8080", s.URL))
	}
	if o.Bundle == nil && o.Model == "" {
		return o, fault.BadCommand.Usage(errors.New("--url without a bundle needs --name, the model's name"))
	}
	o.Target = serving.Address{URL: s.URL}
	return o, nil
}

// ofArchive tests an image, and expects of it the bundle that is in it.
func (s Subject) ofArchive(o smoke.Options, work string) (smoke.Options, error) {
	dir := filepath.Join(work, "bundle")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return o, fault.Environment(fmt.Errorf("smoke test: %w", err))
	}
	unpacked, err := image.UnpackBundle(s.Archive, dir)
	if err != nil {
		return o, err
	}
	if o.Bundle, err = bundle.Open(dir); err != nil {
		return o, fault.BadImage.Usage(fmt.Errorf("the bundle in %s: %w", s.Archive, err))
	}
	if o.Model == "" {
		o.Model = unpacked.Model
	}
	o.RequireDigest, o.ImageSize = true, unpacked.Size
	o.Target = serving.Auto{
		Container: serving.Container{Archive: s.Archive}, Arch: unpacked.Platform.Arch,
		Process: func(context.Context) (serving.Target, error) {
			return nil, fault.NoDocker.Environment(errors.New("an image is tested in Docker, and it cannot be used here; start Docker, or give the bundle to test the server as a process"))
		},
	}
	return o, nil
}

// ofBundle builds the image of a bundle and tests that.
func (s Subject) ofBundle(ctx context.Context, o smoke.Options, b Builder, work string) (smoke.Options, error) {
	built, err := image.Build(ctx, image.Options{
		BundleDir: s.Bundle, Model: o.Model, Server: b.Server, OutDir: work, Release: b.Release, CacheDir: b.CacheDir,
	})
	if err != nil {
		return o, err
	}
	platform, err := image.ParsePlatform(built.Platform)
	if err != nil {
		return o, err
	}
	o.Model, o.RequireDigest, o.ImageSize, o.ImageTransfers = built.Model, true, built.Size, built.CompressedSize
	o.Target = serving.Auto{
		Container: serving.Container{Archive: built.Archive}, Arch: platform.Arch,
		Process: func(ctx context.Context) (serving.Target, error) {
			binary, err := b.Server.Binary(ctx, image.Host())
			if err != nil {
				return nil, err
			}
			return serving.Process{Argv: serving.ServerArgv(binary, built.Model, s.Bundle)}, nil
		},
	}
	return o, nil
}
