package digest_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
)

func ExampleOf() {
	name := digest.Of([]byte("abc"))
	fmt.Println(name)
	fmt.Println(digest.Short(name))
	// Output:
	// sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
	// ba7816bf8f01
}
