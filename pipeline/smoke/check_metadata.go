package smoke

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// checkMetadata compares what the server says of its model with the bundle:
// the name, the signature and the digest.
func checkMetadata(ctx context.Context, s *session) outcome {
	var served serving.Description
	err := within(ctx, requestBound, func(ctx context.Context) (err error) {
		served, err = s.client.Describe(ctx, s.model)
		return err
	})
	if err != nil {
		return fail("what it says of the model %q: %v", s.model, err)
	}
	if served.Name != s.model {
		return fail("the model calls itself %s, not %q", quote.Text(served.Name), s.model)
	}
	signature := served.Signature
	if s.options.Bundle == nil {
		s.serves = signature
		return pass("%d inputs, %d outputs; there is no bundle to compare them with", len(signature.Inputs), len(signature.Outputs))
	}
	want := s.options.Bundle.Bundle.Signature
	if d := differ("input", want.Inputs, signature.Inputs); d != "" {
		return fail("%s", d)
	}
	if d := differ("output", want.Outputs, signature.Outputs); d != "" {
		return fail("%s", d)
	}
	switch got := served.Bundle; {
	case got == s.options.Bundle.Digest:
		return pass("signature and bundle digest are the bundle's, %s", short(got))
	case got != "":
		return fail("it serves the bundle %s, not %s", quote.Text(got), short(s.options.Bundle.Digest))
	case s.options.RequireDigest:
		return fail("it does not tell the digest of its bundle")
	}
	return pass("the signature is the bundle's; the server does not tell a bundle digest")
}

// differ names the first difference in names, types or shapes; roles are
// compared where the server tells them.
func differ(side string, want, got []bundle.TensorSpec) string {
	if len(want) != len(got) {
		return fmt.Sprintf("it has %d %ss, the bundle %d", len(got), side, len(want))
	}
	for i, w := range want {
		g := got[i]
		switch {
		case w.Name != g.Name:
			return fmt.Sprintf("%s %d is %s, in the bundle %q", side, i, quote.Text(g.Name), w.Name)
		case w.Datatype != g.Datatype:
			return fmt.Sprintf("%s %q is %s, in the bundle %s", side, w.Name, g.Datatype, w.Datatype)
		case !slices.Equal(w.Shape, g.Shape):
			return fmt.Sprintf("%s %q has the shape %v, in the bundle %v", side, w.Name, g.Shape, w.Shape)
		case g.Role != "" && g.Role != w.Role:
			return fmt.Sprintf("%s %q has the role %s, in the bundle %q", side, w.Name, quote.Text(string(g.Role)), w.Role)
		case g.Classes != nil && !slices.Equal(w.Classes, g.Classes):
			return fmt.Sprintf("%s %q has other classes than in the bundle", side, w.Name)
		}
	}
	return ""
}

// short is a digest as people read it.
func short(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return digest[:min(12, len(digest))]
}
