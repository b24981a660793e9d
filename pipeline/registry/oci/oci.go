// Package oci keeps an environment's alias as a tag in an OCI registry:
// <repository>:<environment> points to the image that the manifest names, in
// the repository that the manifest names.
//
// Credentials are those of `docker login`, and for ghcr.io GitHub's token where
// nobody logged in; no other registry ever sees that one. A tag is set by putting the image's
// own manifest under it, so nothing is uploaded, and an image that the
// registry does not hold cannot be tagged:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

// Registry is every OCI registry, as the user of this machine may use it.
type Registry struct {
	// Transport sends the requests; nil is the usual one.
	Transport http.RoundTripper
	// Keys has the credentials; nil are those of Keychain without a token.
	Keys authn.Keychain

	backoff remote.Backoff // between attempts, for tests; zero is the usual one
}

var _ reconcile.Registry = Registry{}

// Want is the tag named like the environment, beside the manifest's image.
func (r Registry) Want(m manifest.Manifest) (reconcile.Pointer, error) {
	repository, digest, ok := strings.Cut(m.Image, "@")
	switch {
	case m.Image == "":
		return reconcile.Pointer{}, fmt.Errorf("the manifest names no image: %w", reconcile.ErrNoTarget)
	case !ok:
		return reconcile.Pointer{}, fmt.Errorf("the manifest's image was promoted without a repository (serve.repository): %w", reconcile.ErrNoTarget)
	}
	if _, err := name.NewDigest(m.Image); err != nil {
		return reconcile.Pointer{}, fault.BadReference.Usage(fmt.Errorf("image %q of the manifest: %w: it is written repository@sha256:<64 hexadecimal digits>", m.Image, err))
	}
	alias := repository + ":" + m.Environment
	if _, err := name.NewTag(alias); err != nil {
		return reconcile.Pointer{}, fault.Usage(fmt.Errorf("tag of the manifest's image: %w", err))
	}
	return reconcile.Pointer{Alias: alias, Target: digest}, nil
}

// Read returns the digest that the tag points to.
func (r Registry) Read(ctx context.Context, alias string) (string, error) {
	tag, err := name.NewTag(alias)
	if err != nil {
		return "", fault.Usage(fmt.Errorf("reading tag %q: %w", alias, err))
	}
	head, err := remote.Head(tag, r.options(ctx)...)
	if status(err) == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", explain(ctx, "reading tag "+alias, tag.RegistryStr(), "read", err)
	}
	return head.Digest.String(), nil
}

// Write points the tag to the image.
func (r Registry) Write(ctx context.Context, p reconcile.Pointer) error {
	doing := fmt.Sprintf("setting tag %s to %s", p.Alias, p.Target)
	tag, err := name.NewTag(p.Alias)
	if err != nil {
		return fault.Usage(fmt.Errorf("%s: %w", doing, err))
	}
	image, err := remote.Get(tag.Context().Digest(p.Target), r.options(ctx)...)
	if status(err) == http.StatusNotFound {
		return fault.NotInRegistry.Usage(fmt.Errorf("%s: the registry does not hold that image: push the promoted bundle's with `dosirak image BUNDLE --push %s`, by the release that promoted it, then run again", doing, tag.Context()))
	}
	if err != nil {
		return explain(ctx, doing, tag.RegistryStr(), "read", err)
	}
	if err := remote.Tag(tag, image, r.options(ctx)...); err != nil {
		return explain(ctx, doing, tag.RegistryStr(), "write", err)
	}
	return nil
}

// Keychain has the credentials of `docker login`, and, for GitHub's registry,
// a token where nobody logged in. GitHub does not look at the name.
// https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry
func Keychain(token string) authn.Keychain {
	if token == "" {
		return authn.DefaultKeychain
	}
	return authn.NewMultiKeychain(authn.DefaultKeychain, githubToken(token))
}

// githubToken is a token that GitHub's registry takes.
type githubToken string

// githubRegistry is the one registry that gets the token.
const githubRegistry = "ghcr.io"

// Resolve gives the token to GitHub's registry and nothing to any other.
func (t githubToken) Resolve(of authn.Resource) (authn.Authenticator, error) {
	if of.RegistryStr() != githubRegistry {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: "x-access-token", Password: string(t)}), nil
}

func (r Registry) options(ctx context.Context) []remote.Option {
	keys := r.Keys
	if keys == nil {
		keys = Keychain("")
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keys), remote.WithUserAgent("dosirak")}
	if r.Transport != nil {
		options = append(options, remote.WithTransport(r.Transport))
	}
	if r.backoff.Steps > 0 {
		options = append(options, remote.WithRetryBackoff(r.backoff))
	}
	return options
}

func status(err error) int {
	var refused *transport.Error
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return 0
}

// explain tells a refusal, which needs a human, from a registry or network
// that may work later.
func explain(ctx context.Context, doing, registry, right string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	switch status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.RegistryLogin.Usage(fmt.Errorf("%s: %s refuses it: %w; log in with `docker login %s` as somebody who may %s there (a workflow needs `packages: write` to set a tag at GitHub)", doing, registry, err, registry, right))
	case http.StatusMethodNotAllowed, http.StatusConflict, http.StatusBadRequest:
		return fault.Usage(fmt.Errorf("%s: %s refuses it: %w; the repository may have tags that cannot be moved", doing, registry, err))
	}
	return fault.RegistryUnreachable.Environment(fmt.Errorf("%s: %w", doing, err))
}
