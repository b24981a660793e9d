package evidence_test

import (
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
)

// A packed file has the same bytes for the same content, so that a promotion
// that is made again changes nothing.
func ExamplePack() {
	content := []byte(strings.Repeat("id,label,score\n", 1000))
	packed, err := evidence.Pack(content)
	if err != nil {
		fmt.Println(err)
		return
	}
	unpacked, err := evidence.Unpack(packed)
	fmt.Println(len(content), len(packed) < 200, string(unpacked) == string(content), err)
	// Output:
	// 15000 true true <nil>
}
