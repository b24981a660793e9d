// Package runner is what GitHub's runner gives an action and takes from it:
// inputs, the event, outputs, the step summary, annotations.
//
// # Design
//
// An Action declares the names of its inputs and outputs. Reading an input or
// setting an output that is not declared is an error, an output that was not
// set is written empty, and a test holds the declarations against action.yml:
// so that neither an input nor an output can be forgotten on one side. Do runs
// an action: it reads, runs, writes, annotates and returns the exit code.
//
// Everything that an action prints may quote text from outside: a trainer's
// log, a file name, a message of an API. It goes through Guard, which takes
// the meaning from lines that the runner would read as commands; only Do
// itself issues commands.
//
// # Rules of the outside world
//
//   - A step of a composite action gets no INPUT_ variables; action.yml maps
//     each by hand (actions/runner issue 665).
//   - The runner takes a line as a command when it starts with "::" after white
//     space, and, in the older form, when it holds "##[" anywhere
//     (actions/runner, src/Runner.Common/ActionCommand.cs).
//   - An output is written as name<<delimiter, value, delimiter. A value that
//     knows the delimiter forges further outputs, so the delimiter is random, as
//     in actions/toolkit, packages/core/src/file-command.ts; go-githubactions has
//     a fixed one and is not used for this.
//   - A step summary has at most 1 MiB (docs.github.com, "Workflow commands").
//   - In pull_request, GITHUB_SHA is a merge commit that nobody pushed; a status
//     belongs on pull_request.head.sha. In workflow_run the head stands in the
//     event too (docs.github.com, "Events that trigger workflows").
package runner
