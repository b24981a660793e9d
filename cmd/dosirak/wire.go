package main

import (
	"os"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/forge/local"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// This file is the only place that knows the adapters.

// newForge is where a project's promotions are proposed; nil without Git.
func newForge(p *pipeline.Project) promote.Forge {
	if p.Repo == nil {
		return nil
	}
	return &local.Forge{Repo: p.Repo}
}

// newServer is where the image's server comes from: a release carries it, any
// other build compiles it from source.
func newServer(cacheDir string) image.Server {
	return image.NewServer(cacheDir, releaseVersion(), os.Environ())
}
