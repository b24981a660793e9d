package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestOf(t *testing.T) {
	t.Parallel()
	const pass, fail, inconclusive = verdict.Pass, verdict.Fail, verdict.Inconclusive
	metric := func(v verdict.Verdict) verdict.Gate { return verdict.Gate{Name: "metric", Verdict: v, Asked: true} }
	informs := func(v verdict.Verdict) verdict.Gate { return verdict.Gate{Name: "proof", Verdict: v} }
	alarm := func(v verdict.Verdict) verdict.Gate { return verdict.Gate{Name: "slice", Verdict: v, Alarm: true} }
	for _, tt := range []struct {
		name  string
		gates []verdict.Gate
		want  verdict.Verdict
	}{
		{"no gate at all", nil, inconclusive},
		{"only gates that were not judged", []verdict.Gate{informs(""), alarm("")}, inconclusive},
		{"all pass", []verdict.Gate{metric(pass), informs(pass), alarm(pass)}, pass},
		{"one cannot tell", []verdict.Gate{metric(pass), metric(inconclusive)}, inconclusive},
		{"FAIL is worse than INCONCLUSIVE", []verdict.Gate{metric(inconclusive), metric(fail), metric(pass)}, fail},
		{"asked for and not judged", []verdict.Gate{metric(pass), metric("")}, inconclusive},
		{"not asked for and not judged", []verdict.Gate{metric(pass), informs("")}, pass},
		{"a silent alarm", []verdict.Gate{metric(pass), alarm(inconclusive)}, pass},
		{"a ringing alarm", []verdict.Gate{metric(pass), alarm(fail)}, fail},
		{"silent alarms alone judge nothing", []verdict.Gate{alarm(pass), alarm(inconclusive)}, inconclusive},
		{"a verdict that does not exist", []verdict.Gate{metric(pass), metric("PASSED")}, fail},
		{"nor as an alarm", []verdict.Gate{metric(pass), alarm("PASSED")}, fail},
	} {
		assert.Equal(t, tt.want, verdict.Of(tt.gates), tt.name)
	}
}
