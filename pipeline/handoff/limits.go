package handoff

import (
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/artifact"
)

// Limits bounds what another workflow's run may leave to be judged.
// One artifact holds one seed, the first of them twice: two models, their
// histories and predictions, and training.json. What all unpack to has to fit on a runner's disk
// beside its copy (14 GB are promised; docs.github.com, "GitHub-hosted runners
// reference").
func Limits() artifact.Limits {
	const seed = 2*(bundle.MaxModel+2*maxSideFile) + maxTrainingFile
	return artifact.Limits{Artifacts: maxReplicates, Archive: seed, Entries: 16, File: bundle.MaxModel, Total: 6 << 30}
}
