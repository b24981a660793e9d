// Package train is the action that trains one replicate, or several, and
// leaves the models with the record of their training for another job to
// judge.
package train

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Train trains replicates with what this machine gives.
type Train func(ctx context.Context, p *project.Project, asked pipeline.Request, seeds []int64) (pipeline.Training, error)

// Action returns the action.
func Action(train Train) runner.Action {
	return runner.Action{
		Name:    "train",
		Short:   "Train replicates and leave the models for another job to judge",
		Inputs:  []string{"seeds", "directory", "config", "out", "fresh"},
		Outputs: []string{"out", "run", "seeds", "reproduces"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			var seeds []int64
			for _, text := range j.List("seeds") {
				seed, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return 0, fault.BadValue.Usage(fmt.Errorf("input seeds names %q, which is no whole number", text))
				}
				seeds = append(seeds, seed)
			}
			fresh, err := j.Bool("fresh")
			if err != nil {
				return 0, err
			}
			out := j.Input("out")
			if out == "" {
				return 0, fault.Usage(errors.New("input out is empty: name the folder that gets the models"))
			}
			p, err := j.Open(ctx, j.Input("directory"), j.Input("config"))
			if err != nil {
				return 0, err
			}
			t, err := train(ctx, p, pipeline.Request{Fresh: fresh}, seeds)
			if err != nil {
				return 0, err
			}
			if err := pipeline.Carry(p, t, out); err != nil {
				return 0, err
			}
			var trained []string
			for _, s := range t.Seeds {
				trained = append(trained, strconv.FormatInt(s.Seed, 10))
			}
			fmt.Fprintf(j.Out, "%s: %s\n", t.Verdict, t.Reason)
			// Whether it reproduces is judged with the rest, from the models: here
			// it would be the change's own word.
			return 0, j.SetAll(map[string]string{"out": out, "run": t.Run, "seeds": strings.Join(trained, ","), "reproduces": string(t.Verdict)})
		},
	}
}
