package evaluate

import (
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// Reads names the columns of a table that a model's inputs take, in their
// order; a column that several take is named once for each.
func Reads(t *dataset.Table, s bundle.Signature, data exam.Data) ([]string, error) {
	sources, err := match(t, s, data)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, source := range sources {
		for _, c := range source.columns {
			names = append(names, c.Name())
		}
	}
	return names, nil
}
