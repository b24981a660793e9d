// Package metric holds the metrics that a model is judged by.
//
// A metric is one file: it registers a Metric, which says for which tasks it
// is, which way is better, what it needs, and how to compute it. A new metric
// is one new file with an init function; nothing else changes.
//
// # What a metric must give
//
// Compute returns a finite number or the reason why there is none. Undefined
// is never NaN and never a silent 0: scikit-learn fills mcc of a constant
// prediction with 0, mape near a zero target with a huge number and r2 of a
// constant target with 0 or 1; here they are undefined, with the reason.
// Wherever scikit-learn has the metric and defines it, the value is equal to
// 1e-9, also under sampling weights; a test asks the real scikit-learn.
//
// # Influence functions
//
// To compare two models one needs more than values. Every metric that may
// carry a margin also gives its influence function: for each row i the
// number psi_i with
//
//	value(sample) - value(population) ~ sum_i w_i psi_i / sum_i w_i
//	sum_i w_i psi_i = 0
//
// (Hampel, "The influence curve and its role in robust estimation", JASA 69,
// 1974; for variances: Davison and Hinkley, "Bootstrap Methods and their
// Application", 1997, section 2.7). With it weights, groups, relative margins
// and recipes need no code per metric: package compare sums and contrasts
// the psi. The Family says which sharper method exists for a metric.
//
// The package is pure: no files, no clock, no randomness.
package metric
