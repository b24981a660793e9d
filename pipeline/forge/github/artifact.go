package github

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/artifact"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

var readActions = need{"actions", "read"}

// Artifacts lists what a workflow run left, of all its attempts.
func (f *Forge) Artifacts(ctx context.Context, run int64) ([]artifact.Artifact, error) {
	type listed struct {
		ID      int64
		Name    string
		Size    int64 `json:"size_in_bytes"`
		Expired bool
		Digest  string
		Run     struct {
			ID     int64
			Commit string `json:"head_sha"`
		} `json:"workflow_run"`
	}
	doing := fmt.Sprintf("listing the artifacts of run %d", run)
	var out []artifact.Artifact
	for number, n := 1, 0; number != 0; n++ {
		if n == pages {
			return nil, fault.ArtifactRefused.Usage(fmt.Errorf("%s: there are more than %d: let the workflow leave fewer", doing, pages*100))
		}
		req, err := f.rest.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/runs/%d/artifacts?per_page=100&page=%d", f.owner, f.name, run, number), nil)
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("%s: %w", doing, err))
		}
		var page struct{ Artifacts []listed }
		resp, err := f.rest.Do(ctx, req, &page)
		if err != nil {
			return nil, explain(doing, readActions, err)
		}
		for _, a := range page.Artifacts {
			out = append(out, artifact.Artifact{ID: a.ID, Name: a.Name, Size: a.Size, Expired: a.Expired, Digest: a.Digest, Run: artifact.Run{ID: a.Run.ID, Commit: a.Run.Commit}})
		}
		number = resp.NextPage
	}
	return out, nil
}

// Download writes the archive of an artifact to w, and not more than limit
// bytes of it. It is held against the digest that GitHub names; after an error
// w holds what came so far.
func (f *Forge) Download(ctx context.Context, a artifact.Artifact, w io.Writer, limit int64) error {
	doing := fmt.Sprintf("downloading the artifact %s of run %d", a.Name, a.Run.ID)
	refused := func(format string, args ...any) error {
		return fault.ArtifactRefused.Usage(fmt.Errorf("%s: %w", doing, fmt.Errorf(format, args...)))
	}
	if a.Size > limit {
		return refused("it has %d bytes, at most %d are downloaded", a.Size, limit)
	}
	sum := sha256.New()
	got := &counter{w: io.MultiWriter(w, sum)}
	for attempt := 1; ; attempt++ {
		err := f.archiveFrom(ctx, a, got, limit)
		switch {
		case err == nil:
		case errors.Is(err, errBroken) && attempt < attempts && ctx.Err() == nil:
			if err := f.pause(ctx, attempt); err != nil {
				return err
			}
			continue
		case status(err) == http.StatusGone:
			return fault.ArtifactAbsent.Usage(artifact.Expired(a))
		case errors.Is(err, context.Canceled):
			return fmt.Errorf("%s: %w", doing, err)
		case errors.Is(err, errStorage):
			return fault.GitHubUnreachable.Environment(fmt.Errorf("%s: %w", doing, err))
		case errors.Is(err, errAddress), errors.Is(err, errTooLarge):
			return refused("%w", err)
		default:
			return explain(doing, readActions, err)
		}
		break
	}
	if got := digest.Sum(sum); a.Digest != "" && got != a.Digest {
		return refused("its digest is %s, GitHub's list says %s: run the workflow again", got, a.Digest)
	}
	return nil
}

var (
	errStorage  = errors.New("the storage of the artifacts failed: run again")
	errTooLarge = errors.New("it is larger than what is downloaded")
)

// errBroken is an answer of the storage that ended early.
var errBroken = fmt.Errorf("%w (the answer was cut)", errStorage)

// archiveFrom asks for an archive and writes what w lacks of it.
func (f *Forge) archiveFrom(ctx context.Context, a artifact.Artifact, w *counter, limit int64) error {
	address, err := f.archive(ctx, a)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errAddress
	}
	// The address is a secret that is good for a minute: it stands in no message.
	failed := func(kind, err error) error {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
		return fmt.Errorf("%s: %w: %w", req.URL.Host, kind, err)
	}
	resp, err := f.storage().Do(req)
	if err != nil {
		return failed(errStorage, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failed(errStorage, fmt.Errorf("it answered %d", resp.StatusCode))
	}
	if resp.ContentLength > limit {
		return fmt.Errorf("%w: %d bytes, at most %d", errTooLarge, resp.ContentLength, limit)
	}
	// What an attempt before wrote already: an artifact does not change.
	if _, err := io.CopyN(io.Discard, resp.Body, w.n); err != nil {
		return failed(errBroken, err)
	}
	_, err = io.Copy(w, io.LimitReader(resp.Body, limit+1-w.n))
	switch {
	case w.failed != nil:
		return failed(errStorage, w.failed)
	case err != nil:
		return failed(errBroken, err)
	case w.n > limit:
		return fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	return nil
}

// counter counts what was written, and keeps apart the error of writing.
type counter struct {
	w      io.Writer
	n      int64
	failed error
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n, c.failed = c.n+int64(n), err
	return n, err
}

var errAddress = errors.New("GitHub names no address of the archive that could be used")

// archive asks where an artifact's archive is.
func (f *Forge) archive(ctx context.Context, a artifact.Artifact) (string, error) {
	req, err := f.rest.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/artifacts/%d/zip", f.owner, f.name, a.ID), nil)
	if err != nil {
		return "", errAddress
	}
	client := *f.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		if err := github.CheckResponse(resp); err != nil {
			return "", err
		}
		return "", errAddress
	}
	address, err := resp.Location()
	if err != nil || !f.mayCarry(address) {
		return "", errAddress
	}
	return address.String(), nil
}

// mayCarry wants an address to be as well protected as the API's own.
func (f *Forge) mayCarry(address *url.URL) bool {
	return address.Host != "" && address.User == nil && (address.Scheme == "https" || address.Scheme == f.rest.BaseURL.Scheme)
}

// storage is the client for the host that keeps the archives. It never gets the
// token, whichever host it is; calls are repeated as others are.
func (f *Forge) storage() *http.Client {
	bare := *f.transport
	bare.host, bare.token = "", "" // no host is the API's, its own included
	return &http.Client{Transport: &bare, Timeout: 30 * time.Minute, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) >= 3 || !f.mayCarry(req.URL) {
			return errAddress
		}
		return nil
	}}
}
