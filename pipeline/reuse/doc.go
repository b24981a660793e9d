// Package reuse counts how often the same evaluation data has decided, and says
// when it has been used too often to be trusted.
//
// Data that decides again and again is slowly learned: each promotion tells
// something about these very rows, the next change is made by people who know
// it, and what fits the rows by chance is kept. A standard bound holds for a
// model that was chosen without looking at the data; it says less the more
// often that is not so (Dwork, Feldman, Hardt, Pitassi, Reingold and Roth, "The
// reusable holdout", Science 349, 2015, 636-638; Blum and Hardt, "The Ladder",
// ICML 2015, https://arxiv.org/abs/1502.04585).
//
// # The rule
//
// A gate at confidence c passes a model that is worse by just the margin with a
// probability of up to 1-c. Over k verdicts on the same rows the chance that
// at least one such model passed is up to k·(1-c), however the verdicts depend
// on each other (Bonferroni's inequality). The data counts as used up from the
// verdict on with which k·(1-c) reaches one half: then the bounds no longer
// promise that it is likelier than not that no promotion passed by chance. With bounds
// at 95 % that is the tenth verdict, with 99 % the fiftieth.
//
// # What the rule is not
//
// One half is a choice, not a theorem. The inequality takes each candidate as
// chosen without a look at the earlier results; where it was chosen by them,
// the true chance is larger, by an unknown amount for a team of
// people (the worst case, somebody who fits the holdout on purpose, is far
// worse; what was measured in public contests and benchmarks is far milder:
// Roelofs et al., "A meta-analysis of overfitting in machine learning",
// NeurIPS 2019; Recht et al., "Do ImageNet classifiers generalize to
// ImageNet?", ICML 2019). And it counts promotions only: runs that were looked
// at and not promoted have used the data too, and Git does not know them. So
// the warning comes late rather than early, it changes no verdict, and the
// remedy is always the same: evaluation data that nobody has seen yet.
//
// Reusing data is not counted by the exam's digest but by that of its data: a
// new margin does not make old rows new. A rollback, or a commit that changes
// something else in the manifest, judges nothing and is not counted.
package reuse
