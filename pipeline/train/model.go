package train

import "github.com/dosirak-ml/dosirak/model-server/bundle"

// compareModels names the places at which two model files differ, what they
// compute first. same says that the bytes differ and the content does not.
func compareModels(a, b []byte) (differences []bundle.Difference, same bool, err error) {
	comparison, err := bundle.CompareModels(a, b)
	return comparison.Differences, comparison.Outcome == bundle.SameContent, err
}
