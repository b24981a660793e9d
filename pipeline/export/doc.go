// Package export holds what ships against what was trained.
//
// A trainer may leave predictions.csv beside its model: what the model that was
// trained, in the library that trained it, says of some rows of the training
// table. The sealed model must say the same of those rows through the server.
// Converters are wrong more often than people think, and nobody else looks: the
// metrics of a model that was broken on its way are those of another model.
//
// # The file
//
// A column that names the row, `prediction`, and for classes that have
// probabilities `score` (of the positive class) or `p_<class>` for each class.
// The row is named by the config's data.id, by a column `id` or `row`, or by
// the nameless column in which pandas writes its index. Where data.id is set,
// `id` holds its values; numbers of rows count from 1, or from 0 where one of
// them is 0. A file with one line for each row of the table needs no such
// column. Other columns are passed over.
//
// A file that cannot be held against the table is an error and no verdict: rows
// that are not there or there twice, values that are none, classes that the
// model does not have.
//
// # Tolerance
//
// |served - trained| <= Absolute + Relative*|trained|, with 1e-4 and, for
// probabilities, 1e-5; for numbers the absolute part is 1e-5 of their usual
// size, the median of |trained|. Training computes in double precision and ONNX
// in single: half a unit in the last place is 6e-8 of a value, and a sum of a
// thousand terms of one sign keeps about 3e-5 of it in the worst case (n·u;
// N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
// 4.2). An error of conversion is larger by orders of magnitude: another branch
// of a tree, a lost link function. Where the trainer wrote its numbers with
// few digits (three at least), half of the last one is allowed too.
//
// Predicted classes must be equal, except on rows whose probability is within
// the tolerance of where the classes part: of the threshold that the trained
// model's own answers show, or of a tie.
//
// # Causes
//
// What may have caused a difference is looked for in what the rows and values
// show, and where values may lie at the threshold of a tree, by asking the
// model again for the neighbouring value in single precision. A cause is named
// where it explains all (or nearly all) that differs, else none is.
//
// # Limits
//
// At most 20,000 rows are asked, spread evenly over those that the file has,
// which is said. The file is the trainer's own word: it shows that a conversion
// is right, not that a trainer is honest.
package export
