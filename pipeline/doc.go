// Package pipeline takes one change of a model from training to a proposed
// promotion. pipeline.go tells the run on one page; each step_*.go is one step
// and calls one or two rooms, each report_*.go is one part of the report,
// single_step.go has the steps that can be taken alone, and standalone.go
// reports a comparison of files without a run around it. What a run knows on
// its way is its session.
//
// Everything else stands in rooms, the packages below this one. A room has one
// purpose and does not know this package; which rooms it may use is the table
// in arrows_test.go. Most rooms know neither the config nor a project: this
// package reads the config once, hands each room plain options, and turns its
// answers into the report. The verbs that are no run (verify, adopt, rollback,
// reconcile, doctor) have rooms of their own, which open a project themselves.
//
// A step's result is written to the run's folder, under a key that is the
// digest of everything that the step depends on, so that a run can go on where
// it stopped (session.go).
package pipeline
