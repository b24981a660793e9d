package train

import (
	"context"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/toolchain"
)

// Runtime is what replicates run with. It is part of every key: the same inputs
// with another library, or another number of threads, are another training.
type Runtime struct {
	Executor string           `json:"executor"` // "host", or the digest of an image
	Threads  []string         `json:"threads"`  // the variables that limit them, NAME=value
	Tools    []toolchain.Tool `json:"tools"`
}

// Cores is the number of threads that a replicate is given; "" where the user
// set the variables one by one to different numbers.
func (r Runtime) Cores() string {
	number := ""
	for _, variable := range r.Threads {
		_, value, _ := strings.Cut(variable, "=")
		if number != "" && value != number {
			return ""
		}
		number = value
	}
	return number
}

// versions are the tools without their packages: what a setup builds upon.
func (r Runtime) versions() []string {
	var out []string
	for _, t := range r.Tools {
		out = append(out, t.Name+" "+t.Version)
	}
	return out
}

// Describe looks at what a training of these options runs with.
func Describe(ctx context.Context, o Options) (Runtime, error) {
	o.Observer = nil // Train tells what there is to tell
	if err := o.complete(); err != nil {
		return Runtime{}, err
	}
	names, err := o.names(ctx)
	if err != nil {
		return Runtime{}, err
	}
	trainings := len(o.Seeds)
	if o.Prove {
		trainings++
	}
	r := Runtime{Executor: o.Executor.Identity(), Threads: threads(o.Env, share(min(o.Parallel, trainings))), Tools: []toolchain.Tool{}}
	if _, here := o.Executor.(Host); here {
		command := toolchain.Command{Text: o.Command + "\n" + o.Setup, Dir: o.Dir, Env: o.Env, Files: slices.DeleteFunc(names, o.isOwn)}
		r.Tools = append(r.Tools, toolchain.Find(ctx, command)...)
	}
	return r, ctx.Err()
}

// describe fills in what the caller did not look at.
func (o *Options) describe(ctx context.Context) error {
	if o.Runtime != nil {
		return nil
	}
	r, err := Describe(ctx, *o)
	o.Runtime = &r
	return err
}
