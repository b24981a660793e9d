package compare

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// world is a population from which rows are drawn: two models, of which the
// candidate is a little worse.
type world struct {
	task     exam.Task
	n        int
	groups   int     // 0: independent rows; else n rows in so many groups of unequal sizes
	weighted bool    // lognormal sampling weights that depend on the row
	bias     float64 // of the label's logit: rare positives
	worse    float64 // noise of the candidate's logit, or scale of its errors, over the baseline's
	sharp    float64 // factor of the logits: over-confidence makes heavy tails
	tail     string  // errors of a regression: normal, lognormal, t3
	discord  float64 // share of rows on which the models disagree (hits only)
}

func (w world) draw(r *rand.Rand, n, groups int) *pair {
	cand := &metric.Data{Task: w.task, N: n, Classes: []string{"0", "1"}, Positive: 1}
	base := &metric.Data{Task: w.task, N: n, Classes: []string{"0", "1"}, Positive: 1}
	p := &pair{cand: cand, base: base}
	type effect struct{ z, c, b float64 }
	var effects []effect
	if w.groups > 0 {
		p.groups = groups
		p.group = make([]int32, n)
		sizes := make([]float64, groups)
		var total float64
		for g := range sizes {
			sizes[g] = math.Exp(0.7 * r.NormFloat64())
			total += sizes[g]
			effects = append(effects, effect{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()})
		}
		g, upTo := 0, sizes[0]
		for i := range n {
			for float64(i)+0.5 > upTo/total*float64(n) && g < groups-1 {
				g++
				upTo += sizes[g]
			}
			p.group[i] = int32(g)
		}
		p.compact()
	}
	if w.weighted {
		cand.Weight = make([]float64, n)
	}
	if w.task == exam.Regression {
		cand.Target, cand.Value, base.Value = make([]float64, n), make([]float64, n), make([]float64, n)
		base.Target = cand.Target
	} else {
		cand.Label, cand.Pred, base.Pred = make([]int32, n), make([]int32, n), make([]int32, n)
		cand.Score, base.Score = make([]float64, n), make([]float64, n)
		base.Label = cand.Label
	}
	for i := range n {
		var e effect
		if w.groups > 0 {
			e = effects[p.group[i]]
			e.z, e.c, e.b = 0.6*e.z, 0.5*e.c, 0.5*e.b
		}
		z := r.NormFloat64() + e.z
		if w.weighted {
			cand.Weight[i] = math.Exp(0.8*r.NormFloat64() + 0.3*z)
		}
		if w.task == exam.Regression {
			eb := w.noise(r) + 0.3*e.b
			cand.Target[i] = 10 + 3*z
			base.Value[i] = cand.Target[i] + eb
			cand.Value[i] = cand.Target[i] + w.worse*(0.8*eb+0.6*(w.noise(r)+0.3*e.c))
			continue
		}
		u := r.Float64()
		if 1.5*z+w.bias+math.Log(u/(1-u)) > 0 {
			cand.Label[i] = 1
		}
		lb := w.sharp * (1.2*z + w.bias + 0.5*r.NormFloat64() + e.b)
		lc := w.sharp * (1.2*z + w.bias + w.worse*r.NormFloat64() + e.c)
		if w.discord > 0 {
			lc = lb
			if r.Float64() < w.discord {
				lc = -lb
				if (lb > 0) != (cand.Label[i] == 1) && r.Float64() < 0.9 {
					lc = lb // the candidate rarely mends what the baseline misses
				}
			}
		}
		base.Score[i], cand.Score[i] = 1/(1+math.Exp(-lb)), 1/(1+math.Exp(-lc))
		cut := w.sharp * math.Min(0.6*w.bias, 0)
		if lb > cut {
			base.Pred[i] = 1
		}
		if lc > cut {
			cand.Pred[i] = 1
		}
	}
	base.Weight = cand.Weight
	return p
}

// compact renumbers groups so that none is empty.
func (p *pair) compact() {
	number := map[int32]int32{}
	for i, g := range p.group {
		if _, ok := number[g]; !ok {
			number[g] = int32(len(number))
		}
		p.group[i] = number[g]
	}
	p.groups = len(number)
}

func (w world) noise(r *rand.Rand) float64 {
	switch w.tail {
	case "lognormal":
		return math.Exp(1.2*r.NormFloat64()) - 1
	case "t3":
		return r.NormFloat64() / math.Sqrt((sq(r.NormFloat64())+sq(r.NormFloat64())+sq(r.NormFloat64()))/3)
	}
	return r.NormFloat64()
}

// exchange swaps both models' answers row by row (group by group) at random,
// so that they are equally good whatever they were.
func (p *pair) exchange(r *rand.Rand) {
	coin := make([]bool, p.units())
	for i := range coin {
		coin[i] = r.IntN(2) == 0
	}
	c, b := p.cand, p.base
	for i := range c.N {
		u := i
		if p.group != nil {
			u = int(p.group[i])
		}
		if !coin[u] {
			continue
		}
		if c.Pred != nil {
			c.Pred[i], b.Pred[i] = b.Pred[i], c.Pred[i]
			if c.Score != nil {
				c.Score[i], b.Score[i] = b.Score[i], c.Score[i]
			}
		} else {
			c.Value[i], b.Value[i] = b.Value[i], c.Value[i]
		}
	}
}

// population is where rows are drawn from: two models, the candidate worse by
// exactly what the margin is, or one at exactly its floor.
type population struct {
	kind, name string
	metric     string
	relative   bool
	floor      bool // of the candidate's value alone
	rows       string
	draw       func(r *rand.Rand) *pair
	// truth of the improvement (or value), by construction; else that of large.
	truth float64
	large func(r *rand.Rand, n int) *pair
	// exchange: also draw equally good models, to see how often they FAIL.
	exchange bool
}

func (c population) question(t testing.TB) question {
	m, err := metric.Lookup(c.metric)
	require.NoError(t, err)
	return question{metric: m, direction: m.Direction, confidence: 0.95}
}

// known returns the true improvement, or value.
func (c population) known(t testing.TB, q question, rows int, seed uint64) float64 {
	if c.large == nil {
		return c.truth
	}
	big := c.large(rand.New(rand.NewPCG(seed, 0)), rows)
	vc := q.metric.Compute(big.cand)
	require.True(t, vc.Defined(), vc.Reason)
	if c.floor {
		return vc.V // oriented where it is used
	}
	vb := q.metric.Compute(big.base)
	require.True(t, vb.Defined(), vb.Reason)
	truth := q.sign() * (vc.V - vb.V)
	if c.relative {
		truth /= vb.V
	}
	return truth
}

// outcome counts, over the repetitions, at a true loss equal to the margin.
type outcome struct {
	reps               int
	pass, fail, cannot int // PASS is a false one: low > truth
	equal, equalFail   int // FAIL of two models that are equally good
	// power is how often low exceeds a limit two standard errors under the
	// truth, best how often it would if the standard error were known.
	power, best int
	// unchanged is how often equally good models pass at the mde, the median of
	// those that the samples give.
	unchanged int
	method    string
}

// answer is what one repetition says: bounds, the point, and whether a PASS or
// a FAIL would be given.
type answer struct {
	low, high, point float64
	bounded, mayPass bool
	equal, equalHigh bool
	equalLow, mde    float64
	method           string
}

func (c population) ask(q question, r *rand.Rand) answer {
	p := c.draw(r)
	var e estimate
	if c.floor {
		e = p.valueOf(q.metric, q.confidence)
	} else {
		e = p.ask(q)
	}
	a := answer{low: e.low, high: e.high, point: e.point, bounded: e.bounded && e.reason == "", mayPass: e.noPass == "", method: e.method}
	if q.metric.Direction == exam.Lower && c.floor {
		a.low, a.high, a.point = -e.high, -e.low, -e.point
	}
	return a
}

func (c population) run(t testing.TB, reps, truthRows int, seed uint64) outcome {
	q := c.question(t)
	truth := c.known(t, q, truthRows, seed)
	if !c.floor {
		q.margin = &exam.Margin{Value: math.Max(-truth, 0), Relative: c.relative}
	} else if q.metric.Direction == exam.Lower {
		truth = -truth
	}
	answers := make([]answer, reps)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < reps; i += workers {
				r := rand.New(rand.NewPCG(seed, uint64(i+1)))
				answers[i] = c.ask(q, r)
				if i%4 != 0 || !c.exchange {
					continue // a quarter is enough to show what hardly happens
				}
				p := c.draw(r)
				p.exchange(r)
				e := p.ask(q)
				answers[i].equal = true
				answers[i].equalLow, answers[i].mde = math.Inf(-1), math.NaN()
				if e.bounded {
					answers[i].mde = e.mde(1)
					if e.noPass == "" {
						answers[i].equalLow = e.low
					}
				}
				answers[i].equalHigh = e.bounded && e.reason == "" && e.high < truth
			}
		})
	}
	wg.Wait()
	return tally(answers, truth)
}

func tally(answers []answer, truth float64) outcome {
	out := outcome{reps: len(answers)}
	var m moments
	for _, a := range answers {
		m.add(a.point)
	}
	se := m.sd()
	var mdes []float64
	for _, a := range answers {
		if a.equal && !math.IsNaN(a.mde) {
			mdes = append(mdes, a.mde)
		}
	}
	slices.Sort(mdes)
	mde := math.NaN()
	if len(mdes) > 0 {
		mde = mdes[len(mdes)/2]
	}
	for _, a := range answers {
		switch {
		case !a.bounded || (a.low > truth && !a.mayPass):
			out.cannot++
		case a.low > truth:
			out.pass++
		case a.high < truth:
			out.fail++
		}
		if a.bounded && a.mayPass && a.low > truth-2*se {
			out.power++
		}
		if a.point-normalQuantile(0.95)*se > truth-2*se {
			out.best++
		}
		if a.equal {
			out.equal++
		}
		if a.equal && a.equalLow > -mde {
			out.unchanged++
		}
		if a.equalHigh {
			out.equalFail++
		}
		if len(a.method) > len(out.method) {
			out.method = a.method
		}
	}
	return out
}

// simulated is a population of a world.
type simulated struct {
	name     string
	metric   string
	relative bool
	world
}

func (c simulated) population(kind string) population {
	rows := fmt.Sprint(c.n)
	if c.groups > 0 {
		rows += fmt.Sprintf(" in %d groups", c.groups)
	}
	return population{kind: kind, name: c.name, metric: c.metric, relative: c.relative, rows: rows, exchange: true,
		draw: func(r *rand.Rand) *pair { return c.world.draw(r, c.n, c.groups) },
		large: func(r *rand.Rand, n int) *pair {
			scale := 1
			if c.groups > 0 {
				scale = n / c.n
			}
			return c.world.draw(r, n, max(c.groups*scale, 1))
		}}
}

var cls, reg = exam.Binary, exam.Regression

// cells are the rows of the table in docs/statistics.md.
var simulations = []simulated{
	{"Tango, rare discordance", "accuracy", false, world{task: cls, n: 200, sharp: 1, discord: 0.02}},
	{"Tango", "accuracy", false, world{task: cls, n: 500, sharp: 1, worse: 0.9}},
	{"Nam-Blackwelder, rare discordance", "accuracy", true, world{task: cls, n: 200, sharp: 1, discord: 0.02}},
	{"Nam-Blackwelder", "accuracy", true, world{task: cls, n: 500, sharp: 1, worse: 0.9}},
	{"accuracy, weighted", "accuracy", false, world{task: cls, n: 500, sharp: 1, worse: 0.9, weighted: true}},
	{"accuracy, weighted, rare discordance", "accuracy", false, world{task: cls, n: 300, sharp: 1, discord: 0.02, weighted: true}},
	{"accuracy, 40 groups", "accuracy", false, world{task: cls, n: 800, groups: 40, sharp: 1, worse: 0.9}},
	{"accuracy, 10 groups", "accuracy", false, world{task: cls, n: 300, groups: 10, sharp: 1, worse: 0.9}},
	{"accuracy, 20 groups, rare discordance", "accuracy", false, world{task: cls, n: 300, groups: 20, sharp: 1, discord: 0.02}},
	{"recall, rare positives", "recall", false, world{task: cls, n: 1000, sharp: 1, bias: -3, worse: 0.9}},
	{"DeLong", "roc_auc", false, world{task: cls, n: 300, sharp: 1, worse: 0.9}},
	{"DeLong, relative", "roc_auc", true, world{task: cls, n: 300, sharp: 1, worse: 0.9}},
	{"DeLong, rare positives", "roc_auc", false, world{task: cls, n: 1000, sharp: 1, bias: -4.5, worse: 0.9}},
	{"DeLong, weighted", "roc_auc", false, world{task: cls, n: 500, sharp: 1, worse: 0.9, weighted: true}},
	{"Obuchowski, 40 groups", "roc_auc", false, world{task: cls, n: 800, groups: 40, sharp: 1, worse: 0.9}},
	{"Obuchowski, 10 groups", "roc_auc", false, world{task: cls, n: 300, groups: 10, sharp: 1, worse: 0.9}},
	{"paired t, log loss", "log_loss", false, world{task: cls, n: 300, sharp: 1, worse: 0.9}},
	{"paired t, log loss, relative", "log_loss", true, world{task: cls, n: 300, sharp: 1, worse: 0.9}},
	{"paired t, Brier, weighted", "brier", false, world{task: cls, n: 500, sharp: 1, worse: 0.9, weighted: true}},
	{"paired t, Brier, 10 groups", "brier", false, world{task: cls, n: 300, groups: 10, sharp: 1, worse: 0.9}},
	{"log loss, over-confident", "log_loss", false, world{task: cls, n: 300, sharp: 4, worse: 0.9}},
	{"log loss, over-confident, relative", "log_loss", true, world{task: cls, n: 300, sharp: 4, worse: 0.9}},
	{"log loss, rare positives", "log_loss", false, world{task: cls, n: 1000, sharp: 1, bias: -4.5, worse: 0.9}},
	{"MAE, lognormal errors", "mae", false, world{task: reg, n: 200, tail: "lognormal", worse: 1.1}},
	{"MSE, lognormal errors", "mse", false, world{task: reg, n: 1000, tail: "lognormal", worse: 1.1}},
	{"MAE, t3 errors, weighted", "mae", false, world{task: reg, n: 500, tail: "t3", worse: 1.1, weighted: true}},
	{"RMSE", "rmse", false, world{task: reg, n: 300, tail: "normal", worse: 1.05}},
	{"RMSE, relative", "rmse", true, world{task: reg, n: 300, tail: "normal", worse: 1.05}},
	{"RMSE, t3 errors", "rmse", false, world{task: reg, n: 1000, tail: "t3", worse: 1.1}},
	{"MAE, lognormal errors, 40 groups", "mae", false, world{task: reg, n: 800, groups: 40, tail: "lognormal", worse: 1.1}},
	{"MSE, lognormal errors, 40 groups", "mse", false, world{task: reg, n: 4000, groups: 40, tail: "lognormal", worse: 1.1}},
	{"MSE, t3 errors, 40 groups", "mse", false, world{task: reg, n: 4000, groups: 40, tail: "t3", worse: 1.1}},
	{"RMSE, 40 groups", "rmse", false, world{task: reg, n: 800, groups: 40, tail: "normal", worse: 1.1}},
	{"R²", "r2", false, world{task: reg, n: 300, tail: "normal", worse: 1.1}},
	{"median AE", "median_ae", false, world{task: reg, n: 500, tail: "normal", worse: 1.1}},
	{"F1", "f1", false, world{task: cls, n: 300, sharp: 1, bias: -1, worse: 0.9}},
	{"F1, relative", "f1", true, world{task: cls, n: 300, sharp: 1, bias: -1, worse: 0.9}},
	{"F1, rare positives", "f1", false, world{task: cls, n: 1000, sharp: 1, bias: -4, worse: 0.9}},
	{"MCC", "mcc", false, world{task: cls, n: 300, sharp: 1, bias: -1, worse: 0.9}},
	{"F1, delta", "f1", false, world{task: cls, n: 6000, sharp: 1, bias: -3, worse: 0.7}},
	{"F1, weighted", "f1", false, world{task: cls, n: 500, sharp: 1, bias: -1, worse: 0.9, weighted: true}},
	{"F1, 40 groups", "f1", false, world{task: cls, n: 800, groups: 40, sharp: 1, bias: -1, worse: 0.9}},
	{"average precision", "pr_auc", false, world{task: cls, n: 500, sharp: 1, bias: -1, worse: 0.9}},
	{"average precision, rare positives", "pr_auc", false, world{task: cls, n: 1000, sharp: 1, bias: -4, worse: 0.9}},
}

// populations are all rows of the table, by kind.
func populations() []population {
	var all []population
	for _, c := range simulations {
		all = append(all, c.population("usual"))
	}
	return append(all, kinds()...)
}

// TestSimulation is the short form: every kind of population, few repetitions,
// a false PASS no more often than chance allows. DOSIRAK_SIMULATE=N repeats N
// times, asks the same of N, and prints the table of docs/statistics.md;
// DOSIRAK_SIMULATE_TABLE names a file for it.
func TestSimulation(t *testing.T) {
	long, _ := strconv.Atoi(os.Getenv("DOSIRAK_SIMULATE"))
	reps, truthRows := 100, 200_000
	if slow || testing.Short() {
		reps, truthRows = 4, 100_000
	}
	if long > 0 {
		reps, truthRows = long, 4_000_000
	}
	var table strings.Builder
	for _, c := range populations() {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			if long == 0 {
				t.Parallel()
			}
			o := c.run(t, reps, truthRows, seedFor(1000, c.kind, c.name))
			rate := func(k int) float64 { return float64(k) / float64(o.reps) }
			chance := func(p float64) float64 { return math.Sqrt(p * (1 - p) / float64(o.reps)) }
			switch {
			case long > 0:
				assert.LessOrEqual(t, rate(o.pass), 0.05+2*chance(0.05)+0.001, "false PASS")
			case reps > 50:
				// What the truth's own error adds, too.
				assert.LessOrEqual(t, rate(o.pass), 0.06+3.5*chance(0.05), "false PASS")
			}
			equal, unchanged := "-", "-"
			if o.equal > 0 {
				equal = fmt.Sprintf("%.1f %%", 100*float64(o.equalFail)/float64(o.equal))
				unchanged = fmt.Sprintf("%.0f %%", 100*float64(o.unchanged)/float64(o.equal))
			}
			line := fmt.Sprintf("| %s | %s | %s | %s | %s | %.1f %% | %.1f %% | %.1f %% | %.0f %% | %.0f %% | %s | %s |\n", c.kind, c.name, c.metric, c.rows, o.method,
				100*rate(o.pass), 100*rate(o.fail), 100*rate(o.cannot), 100*rate(o.power), 100*rate(o.best), equal, unchanged)
			if long > 0 { // then one population after the other
				fmt.Print(line)
				table.WriteString(line)
			}
		})
	}
	if file := os.Getenv("DOSIRAK_SIMULATE_TABLE"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(table.String()), 0o600))
	}
}

// seedFor gives each population its own stream, whatever others there are.
func seedFor(seed uint64, parts ...string) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		// Writing to a hash never fails.
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return seed ^ h.Sum64()
}
