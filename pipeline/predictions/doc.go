// Package predictions reads, writes and pairs files of predictions.
//
// A file has a row per evaluated row and these columns, in any order:
//
//	id          pairs the rows of two files; must be unique
//	label       the true class, or the target of a regression
//	prediction  the predicted class, or value; where there are probabilities, a
//	            classification may leave it out, and what reads classes is undefined
//	score       binary: the probability of the positive class
//	p_<class>   multiclass (or binary): the probability of each class
//	weight      optional: sampling weight, at least 0
//	group       optional: rows of one group are not independent
//	(others)    slice columns
//
// The format is told by the name: .csv, .tsv (both also .gz), .parquet, and
// .jsonl (also .gz; one object a line). Package table reads all but the last, as
// it does datasets. Readers stream: they hold the columns, never the text, so
// that memory is bounded by the rows. Every error names the file, the row and the
// column and is a usage error (exit code 2). Nothing is guessed: a row that cannot
// be read is an error, never a row less.
//
// Names of classes are compared by what they say, as far as that leaves one
// reading (OneSpelling); so are ids (IDs). Of two columns p_<class> in a binary
// task one is enough.
//
// Two sets are paired by id. The same order is the fast path; any other order
// is looked up. Ids, labels, targets, weights, groups and slice columns of the
// pair must agree, since they describe the row and not the model.
package predictions
