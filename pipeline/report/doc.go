// Package report is what a run has to say: report.json, its schema, and the
// sentences that every rendering shares.
//
// # Design
//
// Report is one plain value. A run fills it; the renderings
// (packages terminal, markdown and page below this one) are pure functions of
// it, so that a comment, a page and a summary can never disagree. What two
// renderings share (which row matters, why the verdict is what it is, what to
// do next, how many digits a figure deserves) is decided here, once.
//
// A report may come from a fork: half two of the workflow reads it as data.
// Parse is therefore strict. It bounds the size before it decodes, refuses
// unknown, repeated and differently spelt keys (encoding/json would accept
// "Verdict" beside "verdict" and take the last), checks every range, and
// refuses a report whose verdict is better than one of its own gates. Names
// come from a closed alphabet; text from outside stands only in fields of the
// types Text and Prose, which have no control, format or bidirectional
// characters, and which each rendering escapes for its target.
//
// The package imports verdict, the standard library and x/text (for NFC).
//
// # Rules of the outside world
//
//   - JSON has no NaN and no infinity (RFC 8259, section 6): an undefined
//     number is null, here a nil pointer.
//   - Characters that reorder text can make source or a comment read as what
//     it is not (CVE-2021-42574, Unicode TR 36): category Cf is refused.
package report
