package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Push uploads a built image and returns its name by digest,
// repository@sha256:<hex>. to is a repository, with a tag or without; without
// one the image gets the tag of its bundle. keys has the credentials; nil are
// those of `docker login`. What the registry has already is not sent again.
func Push(ctx context.Context, built Built, to string, keys authn.Keychain) (string, error) {
	tag, err := parseTarget(to, built.Bundle)
	if err != nil {
		return "", err
	}
	path, err := ocilayout.FromPath(built.Layout)
	if err != nil {
		return "", fault.BadImage.Usage(fmt.Errorf("pushing the image: %s is no OCI layout: %w", built.Layout, err))
	}
	digest, err := v1.NewHash(built.Digest)
	if err != nil {
		return "", fault.Usage(fmt.Errorf("pushing the image: %w", err))
	}
	img, err := path.Image(digest)
	if err != nil {
		return "", fault.BadImage.Usage(fmt.Errorf("pushing the image: %s does not hold %s: %w", built.Layout, built.Digest, err))
	}
	if keys == nil {
		keys = authn.DefaultKeychain
	}
	options := []remote.Option{
		remote.WithContext(ctx), remote.WithAuthFromKeychain(keys), remote.WithUserAgent("dosirak"),
	}
	if err := remote.Write(tag, img, options...); err != nil {
		return "", pushError(tag, err)
	}
	head, err := remote.Head(tag, options...)
	if err != nil {
		return "", pushError(tag, err)
	}
	if head.Digest != digest {
		return "", fault.RegistryUnreachable.Environment(fmt.Errorf("pushing the image: %s is %s right after %s was pushed: somebody else moved the tag, or the registry rewrites manifests", tag, head.Digest, digest))
	}
	return tag.Context().Digest(digest.String()).String(), nil
}

// parseTarget reads repository[:tag].
func parseTarget(to, bundle string) (name.Tag, error) {
	if strings.Contains(to, "@") {
		return name.Tag{}, fault.BadReference.Usage(fmt.Errorf("pushing the image: %q: give a repository and, if you like, a tag; the digest comes from the image", to))
	}
	if repository, err := name.NewRepository(to); err == nil {
		return repository.Tag(Tag(bundle)), nil
	}
	tag, err := name.NewTag(to)
	if err != nil {
		return name.Tag{}, fault.Usage(fmt.Errorf("pushing the image: %w", err))
	}
	return tag, nil
}

// pushError tells a refusal, which needs a human, from a registry or network
// that may work later.
func pushError(tag name.Tag, err error) error {
	var refused *transport.Error
	if errors.As(err, &refused) {
		switch refused.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return fault.RegistryLogin.Usage(fmt.Errorf("pushing the image: %s refuses %s: %w; log in with `docker login %s` as somebody who may write there (a workflow needs `packages: write` to push to GitHub)", tag.RegistryStr(), tag, err, tag.RegistryStr()))
		}
	}
	return fault.RegistryUnreachable.Environment(fmt.Errorf("pushing the image to %s: %w", tag, err))
}
