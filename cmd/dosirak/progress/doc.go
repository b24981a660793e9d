// Package progress shows on standard error how far the run is: a live table
// on a terminal, plain lines in a log, folded groups on GitHub.
//
// # Design
//
// Printer is told what happens (Start, Update, Done, Log: the observer of
// package pipeline) and writes. It reads no clock, environment or terminal by
// itself: Options carry them, and Open fills them in from the real ones. On a
// terminal finished steps are written once and stay; only what runs is drawn
// anew, in place, at most ten times a second. Where the detail of an update
// names a seed or another part of the step, each has a line of its own.
//
// # Rules of the outside world
//
//   - The runner of GitHub Actions reads commands from any line that starts
//     with "::" after spaces, and from "##[" anywhere in a line
//     (actions/runner, src/Runner.Common/ActionCommand.cs). Text from outside
//     is written so that it is neither; "%", CR and LF in the value of our own
//     commands are escaped (actions/toolkit, packages/core/src/command.ts).
//   - Groups do not nest (docs.github.com, "Workflow commands", "Grouping log
//     lines"): a step that starts within another closes its group.
package progress
