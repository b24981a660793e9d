// Package page renders a report as one self-contained HTML page: no script, no
// request, inline SVG and one style sheet.
//
// # Design
//
// Every comparison is drawn on one axis in units of its own margin, so that a
// dozen metrics of a dozen units can be read with one look: right of the limit
// passes, left of it fails, across it is inconclusive. Horizontal positions in the
// SVGs are percentages, so a chart fits 400 pixels and 1,400 without scaling
// its strokes and letters. geometry.go turns figures into positions,
// view.go turns the report into what the template prints, page.gohtml only
// prints.
//
// The palette is Okabe and Ito's, which readers with any common colour vision
// can tell apart (jfly.uni-koeln.de/color), and no meaning hangs on colour
// alone: verdicts differ in sign and word, series in shape and dash. Each
// chart has a title for screen readers and a table with its figures.
//
// # Rules of the outside world
//
//   - html/template escapes by context; nothing from the report is ever of a
//     trusted type such as template.HTML.
//   - A Content-Security-Policy in a meta element (W3C CSP3, section 3.3)
//     forbids everything but the one style sheet, named by its hash, so that
//     even a page with a hole could load and run nothing.
package page
