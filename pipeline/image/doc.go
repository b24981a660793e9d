// Package image turns a bundle into the serving image: an OCI image of a
// static server and a model on an empty base, built without a Docker daemon.
//
// The digest of an image is a function of the bundle and of the dosirak
// release: fixed times and owners, sorted files, a compressor whose version
// go.mod pins (the standard library's may change its output with any Go
// release), no host, path, clock or repository name in anything that is
// hashed. What the layers hold:
//
//	1  /model-server and its SBOM (SPDX JSON, from the binary's build information)
//	2  /etc/passwd, /etc/group, CA roots
//	3  /bundle
//
// so that a new model changes the last, small layer only.
//
// The CA roots are those of golang.org/x/crypto/x509roots/fallback/bundle, at
// the version in go.mod: the Mozilla (NSS) list as a Go module. A certificates
// file of the build host would make the digest depend on the host, and the
// same package imported by the server would serve only servers written in Go
// that import it. Roots that NSS trusts with conditions (issued before a date)
// are left out, since a PEM file cannot carry the condition.
//
// An image is written as an OCI layout (a folder) and as an archive that is at
// once an OCI layout in a tar file and what `docker load` reads: the same
// blobs, hence the same digest, under both indexes.
//
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
// https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
package image
