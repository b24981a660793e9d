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
//	proportions            Tango's score interval; ratio: Nam and Blackwelder    tango.go, ratio.go
//	ROC AUC                DeLong; groups: Obuchowski                            delong.go
//	means of losses        paired t                                              linear.go
//	RMSE, R², AP, ...      delta method by influence functions                   linear.go
//	F1, MCC, ...           BCa bootstrap of the joint counts, delta when large   bootstrap.go
//	heavy or slow tails    studentised bootstrap of a completed sample           student.go
//	weights, groups        linearised variance of row or group sums              linear.go
//	values (floors)        Wilson, logit-DeLong, t, BCa                          value.go
//	equal predictions      rule of three                                         degenerate.go
//	slices                 Holm over all alarms                                  slices.go, holm.go
//	recipes, seeds         crossed variance components, t prediction             recipes.go, position.go
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
// used instead, and where the two should never disagree (weights and groups
// on rare discordance) the wider bound counts.
//
// Too little to tell is INCONCLUSIVE with the reason, never a degenerate PASS.
// Resampling is seeded, in blocks of their own generators, so that the result
// does not depend on the number of cores.
package compare
