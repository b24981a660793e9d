package runner

import (
	"encoding/json"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Target is a model in an environment, as the action plan puts it into a matrix.
type Target struct {
	Directory, Model, Environment, Change string
}

// Targets returns an input that is a matrix of the action plan, so that one job
// can do in turn what would be a job each; none where the input is empty.
func (j *Job) Targets(name string) ([]Target, error) {
	text := j.Input(name)
	if text == "" {
		return nil, nil
	}
	var matrix struct{ Include []Target }
	if err := json.Unmarshal([]byte(text), &matrix); err != nil {
		return nil, fault.BadValue.Usage(fmt.Errorf("input %s is no matrix of the action plan: %w", name, err))
	}
	return matrix.Include, nil
}
