package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// keySchema changes when a stored replicate of an older release must not be
// reused.
const keySchema = "dosirak/replicate/v2"

// keys are the digests by which a training is remembered.
type keys struct {
	inputs []Input
	setup  string           // "sha256:..."; "" without a setup
	seeds  map[int64]string // hexadecimal
}

// Fingerprint is the digest of all that a training of these options depends
// on: command, setup, inputs, seeds and platform. Equal fingerprints mean that
// the training need not be made again.
func Fingerprint(ctx context.Context, o Options) (string, error) {
	o.Observer = nil // Train tells what there is to tell
	if err := o.complete(); err != nil {
		return "", err
	}
	if err := o.describe(ctx); err != nil {
		return "", err
	}
	entries, err := o.list(ctx)
	if err != nil {
		return "", err
	}
	k, err := o.digest(ctx, o.original, entries)
	if err != nil {
		return "", err
	}
	parts := []any{"dosirak/training/v2"}
	for _, seed := range o.Seeds {
		parts = append(parts, k.seeds[seed])
	}
	return digest.Prefix + sum(parts...), nil
}

// Inputs are the files that a training of these options depends on, as they are
// now.
func Inputs(ctx context.Context, o Options) ([]Input, error) {
	o.Observer = nil
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := o.describe(ctx); err != nil {
		return nil, err
	}
	entries, err := o.list(ctx)
	if err != nil {
		return nil, err
	}
	k, err := o.digest(ctx, o.original, entries)
	return k.inputs, err
}

// digest reads what the training depends on, where place says.
func (o *Options) digest(ctx context.Context, place func(entry) string, entries []entry) (keys, error) {
	var k keys
	var setupInputs []Input
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return keys{}, err
		}
		input := Input{Path: e.path}
		switch {
		case e.mode&fs.ModeSymlink != 0:
			input.Digest, input.Kind = digest.Of([]byte(e.link)), "link"
		default:
			var err error
			if input.Digest, err = digestFile(place(e)); err != nil {
				return keys{}, fault.Environment(fmt.Errorf("reading what the training depends on: %w", err))
			}
			if e.mode&0o111 != 0 {
				input.Kind = "executable"
			}
		}
		k.inputs = append(k.inputs, input)
		if o.isSetup(e.path) {
			setupInputs = append(setupInputs, input)
		}
	}
	if _, inside := o.dataInside(); o.Data != "" && !inside {
		inputs, err := outside(o.Data)
		if err != nil {
			return keys{}, err
		}
		k.inputs = append(k.inputs, inputs...)
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if strings.TrimSpace(o.Setup) != "" {
		k.setup = digest.Prefix + sum("dosirak/setup/v2", o.Setup, platform, setupInputs, o.Runtime.Executor, o.Runtime.versions())
	}
	k.seeds = map[int64]string{}
	for _, seed := range o.Seeds {
		k.seeds[seed] = sum(keySchema, o.Command, seed, k.inputs, k.setup, platform, o.Runtime)
	}
	return k, nil
}

// asStored are the inputs with the digests of what Git stores: the keys are of
// the bytes that a replicate sees, but whoever compares two trainings of two
// clones must not take their line endings for a change.
func (t *training) asStored(ctx context.Context) ([]Input, error) {
	repo, err := git.Open(ctx, t.Dir)
	if errors.Is(err, git.ErrNoRepository) {
		return t.keys.inputs, nil
	}
	if err != nil {
		return nil, t.gitError(ctx, err)
	}
	var names []string
	for _, e := range t.entries {
		if e.link == "" && (e.source == "" || e.source == in(t.Dir)(e)) {
			names = append(names, e.path)
		}
	}
	if len(names) == 0 {
		return t.keys.inputs, nil
	}
	stored, err := repo.Stored(ctx, names...)
	if err != nil {
		return nil, t.gitError(ctx, err)
	}
	inputs := slices.Clone(t.keys.inputs)
	for i := range inputs {
		if content, converted := stored[inputs[i].Path]; converted {
			inputs[i].Digest = digest.Of(content)
		}
	}
	return inputs, nil
}

// checkInputs finds patterns that match nothing: a misspelt one would let a
// changed file go unnoticed.
func (o *Options) checkInputs(entries []entry) error {
	for _, pattern := range o.Inputs {
		if err := checkGlob(pattern); err != nil {
			return err
		}
		if !slices.ContainsFunc(entries, func(e entry) bool { return glob(pattern, e.path) }) {
			return fault.BadInputs.Usage(fmt.Errorf("train.inputs: %q matches no file of the working copy: mend the pattern, or add the file to Git (ignored files count only where they are named in full)", pattern))
		}
	}
	return nil
}

// outside digests training data that lies outside the project.
func outside(path string) ([]Input, error) {
	var inputs []Input
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		digest, err := digestFile(name)
		inputs = append(inputs, Input{Path: filepath.ToSlash(name), Digest: digest})
		return err
	})
	if err != nil {
		return nil, fault.TrainingDataAbsent.Usage(fmt.Errorf("reading the training data: %w: mend data.train, or name in data.fetch the command that brings it", err))
	}
	return inputs, nil
}

// sum is the hexadecimal digest of values as JSON, which keeps them apart.
func sum(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("encoding strings, numbers and slices of them: %v", err))
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}
