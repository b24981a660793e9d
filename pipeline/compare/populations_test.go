package compare

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// Populations in which the usual intervals break, by kind. The effect is exactly
// at the margin by construction, or by the value of a very large sample.

// binaryPair returns an empty pair of a binary task.
func binaryPair(n int) *pair {
	d := func() *metric.Data {
		return &metric.Data{Task: exam.Binary, N: n, Classes: []string{"0", "1"}, Positive: 1,
			Label: make([]int32, n), Pred: make([]int32, n), Score: make([]float64, n)}
	}
	p := &pair{cand: d(), base: d()}
	p.base.Label = p.cand.Label
	return p
}

// multiclassPair returns an empty pair of a task of k classes.
func multiclassPair(n, k int) *pair {
	d := func() *metric.Data {
		x := &metric.Data{Task: exam.Multiclass, N: n, Label: make([]int32, n), Pred: make([]int32, n)}
		for c := range k {
			x.Classes = append(x.Classes, fmt.Sprint(c))
		}
		return x
	}
	p := &pair{cand: d(), base: d()}
	p.base.Label = p.cand.Label
	return p
}

// rareClass: classes of the given numbers of rows; the baseline errs on a share
// err of all but the last, on which both agree but for the discordant share,
// which each gains as often as it loses; of the last the candidate loses a share.
type rareClass struct {
	sizes        []int
	err, discord float64
	loss         float64
}

func (w rareClass) draw(r *rand.Rand, times int) *pair {
	n := 0
	for _, s := range w.sizes {
		n += s * times
	}
	k := len(w.sizes)
	p := multiclassPair(n, k)
	i := 0
	for c, s := range w.sizes {
		for range s * times {
			wrong := func() int32 { return int32((c + 1 + r.IntN(k-1)) % k) }
			label := int32(c)
			b := label
			if c < k-1 && r.Float64() < w.err {
				b = wrong()
			}
			cand := b
			switch {
			case c == k-1:
				if r.Float64() < w.loss {
					cand = wrong()
				}
			case r.Float64() < w.discord:
				b, cand = label, wrong()
				if r.IntN(2) == 0 {
					b, cand = cand, b
				}
			}
			p.cand.Label[i], p.cand.Pred[i], p.base.Pred[i] = label, cand, b
			i++
		}
	}
	return p
}

func (w rareClass) population(name, metric string, floor bool) population {
	n := 0
	for _, s := range w.sizes {
		n += s
	}
	return population{kind: "rare class", name: name, metric: metric, floor: floor, exchange: !floor,
		rows:  fmt.Sprintf("%d, rarest class %d", n, w.sizes[len(w.sizes)-1]),
		draw:  func(r *rand.Rand) *pair { return w.draw(r, 1) },
		large: func(r *rand.Rand, rows int) *pair { return w.draw(r, rows/n) }}
}

// binormal: scores of two classes at distances apart, correlated by rho.
type binormal struct {
	pos, neg   int
	aucB, aucC float64
	rho        float64
	cut        float64 // of the decision, in standard deviations over the negatives' mean
}

func (w binormal) draw(r *rand.Rand, times int) *pair {
	n := (w.pos + w.neg) * times
	p := binaryPair(n)
	db, dc := math.Sqrt2*normalQuantile(w.aucB), math.Sqrt2*normalQuantile(w.aucC)
	for i := range n {
		var sb, sc float64
		if i < w.pos*times {
			p.cand.Label[i] = 1
			sb, sc = db, dc
		}
		u, v := r.NormFloat64(), r.NormFloat64()
		sb += u
		sc += w.rho*u + math.Sqrt(1-w.rho*w.rho)*v
		p.base.Score[i], p.cand.Score[i] = normalCDF(sb-db/2), normalCDF(sc-dc/2)
		if sb > w.cut {
			p.base.Pred[i] = 1
		}
		if sc > w.cut {
			p.cand.Pred[i] = 1
		}
	}
	return p
}

func (w binormal) population(kind, name, metric string, floor bool) population {
	c := population{kind: kind, name: name, metric: metric, floor: floor, exchange: !floor,
		rows: fmt.Sprintf("%d, %d positive", w.pos+w.neg, w.pos),
		draw: func(r *rand.Rand) *pair { return w.draw(r, 1) }}
	switch {
	case metric == "roc_auc" && floor:
		c.truth = w.aucC
	case metric == "roc_auc":
		c.truth = w.aucC - w.aucB
	default:
		c.large = func(r *rand.Rand, rows int) *pair { return w.draw(r, rows/(w.pos+w.neg)) }
	}
	return c
}

// sinking: the candidate is the baseline, its scores moved by a jitter, but that
// a share of the positives sinks to the bottom.
type sinking struct {
	n      int
	pi     float64 // share of positives
	auc    float64
	sink   float64 // share of positives that sink
	jitter float64 // of the scores' normal quantiles
}

func (w sinking) draw(r *rand.Rand, n int) *pair {
	p := binaryPair(n)
	d := math.Sqrt2 * normalQuantile(w.auc)
	for i := range n {
		var s float64
		if r.Float64() < w.pi {
			p.cand.Label[i] = 1
			s = d
		}
		s += r.NormFloat64()
		c := s + w.jitter*r.NormFloat64()
		if p.cand.Label[i] == 1 && r.Float64() < w.sink {
			c = -4 - 0.1*r.Float64()
		}
		p.base.Score[i], p.cand.Score[i] = normalCDF(s-d/2), normalCDF(c-d/2)
		if s > d/2 {
			p.base.Pred[i] = 1
		}
		if c > d/2 {
			p.cand.Pred[i] = 1
		}
	}
	return p
}

func (w sinking) population(name, metric string) population {
	return population{kind: "nearly equal", name: name, metric: metric, rows: fmt.Sprint(w.n),
		draw:  func(r *rand.Rand) *pair { return w.draw(r, w.n) },
		large: w.draw}
}

// grouped: groups of one size, of which few have positives; a group's effect on
// each model is skewed.
type grouped struct {
	groups, with, size int
	pi                 float64 // share of positives in groups that have any
	loss               float64 // of the positives' logit, on average
	skew               bool
}

func (w grouped) draw(r *rand.Rand, times int) *pair {
	groups := w.groups * times
	p := binaryPair(groups * w.size)
	p.groups, p.group = groups, make([]int32, groups*w.size)
	effect := func() float64 {
		if w.skew {
			return 0.7 * (r.ExpFloat64() - 1)
		}
		return 0.7 * r.NormFloat64()
	}
	for g := range groups {
		has := g%w.groups < w.with
		eb, ec := effect(), effect()
		for k := range w.size {
			i := g*w.size + k
			p.group[i] = int32(g)
			z := 0.0
			sb, sc := eb, ec
			if has && r.Float64() < w.pi {
				p.cand.Label[i] = 1
				z = 2
				sb, sc = eb, ec-w.loss
			}
			u := z + r.NormFloat64()
			sb, sc = sb+u+0.3*r.NormFloat64(), sc+u+0.3*r.NormFloat64()
			p.base.Score[i], p.cand.Score[i] = 1/(1+math.Exp(1.5-sb)), 1/(1+math.Exp(1.5-sc))
			if sb > 1.5 {
				p.base.Pred[i] = 1
			}
			if sc > 1.5 {
				p.cand.Pred[i] = 1
			}
		}
	}
	return p
}

func (w grouped) population(name, metric string, floor bool) population {
	n := w.groups * w.size
	return population{kind: "positives in few groups", name: name, metric: metric, floor: floor,
		rows:  fmt.Sprintf("%d in %d groups, positives in %d", n, w.groups, w.with),
		draw:  func(r *rand.Rand) *pair { return w.draw(r, 1) },
		large: func(r *rand.Rand, rows int) *pair { return w.draw(r, rows/n) }}
}

// errorsOf: a regression whose errors have t with so many degrees of freedom, or
// are lognormal (0).
type errorsOf struct {
	n     int
	df    int
	worse float64
	own   float64 // share of the candidate's error that is its own
}

func (w errorsOf) noise(r *rand.Rand) float64 {
	if w.df == 0 {
		return math.Exp(r.NormFloat64()) - math.Exp(0.5)
	}
	var s float64
	for range w.df {
		s += sq(r.NormFloat64())
	}
	return r.NormFloat64() / math.Sqrt(s/float64(w.df))
}

func (w errorsOf) draw(r *rand.Rand, n int) *pair {
	d := func() *metric.Data { return &metric.Data{Task: exam.Regression, N: n, Value: make([]float64, n)} }
	p := &pair{cand: d(), base: d()}
	p.cand.Target = make([]float64, n)
	p.base.Target = p.cand.Target
	for i := range n {
		p.cand.Target[i] = 10 + 3*r.NormFloat64()
		e := w.noise(r)
		p.base.Value[i] = p.cand.Target[i] + e
		p.cand.Value[i] = p.cand.Target[i] + w.worse*(math.Sqrt(1-w.own*w.own)*e+w.own*w.noise(r))
	}
	return p
}

func (w errorsOf) population(kind, name, metric string, relative bool) population {
	return population{kind: kind, name: name, metric: metric, relative: relative, rows: fmt.Sprint(w.n), exchange: true,
		draw: func(r *rand.Rand) *pair { return w.draw(r, w.n) }, large: w.draw}
}

// tiny: predictions that differ by a rounding's size, neither better.
func tiny(name, metric string, n int, step float64) population {
	w := binormal{pos: n / 2, neg: n - n/2, aucB: 0.8, aucC: 0.8, rho: 1}
	return population{kind: "rounding", name: name, metric: metric, rows: fmt.Sprint(n), draw: func(r *rand.Rand) *pair {
		if metric == "mae" || metric == "rmse" || metric == "r2" {
			p := errorsOf{n: n, df: 30, worse: 1}.draw(r, n)
			for i := range n {
				p.cand.Value[i] += step * r.NormFloat64()
			}
			return p
		}
		p := w.draw(r, 1)
		for i := range n {
			p.cand.Score[i] = math.Min(math.Max(p.base.Score[i]+step*r.NormFloat64(), 0), 1)
		}
		return p
	}}
}

// weighing gives the rows of a population lognormal weights of one spread, a
// quarter of them none.
func weighing(c population, spread float64) population {
	weigh := func(r *rand.Rand, p *pair) *pair {
		for range p.cand.N {
			w := math.Exp(spread * r.NormFloat64())
			if r.IntN(4) == 0 {
				w = 0
			}
			p.cand.Weight = append(p.cand.Weight, w)
		}
		p.base.Weight = p.cand.Weight
		return p
	}
	draw, large := c.draw, c.large
	c.draw = func(r *rand.Rand) *pair { return weigh(r, draw(r)) }
	if large != nil {
		c.large = func(r *rand.Rand, n int) *pair { return weigh(r, large(r, n)) }
	}
	return c
}

func kinds() []population {
	var all []population
	add := func(p ...population) { all = append(all, p...) }
	three := rareClass{sizes: []int{900, 500, 9}, err: 0.1, discord: 0.06, loss: 0.2}
	six := rareClass{sizes: []int{700, 700, 400, 300, 200, 15}, err: 0.15, discord: 0.04, loss: 0.12}
	two := rareClass{sizes: []int{600, 14}, err: 0.05, discord: 0.04, loss: 0.18}
	add(three.population("three classes, 9 rows lose 20 %", "balanced_accuracy", false),
		six.population("six classes, 15 rows lose 12 %", "balanced_accuracy", false),
		two.population("two classes, 14 rows lose 18 %", "balanced_accuracy", false),
		three.population("three classes, 9 rows lose 20 %, f1_macro", "f1_macro", false),
		six.population("six classes, 15 rows lose 12 %, f1_macro", "f1_macro", false),
		two.population("two classes, 14 rows lose 18 %, f1_macro", "f1_macro", false),
		six.population("six classes, 15 rows lose 12 %, recall_macro", "recall_macro", false),
		six.population("six classes, 15 rows lose 12 %, precision_macro", "precision_macro", false),
		two.population("two classes, 14 rows lose 18 %, mcc", "mcc", false),
		six.population("six classes, 15 rows lose 12 %, cohen_kappa", "cohen_kappa", false),
		three.population("floor, three classes, 9 rows", "balanced_accuracy", true),
		six.population("floor, six classes, 15 rows", "balanced_accuracy", true),
		two.population("floor, two classes, 14 rows", "f1_macro", true))
	near := "AUC near 1"
	add(binormal{pos: 20, neg: 800, aucB: 0.985, aucC: 0.97, rho: 0.6}.population(near, "0.985 to 0.97, 20 positive", "roc_auc", false),
		binormal{pos: 40, neg: 1500, aucB: 0.995, aucC: 0.985, rho: 0.7}.population(near, "0.995 to 0.985, 40 positive", "roc_auc", false),
		binormal{pos: 120, neg: 120, aucB: 0.992, aucC: 0.984, rho: 0.5}.population(near, "0.992 to 0.984, balanced", "roc_auc", false),
		binormal{pos: 25, neg: 3000, aucB: 0.95, aucC: 0.9, rho: 0.8}.population(near, "0.95 to 0.9, 25 positive", "roc_auc", false),
		binormal{pos: 18, neg: 500, aucB: 0.97, aucC: 0.97}.population(near, "floor 0.97, 18 positive", "roc_auc", true),
		binormal{pos: 25, neg: 300, aucB: 0.985, aucC: 0.985}.population(near, "floor 0.985, 25 positive", "roc_auc", true),
		binormal{pos: 15, neg: 300, aucB: 0.93, aucC: 0.93}.population(near, "floor 0.93, 15 positive", "roc_auc", true),
		binormal{pos: 30, neg: 600, aucB: 0.99, aucC: 0.975, rho: 0.6}.population(near, "average precision, 30 positive", "pr_auc", false),
		binormal{pos: 100, neg: 300, aucB: 0.985, aucC: 0.97, rho: 0.6}.population(near, "average precision, 100 positive", "pr_auc", false),
		binormal{pos: 20, neg: 400, aucB: 0.985, aucC: 0.985}.population(near, "floor of average precision, 20 positive", "pr_auc", true),
		binormal{pos: 20, neg: 800, aucB: 0.985, aucC: 0.97, rho: 0.6, cut: 2}.population(near, "f1, 20 positive", "f1", false),
		binormal{pos: 40, neg: 400, aucB: 0.99, aucC: 0.99, cut: 1.6}.population(near, "floor of f1, 40 positive", "f1", true))
	power := "power"
	add(binormal{pos: 150, neg: 350, aucB: 0.75, aucC: 0.72, rho: 0.6}.population(power, "AUC 0.75, 150 positive", "roc_auc", false),
		binormal{pos: 200, neg: 800, aucB: 0.85, aucC: 0.82, rho: 0.8}.population(power, "AUC 0.85, 200 positive", "roc_auc", false),
		binormal{pos: 100, neg: 200, aucB: 0.9, aucC: 0.87, rho: 0.5}.population(power, "AUC 0.9, 100 positive", "roc_auc", false),
		binormal{pos: 150, neg: 350, aucB: 0.85, aucC: 0.82, rho: 0.8, cut: 1}.population(power, "accuracy", "accuracy", false),
		binormal{pos: 150, neg: 350, aucB: 0.85, aucC: 0.82, rho: 0.8, cut: 1}.population(power, "f1", "f1", false),
		binormal{pos: 300, neg: 1700, aucB: 0.85, aucC: 0.82, rho: 0.8, cut: 1}.population(power, "f1, 2000", "f1", false),
		binormal{pos: 150, neg: 350, aucB: 0.85, aucC: 0.82, rho: 0.8}.population(power, "average precision", "pr_auc", false),
		binormal{pos: 150, neg: 350, aucB: 0.85, aucC: 0.82, rho: 0.8}.population(power, "brier", "brier", false),
		errorsOf{n: 500, df: 30, worse: 1.05, own: 0.5}.population(power, "mae", "mae", false))
	for _, n := range []int{300, 1000, 3000} {
		p := float64(n)
		w := sinking{n: n, pi: 0.3, auc: 0.8, sink: math.Min(5/p, 0.02)}
		j := w
		j.jitter = 0.003
		add(w.population(fmt.Sprintf("equal but %.2g %% of positives sink", 100*w.sink), "roc_auc"),
			j.population(fmt.Sprintf("jitter, and %.2g %% of positives sink", 100*w.sink), "roc_auc"))
	}
	w := sinking{n: 800, pi: 0.2, auc: 0.95, sink: 0.01}
	j, jj := w, w
	j.jitter, jj.jitter = 0.0005, 0.03
	add(w.population("equal but 1 % sink, average precision", "pr_auc"), j.population("jitter, and 1 % sink, average precision", "pr_auc"),
		jj.population("more jitter, and 1 % sink", "roc_auc"),
		w.population("equal but 1 % sink, f1", "f1"), j.population("jitter, and 1 % sink, f1", "f1"),
		w.population("equal but 1 % sink, accuracy", "accuracy"), w.population("equal but 1 % sink, brier", "brier"),
		w.population("equal but 1 % sink, log loss", "log_loss"), w.population("equal but 1 % sink, balanced accuracy", "balanced_accuracy"))
	add(grouped{groups: 25, with: 4, size: 20, pi: 0.5, loss: 0.4, skew: true}.population("25 groups, 4", "roc_auc", false),
		grouped{groups: 60, with: 7, size: 15, pi: 0.4, loss: 0.4, skew: true}.population("60 groups, 7", "roc_auc", false),
		grouped{groups: 50, with: 12, size: 15, pi: 0.4, loss: 0.4, skew: true}.population("50 groups, 12", "roc_auc", false),
		grouped{groups: 50, with: 12, size: 15, pi: 0.4, loss: 0.4, skew: true}.population("50 groups, 12, f1", "f1", false),
		grouped{groups: 25, with: 4, size: 20, pi: 0.5, loss: 0.4, skew: true}.population("25 groups, 4, f1", "f1", false),
		grouped{groups: 50, with: 12, size: 15, pi: 0.4, loss: 0.4}.population("50 groups, 12, recall", "recall", false),
		grouped{groups: 50, with: 12, size: 15, pi: 0.4, loss: 0.4, skew: true}.population("50 groups, 12, average precision", "pr_auc", false),
		grouped{groups: 50, with: 12, size: 15, pi: 0.4, loss: 0.4, skew: true}.population("50 groups, 12, log loss", "log_loss", false),
		grouped{groups: 25, with: 4, size: 20, pi: 0.5, loss: 0.4}.population("25 groups, 4, log loss", "log_loss", false),
		grouped{groups: 40, with: 12, size: 15, pi: 0.4, loss: 0.4, skew: true}.population("floor, 40 groups, 12", "roc_auc", true))
	add(tiny("log loss, 1e-9", "log_loss", 500, 1e-9), tiny("brier, 1e-10", "brier", 500, 1e-10), tiny("mae, 1e-9", "mae", 500, 1e-9),
		tiny("rmse, 1e-8", "rmse", 1000, 1e-8), tiny("r2, 1e-9", "r2", 1000, 1e-9))
	heavy := "heavy tails"
	add(errorsOf{n: 1000, df: 5, worse: 1.03, own: 0.3}.population(heavy, "rmse, t5 errors", "rmse", false),
		errorsOf{n: 1000, df: 5, worse: 1.03, own: 0.3}.population(heavy, "rmse, t5 errors, relative", "rmse", true),
		errorsOf{n: 4000, df: 5, worse: 1.03, own: 0.3}.population(heavy, "rmse, t5 errors, 4,000", "rmse", false),
		errorsOf{n: 1000, df: 3, worse: 1.03, own: 0.3}.population(heavy, "rmse, t3 errors", "rmse", false),
		errorsOf{n: 1000, df: 3, worse: 1.03, own: 0.3}.population(heavy, "mae, t3 errors", "mae", false),
		errorsOf{n: 1000, df: 3, worse: 1.03, own: 0.3}.population(heavy, "r2, t3 errors", "r2", false),
		errorsOf{n: 400, df: 0, worse: 1.03, own: 0.3}.population(heavy, "mae, lognormal errors", "mae", false),
		errorsOf{n: 1000, df: 0, worse: 1.03, own: 0.3}.population(heavy, "rmse, lognormal errors", "rmse", false),
		errorsOf{n: 1000, df: 0, worse: 1.03, own: 0.3}.population(heavy, "mse, lognormal errors, relative", "mse", true))
	for _, c := range []struct {
		name, metric string
		w            binormal
		spread       float64
	}{
		{"AUC, 60 positive", "roc_auc", binormal{pos: 60, neg: 400, aucB: 0.9, aucC: 0.86, rho: 0.6}, 1},
		{"AUC, 200 positive", "roc_auc", binormal{pos: 200, neg: 400, aucB: 0.8, aucC: 0.77, rho: 0.6}, 0.7},
		{"average precision, 80 positive", "pr_auc", binormal{pos: 80, neg: 300, aucB: 0.9, aucC: 0.86, rho: 0.6}, 0.8},
		{"balanced accuracy, 40 positive", "balanced_accuracy", binormal{pos: 40, neg: 400, aucB: 0.95, aucC: 0.92, rho: 0.7, cut: 1.2}, 0.8},
		{"recall, 50 positive", "recall", binormal{pos: 50, neg: 300, aucB: 0.9, aucC: 0.86, rho: 0.8, cut: 1}, 0.8},
	} {
		add(weighing(c.w.population("weights", c.name, c.metric, false), c.spread))
	}
	d := binormal{pos: 100, neg: 300, aucB: 0.85, aucC: 0.85, cut: 1}
	add(d.population("floors", "recall, 100 positive", "recall", true), d.population("floors", "f1, 100 positive", "f1", true),
		d.population("floors", "log loss", "log_loss", true), d.population("floors", "AUC, 100 positive", "roc_auc", true),
		d.population("floors", "average precision, 100 positive", "pr_auc", true), d.population("floors", "mcc", "mcc", true))
	e := errorsOf{n: 400, df: 5, worse: 1}
	for _, name := range []string{"mae", "rmse", "r2", "median_ae"} {
		c := e.population("floors", name+", t5 errors", name, false)
		c.floor, c.exchange = true, false
		add(c)
	}
	add(hits("accuracy, 0.999", 200, 0.999), hits("accuracy, 0.995", 150, 0.995), hits("accuracy, 0.99", 400, 0.99), hits("accuracy, 0.9", 100, 0.9))
	return all
}

// hits: a share of hits exactly at its floor.
func hits(name string, n int, share float64) population {
	return population{kind: "floors", name: name, metric: "accuracy", floor: true, truth: share, rows: fmt.Sprint(n), draw: func(r *rand.Rand) *pair {
		p := binaryPair(n)
		for i := range n {
			p.cand.Label[i] = int32(i % 2)
			p.cand.Pred[i] = p.cand.Label[i]
			if r.Float64() > share {
				p.cand.Pred[i] = 1 - p.cand.Label[i]
			}
		}
		return p
	}}
}
