// Package compare judges whether one model is not worse than another on the
// same rows: PASS, FAIL or INCONCLUSIVE, with an interval, a margin, and the
// smallest loss that the test could see.
//
// # The rule
//
// An improvement is the difference of candidate and baseline oriented so that
// positive is better. Each bound of its interval holds at the exam's
// confidence, so low..high has 2·confidence-1. PASS if low > -margin; FAIL if
// high < -margin; else INCONCLUSIVE. All gates must pass, so a PASS needs no
// correction for their number (intersection-union test: Berger, Technometrics
// 24, 1982).
//
// With a relative margin the interval is of improvement/baseline, found by
// testing the linear contrast C - r·B for each ratio r (Fieller's theorem),
// so that the rule is the same and its test is that of C - (1-m)B > 0, or of
// (1+m)B - C > 0 where lower is better.
//
// # Methods
//
// Each bound is the wider one of two:
//
//   - t of what was seen: paired t, DeLong, the delta method (bounds.go,
//     linear.go, delong.go), with Satterthwaite's degrees of freedom of the
//     classes' parts (contrast.go);
//   - a score interval that also allows for rows that were not seen (tilt.go,
//     unseen.go): all distributions over the seen values and the worst unseen
//     one that Pearson's chi-square does not reject.
//
// Where an interval rests on its own variance only, a class of six rows that
// happens to lose none, or an area of 0.99 whose errors were not drawn, has
// none, and everything passes. The files:
//
//	proportions            Tango's score interval; ratio: Nam and Blackwelder    tango.go, ratio.go
//	ROC AUC                DeLong; groups: Obuchowski                            delong.go
//	means of losses        paired t of differences taken row by row              bounds.go
//	RMSE, R², AP, ...      delta method by influence functions                   linear.go
//	F1, MCC, averages, ... the score interval of the joint table of both models  counts.go
//	heavy tails            the largest seen, or what a power law has beyond it   tilt.go (tail)
//	weights, groups        linearised variance of row or group sums              linear.go
//	values (floors)        Clopper and Pearson; as above                         value.go
//	medians of ratings     order statistics                                      quantile.go
//	slices                 Holm over all alarms                                  slices.go, holm.go
//	mde, power             the same intervals at no difference                   mde.go, power.go
//	recipes, seeds         crossed variance components, t prediction             recipes.go, luck.go
//
// docs/statistics.md holds the table of simulations that says how well each
// keeps its promise.
//
// # Design
//
// One abstraction carries weights, groups, relative margins and recipes: a
// metric's influence function, a number per row (package metric). A model's
// value is a mean of units (rows, or sums over groups) up to a constant, a
// contrast of two models is a difference of units, and its variance is that
// of a mean. Where a sharper method exists for rows of equal weight it is
// used beside it, and the wider bound counts.
//
// Too little to tell is INCONCLUSIVE with the reason, never a degenerate PASS.
// Nothing is resampled: the same rows give the same result, on any machine and
// whatever else the exam asks.
package compare
