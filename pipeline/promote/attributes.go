package promote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// AttributesFile keeps Git from converting what a promotion writes.
const AttributesFile = ".gitattributes"

// unconverted says for a pattern that a clone has the very bytes that Git
// stores: no line endings, no $Id$, no filter such as that of Git LFS, no other
// encoding (which can only be left unspecified).
// https://git-scm.com/docs/gitattributes
const unconverted = " -text -ident -filter !working-tree-encoding"

// attributes adds to the text of the attributes file beside a manifest what its
// files need: digests name their bytes, and `* text=auto eol=crlf`, a filter for
// *.onnx or somebody's core.autocrlf would give another clone other ones. Lines
// further down win over earlier ones, and a file in a deeper folder over one
// above. It returns nil where all is said already.
func attributes(present []byte, manifestPath string) []byte {
	text := string(present)
	has := map[string]bool{}
	for line := range strings.Lines(text) {
		has[strings.TrimSpace(line)] = true
	}
	var missing []string
	for _, pattern := range []string{"/" + path.Base(manifestPath), "/bundles/**", "/evidence/**"} {
		if line := pattern + unconverted; !has[line] {
			missing = append(missing, line)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	const why = "# dosirak: digests name the bytes of these files, so no clone may convert them."
	if !has[why] {
		text += why + "\n"
	}
	return []byte(text + strings.Join(missing, "\n") + "\n")
}

// Attributes reads the attributes file in the folder of a manifest on the base,
// nil where there is none: a promotion adds its lines to those of the team.
func Attributes(ctx context.Context, base interface {
	Read(ctx context.Context, path string) ([]byte, error)
}, manifestPath string) ([]byte, error) {
	text, err := base.Read(ctx, path.Join(path.Dir(manifestPath), AttributesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the attributes beside %s: %w", manifestPath, err)
	}
	return text, nil
}
