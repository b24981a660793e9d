// Package explain says in plain sentences how one metric of a report was
// judged: what was tested, how, with which numbers, why the verdict is what it
// is, and what would change it.
//
// It is a pure function of the report, like every rendering: it recomputes
// nothing that needs the predictions. What it works out is what follows from
// the bounds alone. A margin passes when low > -margin and fails when
// high < -margin, so the margins at which the same interval would have been
// judged otherwise are -low and -high, and a candidate that is better by d
// moves both bounds by about d. Figures that a reader could act on are rounded
// to the safe side: a margin that is said to pass does pass.
//
// What it does not do is to say how many rows would settle the difference that
// was observed: rows are counted from the spread alone, since power at the
// observed difference only restates the p-value (Hoenig and Heisey, The
// American Statistician 55, 2001, 19-24).
package explain
