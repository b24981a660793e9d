package verdict_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// The verdict of a run is that of its worst gate. An alarm binds only when it
// rings, and a gate that was asked for and not judged is INCONCLUSIVE.
func ExampleOf() {
	gates := []verdict.Gate{
		{Name: "roc_auc", Verdict: verdict.Pass, Asked: true},
		{Name: "origin = EWR", Verdict: verdict.Inconclusive, Alarm: true},
	}
	fmt.Println(verdict.Of(gates))
	gates = append(gates, verdict.Gate{Name: "log_loss", Asked: true})
	fmt.Println(verdict.Of(gates))
	gates = append(gates, verdict.Gate{Name: "smoke test", Verdict: verdict.Fail})
	fmt.Println(verdict.Of(gates))
	fmt.Println(verdict.Of(nil))
	// Output:
	// PASS
	// INCONCLUSIVE
	// FAIL
	// INCONCLUSIVE
}
