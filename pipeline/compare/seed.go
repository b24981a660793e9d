package compare

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// SeedOf makes the seed of all resampling from what is compared: the exam and
// the digests of the candidate's and the baseline's predictions. The same
// comparison draws the same numbers, and nobody can choose them by the result.
func SeedOf(e exam.Exam, predictions ...string) uint64 {
	text := e.Digest()
	for _, digest := range predictions {
		text += digest
	}
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:8])
}
