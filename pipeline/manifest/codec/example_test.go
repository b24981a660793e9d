package codec_test

import (
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// The manifest is the file whose change in Git is the promotion.
func ExampleFormat() {
	text, err := codec.Format(manifest.Manifest{
		Schema: manifest.Schema, Model: "flights-delay", Environment: "production",
		Bundle: "sha256:" + strings.Repeat("a", 64), Verdict: verdict.Pass, Exam: "sha256:" + strings.Repeat("e", 64),
		Commit: "12e4567", Sources: manifest.Sources{Bundle: "deploy/bundles/aaaaaaaaaaaa"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// # Merging a change of this file promotes the model that it names;
	// # reverting that change rolls back. Written by dosirak.
	// schema: dosirak/manifest/v1
	// model: flights-delay
	// environment: production
	// bundle: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	// verdict: PASS
	// improved: false
	// metrics: []
	// exam: sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
	// commit: "12e4567"
	// sources:
	//   bundle: deploy/bundles/aaaaaaaaaaaa
}

// What is wrong is said with its place.
func ExampleParse() {
	_, err := codec.Parse("deploy/production.yaml", []byte("schema: dosirak/manifest/v1\nbundel: sha256:0\n"))
	fmt.Println(strings.Split(err.Error(), "\n")[0])
	// Output:
	// deploy/production.yaml:2:1: unknown key "bundel"; did you mean "bundle"?
}
